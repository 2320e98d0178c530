import { type Response, type ResponseEvent, type TurnParams, type TurnReport, TurnwireError } from '@turnwire/client';
import type { Agent } from '../config/agent.js';
import { requestFields } from '../config/request-fields.js';
import type { AgentEvent } from './events.js';
import type { Chaining, History } from './history.js';
import { Narration } from './narration.js';
import type { Tool } from './tools/tool.js';

/** Who carries turns: a `Client`. */
export interface TurnClient {
  turn(params: TurnParams, options: { signal: AbortSignal }): CarriedTurn;
}

export interface CarriedTurn extends AsyncIterable<ResponseEvent> {
  response(): Promise<Response>;
  readonly report: TurnReport;
}

export interface TurnOptions {
  client: TurnClient;
  agent: Agent;
  tools: readonly Tool[];
  history: History;
  chaining: Chaining;
  /** Whether the provider keeps the response; undefined leaves it to the agent file, then to the provider, which does. */
  store: boolean | undefined;
  signal: AbortSignal;
}

export interface Taken {
  response: Response;
  report: TurnReport;
}

/**
 * Takes the model's next turn; the caller adds it to the history. An id that the server no longer knows is replaced by the whole history,
 * once; nothing else is repeated here: what may be sent again, and when, is the client's to decide.
 *
 * @throws what the client throws; the next turn is then sent in full.
 */
export async function* takeTurn(options: TurnOptions): AsyncGenerator<AgentEvent, Taken> {
  const { history, chaining } = options;
  const next = history.next(chaining);
  try {
    return yield* attempt(options, next);
  } catch (error) {
    history.forget();
    // Such a refusal comes before the response begins, so nothing of the turn has been told yet.
    const refused =
      error instanceof TurnwireError &&
      error.responseId === undefined &&
      error.server?.code === 'previous_response_not_found';
    if (!refused || next.previous_response_id === undefined) throw error;
    return yield* attempt(options, history.next(chaining));
  }
}

async function* attempt(options: TurnOptions, next: ReturnType<History['next']>): AsyncGenerator<AgentEvent, Taken> {
  const turn = options.client.turn({ ...settings(options), ...next }, { signal: options.signal });
  const narration = new Narration();
  for await (const event of turn) yield* narration.event(event);
  const response = await turn.response();
  yield* narration.end(response);
  return { response, report: turn.report };
}

/** All that a turn says besides its input. It travels with every turn: nothing of it is carried over by an id (P40). */
function settings({ agent, tools, store }: TurnOptions): TurnParams {
  const fields = requestFields(agent);
  const stored = store ?? fields.store;
  return {
    ...fields,
    ...(agent.instruction === '' ? {} : { instructions: agent.instruction }),
    ...(tools.length === 0 ? {} : { tools: tools.map(definition) }),
    // Without the encrypted reasoning, what the provider does not store could not be sent again in full (P78).
    ...(stored === undefined ? {} : { store: stored }),
    ...(stored === false ? { include: ['reasoning.encrypted_content'] } : {}),
  };
}

/** Not `strict`: that would make the model fill in every optional argument. */
function definition({ name, description, parameters }: Tool): Record<string, unknown> {
  return { type: 'function', name, description, parameters, strict: false };
}
