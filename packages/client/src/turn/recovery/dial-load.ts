import { causeOf } from './cause.js';
import type { TurnwireError } from '../../protocol/errors/errors.js';
import type { FailureCause } from '../../protocol/errors/failure-table.js';

/**
 * Causes of a failed dial that mean: no further connections for now. Something before the server limits connections, or dials in a second. Open connections
 * still work.
 */
const causes: ReadonlySet<FailureCause> = new Set(['no_answer', 'throttled', 'unavailable', 'unreachable']);

export function isDialLoad(cause: FailureCause): boolean {
  return causes.has(cause);
}

/** Whether a dial failed for such a cause, or because a proxy takes no further connections. */
export function isRefusedForLoad(error: TurnwireError): boolean {
  return isDialLoad(causeOf(error)) || (error.code === 'proxy_failed' && error.transient);
}
