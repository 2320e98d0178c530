import { digest } from '../model/service.js';
import type { Client, ResponseEvent, Turn, TurnwireError } from '@turnwire/client';
import type { Json } from '../server/events.js';
import type { Blame } from './blame.js';
import type { Tally } from './tally.js';
import type { Random } from './random.js';

export interface ConversationOptions {
  client: Client;
  name: string;
  turns: number;
  random: (...name: readonly (string | number)[]) => Random;
  tally: Tally;
  effects: Map<string, number>;
  blame: Blame;
}

/** How often its caller asks again for what has failed, before it gives up on the question. */
const mostRetries = 3;

/**
 * A caller as agents are: hands over the whole history each time, runs the tools it is asked to run, asks again when a turn fails, changes
 * its mind about what was said, gives up in the middle.
 */
export async function converse(options: ConversationOptions): Promise<void> {
  const { name, turns, random } = options;
  const store = random(name).chance(0.3);
  let history: Json[] = [];
  for (let index = 0; index < turns; index += 1) {
    const dice = random(name, index);
    history = revised(history, dice);
    const question = `${name} ${index}${dice.chance(0.25) ? ', use the tool' : ''}`;
    if (history.at(-1)?.['type'] !== 'function_call_output') history.push({ role: 'user', content: question });
    const output = await ask(options, `${name}.${index}`, history, store, dice);
    // A question that nobody has answered is taken back: what came of it, nobody can tell.
    if (output === undefined) history.splice(history.findLastIndex(({ role }) => role === 'user'));
    else history.push(...output, ...runTools(output, options.effects));
  }
}

async function ask(
  { client, tally, blame, name }: ConversationOptions,
  mark: string,
  history: readonly Json[],
  store: boolean,
  dice: Random,
): Promise<Json[] | undefined> {
  const instructions = dice.chance(0.1) ? `be brief in ${mark}` : `you are ${name}`;
  const leaves = dice.chance(0.05) ? 1 + dice.below(4) : undefined;
  // Left to `auto` alone, most turns would go by SSE: the breaker rests after each refused upgrade.
  const transport = dice.chance(0.15) ? 'sse' : dice.chance(0.6) ? 'websocket' : 'auto';
  for (let retry = 0; retry <= mostRetries; retry += 1) {
    const marked = `${mark}.${retry}`;
    const params = {
      model: 'test',
      instructions,
      store,
      tools: [{ type: 'function', name: 'tool', parameters: {} }],
      metadata: { mark: marked },
      input: structuredClone(history) as never,
    };
    const turn = client.turn(params, { transport });
    blame.begun(marked, turn);
    const result = await read(turn, retry === 0 ? leaves : undefined);
    tally.turn(turn.report);
    if ('left' in result) tally.left += 1;
    else if ('error' in result) {
      tally.surfaced(result.error.code);
      if (!blame.explains(marked)) tally.lost.push(`${marked}: ${result.error.code}: ${result.error.message}`);
    } else {
      check(result, marked, history, tally);
      return result.output;
    }
    if ('left' in result) return undefined;
  }
  return undefined;
}

type Result = { text: string; deltas: string; output: Json[] } | { left: true } | { error: TurnwireError };

/** Leaves after so many events, if it is told to. */
async function read(turn: Turn, leaves: number | undefined): Promise<Result> {
  let deltas = '';
  let count = 0;
  try {
    for await (const event of turn as AsyncIterable<ResponseEvent & { delta?: string }>) {
      if (event.type === 'response.output_text.delta') deltas += event.delta;
      count += 1;
      if (count === leaves && event.type !== 'response.completed') return { left: true };
    }
    const response = await turn.response();
    return { text: await turn.text(), deltas, output: response.output as unknown as Json[] };
  } catch (error) {
    return { error: error as TurnwireError };
  }
}

/** The service names in its answer what it was answered from. */
function check(
  { text, deltas, output }: Exclude<Result, { left: true } | { error: unknown }>,
  mark: string,
  history: readonly Json[],
  tally: Tally,
): void {
  if (output.some(({ type }) => type === 'function_call')) return;
  if (text === '') tally.lost.push(`${mark}: a success without a text`);
  else if (!text.endsWith(` to ${digest(history)}`)) tally.mixedUp.push(`${mark}: ${text}`);
  else if (deltas !== text) tally[deltas.length > text.length ? 'doubled' : 'lost'].push(`${mark}: ${deltas}`);
}

function runTools(output: readonly Json[], effects: Map<string, number>): Json[] {
  return output
    .filter(({ type }) => type === 'function_call')
    .map(({ call_id: call }) => {
      effects.set(String(call), (effects.get(String(call)) ?? 0) + 1);
      return { type: 'function_call_output', call_id: call, output: `done ${String(call)}` };
    });
}

/** Rewound, edited in an older place, or cut at its beginning; at most times as it is. */
function revised(history: readonly Json[], dice: Random): Json[] {
  const questions = history.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
  if (questions.length < 2 || !dice.chance(0.15)) return [...history];
  const at = dice.of(questions);
  switch (dice.below(3)) {
    case 0:
      return history.slice(0, at);
    case 1:
      return history.map((item, index) =>
        index === at ? { ...item, content: `${String(item['content'])}, or not` } : item,
      );
    default:
      return history.slice(at);
  }
}
