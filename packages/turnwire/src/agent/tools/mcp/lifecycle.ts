import type { Lifecycle } from '../../../config/schema/lifecycle.js';

/** How a server is started, kept and given up. */
export interface LifecyclePlan {
  /** Whether a run without this server does not begin. */
  required: boolean;
  /** From its start to the end of its introduction, in milliseconds. */
  startMs: number;
  /** For one call, in milliseconds, however much progress it tells of; undefined: the usual limits. */
  callMs: number | undefined;
  /** Attempts to start it anew, one after another, that may fail; 0: it is not started anew. */
  restarts: number;
  /** Before the next attempt, when so many have failed one after another, in milliseconds. */
  waitMs: (failed: number) => number;
}

/** `npx` may have to download a server first. */
const startMs = 60_000;
const defaultRestarts = 5;

/** Without a `lifecycle`: a server that has ended is started anew for the next call, and for the one after it. */
const plain: LifecyclePlan = { required: false, startMs, callMs: undefined, restarts: Infinity, waitMs: () => 0 };

/** What the file says, over what its profile says. */
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
