import type { InputItem, TurnReport } from '@turnwire/client';
import { AgentError } from './agent-error.js';
import type { AgentEvent, TokenUsage } from './events.js';

/**
 * The work of an agent on one prompt. It goes on while it is read: by `for await`, once, or by `result()`. Leaving the loop early ends the run and its
 * running turn. A failure is an `error` event first, and is then thrown.
 */
export interface AgentRun extends AsyncIterable<AgentEvent> {
  /** The result of the run. Reads the run if nobody has begun to; rejects with the error that the run throws. */
  result(): Promise<RunResult>;
}

export interface RunResult {
  /** The text of the last turn. */
  text: string;
  turns: number;
  usage: TokenUsage;
  /** The cost in US dollars; undefined where the file does not have the prices of the models. */
  cost: number | undefined;
  /** All items of the session up to now. */
  history: readonly InputItem[];
  /** The client's report of each turn, in order. */
  reports: readonly TurnReport[];
}

/** Makes a run out of the generator that does the work. */
export function startRun(work: AsyncGenerator<AgentEvent, RunResult>): AgentRun {
  let resolve: (result: RunResult) => void;
  let reject: (reason: unknown) => void;
  const result = new Promise<RunResult>((onResult, onFailure) => {
    resolve = onResult;
    reject = onFailure;
  });
  // A reader of the events gets the failure there, and need not await the result as well.
  result.catch(() => undefined);

  let begun = false;
  async function* read(): AsyncGenerator<AgentEvent, void> {
    try {
      resolve(yield* work);
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      // Has no effect unless the reader left before the end.
      reject(new AgentError('abandoned', 'the run was left before its end'));
    }
  }
  const begin = (): AsyncGenerator<AgentEvent, void> => {
    if (begun) throw new AgentError('already_read', 'this run is being read already; a run can be read once');
    begun = true;
    return read();
  };

  return {
    [Symbol.asyncIterator]: begin,
    result() {
      if (!begun) void drain(begin());
      return result;
    },
  };
}

async function drain(events: AsyncGenerator<AgentEvent, void>): Promise<void> {
  try {
    while (!(await events.next()).done);
  } catch {
    // The result rejects with the same error.
  }
}
