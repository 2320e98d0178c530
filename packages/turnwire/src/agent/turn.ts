import type { InputItem, Response, ResponseEvent, TurnParams, TurnReport } from '@turnwire/client';
import type { Agent } from '../config/agent.js';
import type { Model } from '../config/model.js';
import { requestFields } from '../config/request-fields.js';
import type { AgentEvent } from './events.js';
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
  model: Model;
  structuredOutput: Agent['structuredOutput'];
  instructions: string;
  tools: readonly Tool[];
  input: readonly InputItem[];
  /** Whether the provider keeps the response; undefined leaves it to the agent file, then to the provider, which does. */
  store: boolean | undefined;
  signal: AbortSignal;
}

export interface Taken {
  response: Response;
  report: TurnReport;
}

/**
 * Takes the model's next turn; the caller adds it to the history. Nothing is repeated here.
 *
 * @throws what the client throws.
 */
export async function* takeTurn(options: TurnOptions): AsyncGenerator<AgentEvent, Taken> {
  const { client, input, signal } = options;
  const turn = client.turn({ ...settings(options), input: [...input] }, { signal });
  const narration = new Narration();
  for await (const event of turn) yield* narration.event(event);
  const response = await turn.response();
  yield* narration.end(response);
  return { response, report: turn.report };
}

/** All that a turn says besides its input. It travels with every turn: nothing of it is carried over by an id (P40). */
function settings({ model, structuredOutput, instructions, tools, store }: TurnOptions): TurnParams {
  const fields = requestFields({ model, structuredOutput });
  const stored = store ?? fields.store;
  return {
    ...fields,
    ...(instructions === '' ? {} : { instructions }),
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
