import { TurnwireError } from '../protocol/errors/errors.js';
import type { FailureKind } from '../protocol/errors/failure-kind.js';
import type { LaneLimits } from '../protocol/limits.js';
import type { ConnectionOptions } from './connection.js';

export interface PoolSettings extends ConnectionOptions {
  maxConnections: number;
  maxAgeMs: number;
  queueMs: number;
  /** The limits of named lanes; undefined when the caller or the provider does not want them. */
  lanes: LaneLimits | undefined;
  dialLimiter?: DialLimiter | undefined;
  /** Whether a failed dial means only: no further connections for now. @default never */
  isForLoad?: ((error: TurnwireError) => boolean) | undefined;
  /** A random number in [0, 1). */
  random: () => number;
}

/** The rate of dials. */
export interface DialLimiter {
  /** Milliseconds until the next dial may begin. */
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
