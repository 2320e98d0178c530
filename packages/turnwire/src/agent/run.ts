import type { InputItem, TurnReport } from '@turnwire/client';
import { AgentError } from './agent-error.js';
import type { AgentEvent, TokenUsage } from './events.js';

/**
 * An agent at work on one prompt. It works while it is read: by `for await`, once, or by `result()`. Leaving the loop early ends the
 * run, and the turn that is under way with it; a failure is an `error` event first and is then thrown.
 */
export interface AgentRun extends AsyncIterable<AgentEvent> {
  /** What it came to. Reads the run if nobody has begun to; rejects with what the run throws. */
  result(): Promise<RunResult>;
}

export interface RunResult {
  /** The text of the last turn. */
  text: string;
  turns: number;
  usage: TokenUsage;
  /** In US dollars; undefined where the file does not say what the models cost. */
  cost: number | undefined;
  /** All items of the session up to now. */
  history: readonly InputItem[];
  /** The client's report of each turn, in order. */
  reports: readonly TurnReport[];
}

/** A run out of the generator that does the work. */
export function startRun(work: AsyncGenerator<AgentEvent, RunResult>): AgentRun {
  let resolve: (result: RunResult) => void;
  let reject: (reason: unknown) => void;
  const result = new Promise<RunResult>((onResult, onFailure) => {
    resolve = onResult;
    reject = onFailure;
  });
  // Who reads the events learns of a failure there, and need not ask for the result as well.
  result.catch(() => undefined);

  let begun = false;
  async function* read(): AsyncGenerator<AgentEvent, void> {
    try {
      resolve(yield* work);
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      // Without effect unless the reader left before the end.
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
    // The result rejects with it.
  }
}
