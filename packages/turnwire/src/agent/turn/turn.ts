import type { InputItem, Response, ResponseEvent, TurnParams, TurnReport } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { requestFields } from '../../config/models/request-fields.js';
import type { AgentEvent } from '../events.js';
import { TextExtractor } from './text-extractor.js';
import type { SteerableTurn, Steering } from './steering.js';
import type { Tool } from '../tools/tool.js';

/** Who carries turns: a `Client`. */
export interface TurnClient {
  turn(params: TurnParams, options: { signal: AbortSignal }): CarriedTurn;
}

export interface CarriedTurn extends AsyncIterable<ResponseEvent>, SteerableTurn {
  response(): Promise<Response>;
  /** More than one where the turn was steered. @default the one */
  readonly responses?: readonly Response[];
  /** What the turn adds to the history. @default the output of its response */
  readonly added?: readonly InputItem[];
  readonly report: TurnReport;
}

export interface TurnOptions {
  client: TurnClient;
  model: Model;
  structuredOutput: Agent['structuredOutput'];
  instructions: string;
  tools: readonly Tool[];
  /** `auto`, `none`, `required`, or the name of a tool. @default not sent */
  toolChoice?: string | undefined;
  input: readonly InputItem[];
  /** Whether the provider keeps the response; undefined leaves it to the agent file, then to the provider, which does. */
  store: boolean | undefined;
  /** Who may steer it. @default nobody */
  steering?: Steering | undefined;
  signal: AbortSignal;
}

export interface TurnResult {
  /** The last one, where the turn was steered. */
  response: Response;
  responses: readonly Response[];
  added: readonly InputItem[];
  report: TurnReport;
}

/**
 * Takes the model's next turn; the caller adds it to the history. Nothing is repeated here.
 *
 * @throws what the client throws.
 */
export async function* takeTurn(options: TurnOptions): AsyncGenerator<AgentEvent, TurnResult> {
  const { client, input, signal, steering } = options;
  const turn = client.turn({ ...settings(options), input: [...input] }, { signal });
  let added: readonly InputItem[] | undefined;
  steering?.begun(turn);
  try {
    let extractor = new TextExtractor();
    let count = 0;
    for await (const event of turn) {
      // The successor of a response that was steered counts its items anew.
      if (event.type === 'response.created' && (count += 1) > 1) extractor = new TextExtractor();
      yield* extractor.event(event);
    }
    const response = await turn.response();
    yield* extractor.end(response);
    added = turn.added ?? response.output;
    return { response, responses: turn.responses ?? [response], added, report: turn.report };
  } finally {
    steering?.ended(added);
  }
}

/** All that a turn says besides its input. It travels with every turn: nothing of it is carried over by an id (P40). */
function settings({ model, structuredOutput, instructions, tools, toolChoice, store }: TurnOptions): TurnParams {
  const fields = requestFields({ model, structuredOutput });
  const stored = store ?? fields.store;
  return {
    ...fields,
    ...(instructions === '' ? {} : { instructions }),
    ...(tools.length === 0 ? {} : { tools: tools.map(definition), ...choiceOf(toolChoice) }),
    // Without the encrypted reasoning, what the provider does not store could not be sent again in full (P78).
    ...(stored === undefined ? {} : { store: stored }),
    ...(stored === false ? { include: ['reasoning.encrypted_content'] } : {}),
  };
}

function choiceOf(choice: string | undefined): TurnParams {
  if (choice === undefined) return {};
  const isKind = choice === 'auto' || choice === 'none' || choice === 'required';
  return { tool_choice: isKind ? choice : { type: 'function', name: choice } };
}

/** Not `strict`: that would make the model fill in every optional argument. */
function definition({ name, description, parameters }: Tool): Record<string, unknown> {
  return { type: 'function', name, description, parameters, strict: false };
}
