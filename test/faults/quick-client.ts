import { Client } from '../../packages/client/dist/turn/client.js';
import { resolveOptions } from '../../packages/client/dist/settings.js';
import { systemClock } from '../../packages/client/dist/clock.js';
import type { ClientOptions } from '@turnwire/client';
import type { Clock } from '../../packages/client/dist/clock.js';

/** Backoffs, rests and limits are what they are, and pass in a fraction of their time; `leapt` have passed beside that. */
function quickClock(factor: number, leapt: () => number = () => 0): Clock {
  const begun = Date.now();
  const now = (): number => performance.now() * factor + leapt();
  return {
    now,
    tick: now,
    // The two clocks must agree, or time would seem to jump (B6).
    wall: () => begun + (Date.now() - begun) * factor + leapt(),
    after: (ms, run, options) => systemClock.after(ms / factor, run, options),
  };
}

/** A client for which time passes `factor` times as quickly. */
export function quickClient(options: ClientOptions, factor = 10): Client {
  return new Client(resolveOptions(options, {}), quickClock(factor));
}

/** As `quickClient`, with a way to let it believe that `ms` have passed in which nothing has happened. */
export function leapingClient(options: ClientOptions, factor = 10): { client: Client; leap: (ms: number) => void } {
  let leapt = 0;
  const clock = quickClock(factor, () => leapt);
  return { client: new Client(resolveOptions(options, {}), clock), leap: (ms) => void (leapt += ms) };
}
