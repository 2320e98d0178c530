import { TurnwireError } from '../protocol/errors/errors.js';
import type { FailureKind } from '../protocol/errors/failure-kind.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { ConnectionOptions } from './connection.js';

export interface PoolSettings extends ConnectionOptions {
  maxConnections: number;
  maxAgeMs: number;
  queueMs: number;
  /** Named lanes; undefined where the caller or the provider does not want them. */
  lanes: LaneLimits | undefined;
  pace?: Pace | undefined;
  /** Whether a failed dial says only that something before the server takes no more connections for now. @default never */
  isForLoad?: ((error: TurnwireError) => boolean) | undefined;
  /** In [0, 1). */
  random: () => number;
}

/** How fast connections may be dialled. */
export interface Pace {
  /** Milliseconds until the next may begin. */
  ready(): number;
  /** An upgrade was refused for this reason. */
  refused(kind: FailureKind): void;
}

export function closedError(): TurnwireError {
  return new TurnwireError('client_closed', 'this client is closed: create another one');
}

export function busyError({ maxConnections, queueMs }: PoolSettings): TurnwireError {
  return new TurnwireError(
    'queue_timeout',
    `all ${maxConnections} connections were busy for ${queueMs} ms: raise pool.maxConnections or timeouts.queueMs`,
  );
}
