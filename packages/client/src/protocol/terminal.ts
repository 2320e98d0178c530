import { traitsOf } from './event-types.js';
import type { Outcome } from './event-types.js';
import type { ResponseEvent } from './events.js';
import type { Response } from './response.js';

export type { Outcome } from './event-types.js';

export interface Terminal {
  outcome: Exclude<Outcome, 'lost'>;
  response: Response;
}

/** A terminal event that does not say how its response ended. */
export interface InvalidTerminal {
  outcome: undefined;
  /** Continues the sentence "the server sent". */
  why: string;
}

/** The end of a response, if `event` is terminal; undefined for any other event. See `isError` for `error` events. */
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

/** The worse of the event's outcome and the response's status: a failure is never made a success. */
function worseOutcome(outcome: Terminal['outcome'], status: unknown): Terminal['outcome'] {
  const rank = outcomesByRank.indexOf(status as Terminal['outcome']);
  return rank > outcomesByRank.indexOf(outcome) ? (status as Terminal['outcome']) : outcome;
}

/** Whether an event is an error, in any shape; some servers leave the `type` out (P12), and some gateways say no more than words. */
export function isError(event: ResponseEvent): boolean {
  const { type, error, message, detail } = event as Readonly<Record<'type' | 'error' | 'message' | 'detail', unknown>>;
  if (type !== undefined) return type === 'error';
  return (error !== undefined && error !== null) || typeof message === 'string' || typeof detail === 'string';
}

/** The response object of a lifecycle event. */
export function responseOf(event: ResponseEvent): Response | undefined {
  const { response } = event as { response?: unknown };
  return typeof response === 'object' && response !== null && !Array.isArray(response)
    ? (response as Response)
    : undefined;
}
