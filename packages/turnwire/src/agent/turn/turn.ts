import type { InputItem, Response, ResponseEvent, TurnParams, TurnReport } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { requestFields } from '../../config/models/request-fields.js';
import type { AgentEvent } from '../events.js';
import { TextExtractor } from './text-extractor.js';
import type { SteerableTurn, Steering } from './steering.js';
import type { Tool } from '../tools/tool.js';
import { withoutImages } from './without-images.js';

/** The client that carries turns, such as a `Client`. */
export interface TurnClient {
  turn(params: TurnParams, options: { signal: AbortSignal }): CarriedTurn;
}

export interface CarriedTurn extends AsyncIterable<ResponseEvent>, SteerableTurn {
  response(): Promise<Response>;
  /** All responses, where the turn was steered. @default its only response */
  readonly responses?: readonly Response[];
  /** The items that the turn adds to the history. @default the output of its response */
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
  /** Whether the provider stores the response. undefined: as the agent file says, else as the provider does, which stores. */
  store: boolean | undefined;
  /** Receives the turn, so that it can be steered. @default it cannot be steered */
  steering?: Steering | undefined;
  signal: AbortSignal;
}

export interface TurnResult {
  /** The response; the last one, where the turn was steered. */
  response: Response;
  responses: readonly Response[];
  added: readonly InputItem[];
  report: TurnReport;
}

/**
 * Takes the model's next turn, once. The caller adds it to the history.
 *
 * @throws what the client throws
 */
export async function* takeTurn(options: TurnOptions): AsyncGenerator<AgentEvent, TurnResult> {
  const { client, model, signal, steering } = options;
  const input = model.takesImages ? [...options.input] : withoutImages(options.input);
  const turn = client.turn({ ...settings(options), input }, { signal });
  let added: readonly InputItem[] | undefined;
  steering?.begun(turn);
  try {
    let extractor = new TextExtractor();
    let count = 0;
    for await (const event of turn) {
      // The successor of a steered response counts its items anew.
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

/** The fields of a turn other than its input. Every turn sends them, since an id does not carry them over (P40). */
function settings({ model, structuredOutput, instructions, tools, toolChoice, store }: TurnOptions): TurnParams {
  const fields = requestFields({ model, structuredOutput });
  const stored = store ?? fields.store;
  return {
    ...fields,
    ...(instructions === '' ? {} : { instructions }),
    ...(tools.length === 0 ? {} : { tools: tools.map(definition), ...choiceOf(toolChoice) }),
    // Without the encrypted reasoning, items that the provider does not store could not be sent again in full (P78).
    ...(stored === undefined ? {} : { store: stored }),
    ...(stored === false ? { include: ['reasoning.encrypted_content'] } : {}),
  };
}

function choiceOf(choice: string | undefined): TurnParams {
  if (choice === undefined) return {};
  const isKind = choice === 'auto' || choice === 'none' || choice === 'required';
  return { tool_choice: isKind ? choice : { type: 'function', name: choice } };
}

/** The definition of a tool. `strict` is false, since it would make the model fill in every optional argument. */
function definition({ name, description, parameters }: Tool): Record<string, unknown> {
  return { type: 'function', name, description, parameters, strict: false };
}
