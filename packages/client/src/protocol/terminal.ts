import { traitsOf } from './event-types.js';
import type { Outcome } from './event-types.js';
import type { ResponseEvent } from './events.js';
import type { Response } from './response.js';

export type { Outcome } from './event-types.js';

export interface Terminal {
  outcome: Exclude<Outcome, 'lost'>;
  response: Response;
}

/** An event that says that its response has ended, and not how. */
export interface InvalidTerminal {
  outcome: undefined;
  /** What the server sent, as a sentence goes on after "the server sent". */
  why: string;
}

/** What `event` ends a response with, or undefined where it does not; `error` events are `isError`'s. */
export function terminalOf(event: ResponseEvent): Terminal | InvalidTerminal | undefined {
  const type: unknown = event.type;
  const { terminal } = typeof type === 'string' ? traitsOf(type) : {};
  if (terminal === undefined || terminal === 'error') return undefined;
  const response = responseOf(event);
  if (response === undefined) return { outcome: undefined, why: `${event.type} without a response in it` };
  const { status } = response;
  if (terminal !== 'failed' && terminal !== 'cancelled' && (status === 'in_progress' || status === 'queued'))
    return { outcome: undefined, why: `${event.type} with a response whose status is ${status}` };
  return { outcome: worseOutcome(terminal, status), response };
}

/** From the best outcome to the worst. */
const outcomesByRank = ['completed', 'incomplete', 'cancelled', 'failed'] as const;

/** The status inside is the response's own word; but what the event calls a failure is not made a success by it. */
function worseOutcome(outcome: Terminal['outcome'], status: unknown): Terminal['outcome'] {
  const rank = outcomesByRank.indexOf(status as Terminal['outcome']);
  return rank > outcomesByRank.indexOf(outcome) ? (status as Terminal['outcome']) : outcome;
}

/** `error` in any shape; some servers leave the `type` out of their envelope (P12). */
export function isError(event: ResponseEvent): boolean {
  const { type, error } = event as { type?: unknown; error?: unknown };
  return type === 'error' || (type === undefined && error !== undefined && error !== null);
}

/** The response object of a lifecycle event. */
export function responseOf(event: ResponseEvent): Response | undefined {
  const { response } = event as { response?: unknown };
  return typeof response === 'object' && response !== null && !Array.isArray(response)
    ? (response as Response)
    : undefined;
}
