import { Client } from '../../packages/client/dist/turn/client.js';
import { resolveOptions } from '../../packages/client/dist/settings.js';
import { systemClock } from '../../packages/client/dist/clock.js';
import type { ClientOptions } from '@turnwire/client';
import type { Clock } from '../../packages/client/dist/clock.js';

/** How much faster than ours its time passes. */
const factor = 10;

/** Backoffs, rests and limits are what they are, and pass in a tenth of their time. */
const quickClock: Clock = {
  ...systemClock,
  now: () => performance.now() * factor,
  tick: () => performance.now() * factor,
  after: (ms, run, options) => systemClock.after(ms / factor, run, options),
};

/** A client for which time passes quickly. */
export function quickClient(options: ClientOptions): Client {
  return new Client(resolveOptions(options, {}), quickClock);
}
