import { pendingMs, successorMs } from '../protocol/limits.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Terminal } from '../protocol/terminal.js';

/** For a successor, or the news that none comes. */
export interface Wait {
  ms: number;
  /** What the turn does when nothing has come. */
  unmet: 'end' | 'fail';
}

/**
 * The submissions of `response.steer` in one turn, and what the server has said to them (P47–P51): whether a response that ends is
 * followed by a successor that nobody asks for.
 */
export class Steering {
  /** Sent, or accepted, and not yet part of a response. */
  #open = 0;

  get open(): boolean {
    return this.#open > 0;
  }

  /** One more has been sent. */
  sent(): void {
    this.#open += 1;
  }

  /** `response.steer.*`: `accepted` only confirms; the other two end the wait. */
  read({ type }: ResponseEvent): void {
    // What waits for the client's own results becomes part of the client's next request.
    if ((type === 'response.steer.pending' || type === 'response.steer.failed') && this.#open > 0) this.#open -= 1;
  }

  /** The successor has begun: it holds all that was accepted before. */
  succeeded(): void {
    this.#open = 0;
  }

  /** What must still come after this end of a response; undefined if nothing will. */
  waitAfter({ outcome, response }: Terminal): Wait | undefined {
    if (outcome === 'incomplete' && response.incomplete_details?.reason === 'steered') {
      this.#open = Math.max(this.#open, 1);
      return { ms: successorMs, unmet: 'fail' };
    }
    if (outcome !== 'completed' || this.#open === 0) return undefined;
    // The client has work to do, and may begin before the server says that it waits for it (P49).
    return asksTheClient(response.output) ? { ms: pendingMs, unmet: 'end' } : { ms: successorMs, unmet: 'fail' };
  }
}

/** The items for which a client must bring results or an approval (P50). */
const asking: ReadonlySet<string> = new Set([
  'apply_patch_call',
  'computer_call',
  'custom_tool_call',
  'function_call',
  'local_shell_call',
  'mcp_approval_request',
  'shell_call',
]);

function asksTheClient(output: unknown): boolean {
  return (
    Array.isArray(output) &&
    output.some((item: { type?: unknown } | null) => typeof item?.type === 'string' && asking.has(item.type))
  );
}
