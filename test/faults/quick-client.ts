import { Client as OwnClock } from '../../packages/client/dist/turn/client.js';
import { resolveOptions } from '../../packages/client/dist/settings/settings.js';
import { systemClock } from '../../packages/client/dist/base/clock.js';
import type { Client, ClientOptions } from '@turnwire/client';
import type { Clock } from '../../packages/client/dist/base/clock.js';

/** Backoffs, rests and limits are what they are, and pass in a fraction of their time; `leapt` have passed beside that. */
function quickClock(factor: number, leapt: () => number = () => 0): Clock {
  const begun = Date.now();
  const now = (): number => performance.now() * factor + leapt();
  return {
    now,
    // The two clocks must agree, or time would seem to jump (B6).
    wall: () => begun + (Date.now() - begun) * factor + leapt(),
    afterPendingReads: (run) => systemClock.afterPendingReads(run),
    after: (ms, run, options) => systemClock.after(ms / factor, run, options),
  };
}

/** A client for which time passes `factor` times as quickly. */
export function quickClient(options: ClientOptions, factor = 10): Client {
  return clientWith(quickClock(factor), options);
}

/** As `quickClient`, with a way to let it believe that `ms` have passed in which nothing has happened. */
export function leapingClient(options: ClientOptions, factor = 10): { client: Client; leap: (ms: number) => void } {
  let leapt = 0;
  const clock = quickClock(factor, () => leapt);
  return { client: clientWith(clock, options), leap: (ms) => void (leapt += ms) };
}

/** A clock is nothing that the public API takes: this is its class, from the modules that the bundle is made of. */
export function clientWith(clock: Clock, options: ClientOptions): Client {
  return new OwnClock(resolveOptions(options, {}), clock) as unknown as Client;
}
