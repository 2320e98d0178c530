import type { AgentEvent } from './events.js';

/** Tells of an event; resolves once it has been read, so that who tells much waits for a slow reader. */
export type Emit = (event: AgentEvent) => Promise<void>;

/** The events of work that does not itself yield them, such as of several tools at once, and in the end what it came to. */
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
  // Its failure is told where it is awaited, which is never where the reader has left.
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
