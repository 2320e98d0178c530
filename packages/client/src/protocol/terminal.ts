import type { ResponseEvent } from './events.js';
import type { Response } from './response.js';

/** How a turn ended. `lost` is ours: no terminal event was read, so nothing is known of the end (P95). */
export type Outcome = 'completed' | 'incomplete' | 'failed' | 'cancelled' | 'lost';

/**
 * The events that end a turn (P57). `response.done` and `response.cancelled` come from gateways; what `response.done` means stands in
 * the status of its response.
 */
const outcomes: Readonly<Record<string, Exclude<Outcome, 'lost'>>> = {
  'response.completed': 'completed',
  'response.incomplete': 'incomplete',
  'response.failed': 'failed',
  'response.cancelled': 'cancelled',
  'response.done': 'completed',
};

export interface Terminal {
  outcome: Exclude<Outcome, 'lost'>;
  response: Response;
}

/** What `event` ends a turn with, or undefined where it does not; `error` events are `isError`'s. */
export function terminalOf(event: ResponseEvent): Terminal | undefined {
  const type: unknown = event.type;
  // An own-property look-up: the type comes from the wire and may be `constructor`.
  if (typeof type !== 'string' || !Object.hasOwn(outcomes, type)) return undefined;
  const response = responseOf(event);
  if (response === undefined) return undefined;
  const outcome = outcomes[type] ?? 'completed';
  return { outcome: type === 'response.done' ? byStatus(response.status) : outcome, response };
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

function byStatus(status: unknown): Terminal['outcome'] {
  return status === 'failed' || status === 'incomplete' || status === 'cancelled' ? status : 'completed';
}
