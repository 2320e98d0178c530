import type { Lifecycle } from '../../../config/schema/lifecycle.js';

/** The rules by which a server is started, restarted and given up. */
export interface LifecyclePlan {
  /** True where a run does not begin without this server. */
  required: boolean;
  /** The longest start, handshake included, in milliseconds. */
  startMs: number;
  /** The longest call, in milliseconds, however much progress it reports; undefined: the usual limits. */
  callMs: number | undefined;
  /** The restarts in a row that may fail; 0: the server is not restarted. */
  restarts: number;
  /** The wait before the next restart, after this many failed in a row, in milliseconds. */
  waitMs: (failed: number) => number;
}

/** The default of the longest start: `npx` may have to download a server first. */
const startMs = 60_000;
const defaultRestarts = 5;

/** The plan without a `lifecycle`: a server that has ended is restarted for the next call, any number of times. */
const plain: LifecyclePlan = { required: false, startMs, callMs: undefined, restarts: Infinity, waitMs: () => 0 };

/** The plan of the file: its own settings, and for the others those of its profile. */
export function planOf(lifecycle: Lifecycle | undefined, random: () => number = Math.random): LifecyclePlan {
  if (lifecycle === undefined) return plain;
  const {
    profile,
    required,
    startup_timeout: startup,
    call_timeout: call,
    restart,
    max_restarts: most,
    backoff,
  } = lifecycle;
  const restarts = (restart ?? (profile === 'resilient' ? 'on_failure' : 'never')) !== 'never';
  const { initial, max, multiplier, jitter } = backoff;
  return {
    required: required ?? profile === 'strict',
    startMs: startup || startMs,
    callMs: call || undefined,
    restarts: !restarts ? 0 : most === -1 ? Infinity : most || defaultRestarts,
    waitMs: (failed) =>
      failed === 0 ? 0 : Math.min(max, initial * multiplier ** (failed - 1)) * (1 + jitter * (2 * random() - 1)),
  };
}
