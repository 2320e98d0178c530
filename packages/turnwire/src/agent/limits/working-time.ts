import type { AgentEvent } from '../events.js';

/** Passes events on, and reports the time that passed, without the time in which the user was asked about calls. */
export async function* workingTime<Result>(
  events: AsyncGenerator<AgentEvent, Result>,
  took: (ms: number) => void,
  now: () => number = () => performance.now(),
): AsyncGenerator<AgentEvent, Result> {
  let since = now();
  let waits = false;
  const pass = (): void => {
    if (!waits) took(now() - since);
    since = now();
  };
  try {
    for (;;) {
      const step = await events.next();
      pass();
      if (step.done === true) return step.value;
      waits = step.value.type === 'tool_call_confirmation';
      yield step.value;
      // The time that the reader took with the event does not count.
      since = now();
    }
  } finally {
    await events.return(undefined as never).catch(() => undefined);
  }
}
