import type { AgentEvent } from './events.js';

/** Emits an event. The promise resolves once the event was read, so that fast work waits for a slow reader. */
export type Emit = (event: AgentEvent) => Promise<void>;

/**
 * Turns work that emits events into a generator of these events, whose result is that of the work. It is for work that cannot yield, such as several tools at
 * once.
 */
export async function* emitWhile<Result>(begin: (emit: Emit) => Promise<Result>): AsyncGenerator<AgentEvent, Result> {
  const waiting: { event: AgentEvent; read: () => void }[] = [];
  let wake = (): void => undefined;
  let over = false;
  let left = false;
  const work = begin(
    (event) =>
      new Promise((read) => {
        if (left) return read();
        waiting.push({ event, read });
        wake();
      }),
  ).finally(() => {
    over = true;
    wake();
  });
  // A failure is thrown where the work is awaited; after the reader has left, it is awaited nowhere.
  work.catch(() => undefined);
  try {
    for (;;) {
      const [next] = waiting;
      if (next !== undefined) {
        yield next.event;
        waiting.shift();
        next.read();
      } else if (over) {
        return await work;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    left = true;
    for (const { read } of waiting) read();
  }
}
