import { setTimeout as delay } from 'node:timers/promises';
import { TurnwireError } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { messageOf } from '../base/abort.js';
import type { AgentEvent } from '../events.js';
import type { ModelChoice } from '../models/model-choice.js';
import { retryClassOf } from './retry-class.js';
import { type TurnResult, takeTurn, type TurnClient, type TurnOptions } from './turn.js';

/** The wait before the second attempt, in milliseconds; each further wait is twice as long. */
const firstWait = 500;
const longestWait = 10_000;
/** The longest wait that a server may ask for, in milliseconds; a longer one is not waited for. */
const longestAskedWait = 60_000;

export interface AttemptOptions extends Omit<TurnOptions, 'client' | 'model' | 'structuredOutput' | 'input'> {
  agent: Agent;
  choice: ModelChoice;
  clientFor: (model: Model) => TurnClient;
  /** Gives the history in the form that this model can read. */
  inputFor: (model: Model) => TurnOptions['input'];
  /** Waits; rejects when the signal fires. @default setTimeout of node:timers/promises */
  wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Takes a turn with the agent's model; where that fails, takes it again, and then with the fallbacks. Events of an answer that broke off have been emitted;
 * the event that announces the next attempt says so (W14). No call of a broken answer has run.
 *
 * @throws the last failure
 */
export async function* takeTurnWithFallback(
  options: AttemptOptions,
): AsyncGenerator<AgentEvent, TurnResult & { model: Model }> {
  const { agent, choice, clientFor, inputFor, signal, wait = sleep } = options;
  const { retries, retryRateLimits } = agent.fallback;
  const models = choice.candidates();
  for (const [index, model] of models.entries()) {
    const next = models[index + 1];
    for (let attempt = 0; ; attempt += 1) {
      const told = { text: false };
      try {
        const turn = takeTurn({
          ...options,
          client: clientFor(model),
          model,
          input: inputFor(model),
          structuredOutput: agent.structuredOutput,
        });
        const taken = yield* noting(turn, told);
        choice.worked(model);
        return { ...taken, model };
      } catch (error) {
        const kind = retryClassOf(error);
        if (signal.aborted || kind === 'over' || kind === 'overflow') throw error;
        const asked = error instanceof TurnwireError ? error.retryAfterMs : undefined;
        const again = kind === 'passes' || (kind === 'rate_limit' && (retryRateLimits || next === undefined));
        const partial = told.text;
        if (again && attempt < retries && (asked ?? 0) <= longestAskedWait) {
          const ms = Math.round(asked ?? backoff(attempt));
          yield {
            type: 'turn_retried',
            model: model.name,
            attempt: attempt + 2,
            reason: messageOf(error),
            wait_ms: ms,
            partial,
          };
          await wait(ms, signal);
        } else if (next === undefined) {
          throw error;
        } else {
          yield { type: 'model_fallback', from: model.name, to: next.name, reason: messageOf(error), partial };
          break;
        }
      }
    }
  }
  throw new Error('an agent has at least one model');
}

async function* noting(
  turn: AsyncGenerator<AgentEvent, TurnResult>,
  told: { text: boolean },
): AsyncGenerator<AgentEvent, TurnResult> {
  for (;;) {
    const step = await turn.next();
    if (step.done === true) return step.value;
    if (step.value.type === 'agent_choice') told.text = true;
    yield step.value;
  }
}

/** The wait with a random change of up to a tenth, so that many agents do not come back at the same moment. */
function backoff(attempt: number): number {
  return Math.min(longestWait, firstWait * 2 ** attempt) * (0.9 + Math.random() * 0.2);
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
