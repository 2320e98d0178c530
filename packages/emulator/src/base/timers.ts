// The timers of Node.js as they are when the package is loaded. A test that replaces them by fake ones, as `jest.useFakeTimers`, `vi.useFakeTimers`
// and `mock.timers` of `node:test` do, stops the time of what is tested; the emulator in the same process goes on.
import timers from 'node:timers';
import { performance } from 'node:perf_hooks';

// These are constants, because an import would be looked up anew at each call, and find the fake one.
export const { setTimeout, clearTimeout, setImmediate } = timers;

/** The time of the machine in milliseconds, as `performance.now()` returns it. */
export const machineTime: () => number = performance.now.bind(performance);

/** Calls `run` before the event loop goes on. Unlike `queueMicrotask`, a promise is not replaced by fake timers. */
export function afterThisTick(run: () => void): void {
  void Promise.resolve().then(run);
}
