import { setImmediate } from 'node:timers';
/**
 * Work in steps, for requests of many megabytes: whoever runs it may serve others between two steps. What it returns does not depend on
 * who runs it.
 */
export type Incremental<T> = Generator<void, T>;

/** How long others wait at most, beside the length of one step. */
const longestMs = 5;

/** Runs all steps at once. */
export function runWithoutPause<T>(work: Incremental<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** Runs the steps, and lets the event loop turn whenever they have taken some milliseconds. Work of one step is done at once. */
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

/** Says when work has gone on long enough for others to have their turn. */
export class TimeSlice {
  #since = performance.now();

  /** Undefined while nobody has waited long; else resolves after a turn of the event loop. */
  yieldIfSpent(): Promise<void> | undefined {
    return performance.now() - this.#since < longestMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    this.#since = performance.now();
  }
}
