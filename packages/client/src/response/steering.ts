import { steerPendingMs, successorMs } from '../protocol/limits.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Terminal } from '../protocol/terminal.js';

/** For a successor, or the news that none comes. */
export interface SuccessorWait {
  ms: number;
  /** What the turn does when nothing has come. */
  onTimeout: 'end' | 'fail';
}

/**
 * The submissions of `response.steer` in one turn, and what the server has said to them (P47–P51): whether a response that ends is
 * followed by a successor that nobody asks for.
 */
export class Steering {
  /** Sent, and neither accepted nor refused. */
  #unanswered = 0;
  /** Accepted, and not yet part of a response; by the server's names for them. From the first one on: few turns are steered. */
  #accepted: Set<unknown> | undefined;
  /** The server has ended a response in order to go on with another one. */
  #announced = false;
  /** This turn was steered at all. */
  used = false;

  get pending(): boolean {
    return this.#unanswered > 0 || this.#isAccepted || this.#announced;
  }

  /** One more has been sent. */
  sent(): void {
    this.used = true;
    this.#unanswered += 1;
  }

  /** `response.steer.*`: what waits for the client's own results becomes part of the client's next request, and is no more of this turn. */
  onEvent(event: ResponseEvent): void {
    const { type, steer } = event as { type?: unknown; steer?: { id?: unknown } | null };
    // One without a name is told from others by its event.
    const name = steer?.id ?? event;
    if (this.#accepted?.delete(name) !== true && this.#unanswered > 0) this.#unanswered -= 1;
    if (type === 'response.steer.accepted') (this.#accepted ??= new Set()).add(name);
    else if (!this.#isAccepted) this.#announced = false;
  }

  get #isAccepted(): boolean {
    return this.#accepted !== undefined && this.#accepted.size > 0;
  }

  /** The successor has begun: it holds all that was accepted before, and nothing that has not been answered. */
  succeeded(): void {
    this.#accepted = undefined;
    this.#announced = false;
  }

  /** What must still come after this end of a response; undefined if nothing will. */
  waitAfter({ outcome, response }: Terminal): SuccessorWait | undefined {
    if (outcome === 'incomplete' && response.incomplete_details?.reason === 'steered') {
      this.#announced = true;
      return { ms: successorMs, onTimeout: 'fail' };
    }
    if (outcome !== 'completed' || !this.pending) return undefined;
    // The client has work to do, and may begin before the server says that it waits for it (P49).
    return requiresClientAction(response.output)
      ? { ms: steerPendingMs, onTimeout: 'end' }
      : { ms: successorMs, onTimeout: 'fail' };
  }
}

/** The items for which a client must bring results or an approval (P50). */
const clientActionTypes: ReadonlySet<string> = new Set([
  'apply_patch_call',
  'computer_call',
  'custom_tool_call',
  'function_call',
  'local_shell_call',
  'mcp_approval_request',
  'shell_call',
]);

function requiresClientAction(output: unknown): boolean {
  return (
    Array.isArray(output) &&
    output.some((item: { type?: unknown } | null) => typeof item?.type === 'string' && clientActionTypes.has(item.type))
  );
}
