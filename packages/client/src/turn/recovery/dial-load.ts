import { causeOf } from './cause.js';
import type { TurnwireError } from '../../protocol/errors/errors.js';
import type { Cause } from '../../protocol/errors/failure-table.js';

/**
 * Failures of a dial that say only: no more connections for now. Something before the server counts them, or how many are dialled in a second; some
 * answer so, and some not at all. That says nothing of connections which are open.
 */
const causes: ReadonlySet<Cause> = new Set(['no_answer', 'throttled', 'unavailable', 'unreachable']);

export function isDialLoad(cause: Cause): boolean {
  return causes.has(cause);
}

/** The same of a failed dial, also where it was a proxy that took no more. */
export function isRefusedForLoad(error: TurnwireError): boolean {
  return isDialLoad(causeOf(error)) || (error.code === 'proxy_failed' && error.transient);
}
