import { machineTime, setImmediate } from './timers.js';

/**
 * Work that is done in steps, for requests of many megabytes. Between two steps the event loop may serve other connections. The result is
 * the same, whether the steps run at once or with pauses.
 */
export type Incremental<T> = Generator<void, T>;

/** How long work goes on, in milliseconds, before the event loop turns. One step may exceed it. */
const sliceMs = 5;

/** Runs all steps at once. */
export function runWithoutPause<T>(work: Incremental<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** Runs the steps, and lets the event loop turn after each `sliceMs` milliseconds. Work of one step is done at once, without a promise. */
export function runInSteps<T>(work: Incremental<T>): T | Promise<T> {
  const slice = new TimeSlice();
  const first = work.next();
  return first.done === true ? first.value : remainingSteps(work, slice);
}

async function remainingSteps<T>(work: Incremental<T>, slice: TimeSlice): Promise<T> {
  for (;;) {
    await slice.yieldIfSpent();
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** The time that work may take before the event loop has to turn. */
export class TimeSlice {
  #since = machineTime();

  /** Undefined while the time slice lasts. Afterwards: a promise that resolves after one turn of the event loop, when a new slice begins. */
  yieldIfSpent(): Promise<void> | undefined {
    return machineTime() - this.#since < sliceMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await eventLoopTurn();
    this.#since = machineTime();
  }
}

/** Resolves after one turn of the event loop. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
