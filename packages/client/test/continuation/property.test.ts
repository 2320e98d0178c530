// D4, D5: whatever callers do to their histories, and whatever a server forgets, the transcript that a delta makes is the caller's input.
// Seeded: a failure names its seed, and TURNWIRE_SEED=… runs that one alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shapingFields } from '../../dist/continuation/fields.js';
import { ChainMemory } from '../../dist/continuation/memory.js';
import { snapshot } from '../../dist/json/snapshot.js';
import { call, fresh, reasoning, reply, result, text, user } from './items.js';
import { sdkHistories } from './sdk-histories.js';
import { sameTranscript } from './transcript.js';
import type { Json, JsonObject } from '../../dist/json/json.js';
import type { ChainPlan } from '../../dist/continuation/memory.js';
import type { Forms } from './transcript.js';

class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 up to, and without, `limit`: mulberry32. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** What was asked, without what may change from turn to turn. */
const shape = ({ model, tools, store }: JsonObject): string => JSON.stringify([model, tools ?? null, store ?? true]);

interface Held {
  transcript: Forms[];
  shape: string;
  stored: boolean;
  lane: number;
}

/** Holds stored responses until it forgets them, and of each lane the latest (P70, P71). */
class ModelServer {
  readonly responses = new Map<string, Held>();
  /** Made so far; what their ids are made of. */
  outputs = 0;
  readonly #latest = new Map<number, string>();
  readonly #items = new Map<string, Forms>();
  #count = 0;

  has(id: string): boolean {
    const held = this.responses.get(id);
    return held !== undefined && (held.stored || this.#latest.get(held.lane) === id);
  }

  /** Its response, or undefined where an item is referred to that it does not have. */
  answer(
    before: readonly Forms[],
    sent: readonly JsonObject[],
    output: readonly Forms[],
    params: JsonObject,
    lane: number,
  ): string | undefined {
    const resolved = sent.map((item) =>
      item['type'] === 'item_reference' ? this.#items.get(item['id'] as string) : [item],
    );
    if (resolved.includes(undefined)) return undefined;
    const id = `resp_${(this.#count += 1)}`;
    const stored = params['store'] !== false;
    const transcript = [...before, ...(resolved as Forms[]), ...output];
    this.responses.set(id, { transcript, shape: shape(params), stored, lane });
    this.#latest.set(lane, id);
    for (const forms of output) this.#items.set(text(forms[0]?.['id']), forms);
    return id;
  }
}

interface Conversation {
  history: JsonObject[];
  params: JsonObject;
  sdk: (typeof sdkHistories)[number];
  lane: number;
  /** What the last answer called, to be answered by outputs. */
  calls: string[];
}

// The last two have the same signature.
const words = ['yes', 'no', 'perhaps', 'x'.repeat(300), `${'x'.repeat(151)}y${'x'.repeat(148)}`];
const args = [
  '{}',
  '{"a":1,"b":[true]}',
  '{ "b":[true], "a":1 }',
  '{"a":12345678901234567890}',
  '{"a":12345678901234567000}',
];

function outputOf(dice: Dice, count: number): Forms[] {
  const items: Forms[] = [];
  if (dice.chance(60)) {
    const terminal = reasoning(`rs_${count}`, `terminal ${dice.below(4)}`);
    items.push(dice.chance(50) ? [terminal] : [terminal, { ...terminal, encrypted_content: `done ${dice.below(4)}` }]);
  }
  const calls = dice.chance(50) ? dice.below(3) : 0;
  for (let index = 0; index < calls; index += 1) items.push([call(`${count}_${index}`, dice.one(args))]);
  if (calls === 0)
    items.push([
      {
        ...reply(dice.one(words), `msg_${count}`),
        ...(dice.chance(30) && { phase: dice.one(['commentary', 'final_answer']) }),
      },
    ]);
  return items;
}

/** Everything else than growing: what callers do to histories. All of it on the caller's own objects. */
function disturb(dice: Dice, talk: Conversation): void {
  const { history } = talk;
  const at = dice.below(history.length);
  const item = history[at] as JsonObject;
  switch (dice.below(9)) {
    case 0: {
      const part = Array.isArray(item['content']) ? (item['content'][0] as JsonObject | undefined) : undefined;
      if (part !== undefined) part['text'] = dice.one(words);
      break;
    }
    case 1:
      if (typeof item['id'] === 'string') item['id'] = `${item['id'].split('_')[0]}_${1 + dice.below(20)}`;
      break;
    case 2:
      if ('phase' in item) item['phase'] = dice.one(['commentary', 'final_answer']);
      if (item['type'] === 'function_call') item['arguments'] = dice.one(args);
      break;
    case 3:
      history.splice(at, 1);
      break;
    case 4:
      history.splice(at, 0, ...history.splice(dice.below(history.length), 1));
      break;
    case 5:
      history.length = at;
      break;
    case 6:
      history.splice(at, 0, user(dice.one(words)));
      break;
    case 7:
      delete item[dice.one(['id', 'status', 'phase', 'summary'])];
      break;
    default:
      talk.params = {
        ...talk.params,
        ...dice.one<JsonObject>([
          { model: 'other' },
          { tools: [] },
          { store: false },
          { store: true },
          { temperature: 1 },
        ]),
      };
  }
  talk.calls = [];
  if (history.length === 0) history.push(user(dice.one(words)));
}

function grow(dice: Dice, talk: Conversation): void {
  if (talk.calls.length > 0) talk.history.push(...talk.calls.map((id) => result(id, dice.one(words))));
  else talk.history.push(dice.chance(50) ? user(dice.one(words)) : { role: 'user', content: dice.one(words) });
}

function run(seed: number, seen: Map<string, number>): void {
  const dice = new Dice(seed);
  const server = new ModelServer();
  const memory = new ChainMemory({ maxBytes: dice.one([8000, 40_000, 10_000_000]) });
  const talks: Conversation[] = [];
  for (let step = 0; step < 40; step += 1) {
    if (talks.length === 0 || (talks.length < 6 && dice.chance(20))) {
      const sdk = dice.one(sdkHistories);
      const params: JsonObject = {
        model: 'm',
        store: sdk.stored === 'only' || (sdk.stored === 'either' && dice.chance(50)),
      };
      talks.push({ history: [], params, sdk, lane: dice.below(4), calls: [] });
    }
    let talk = dice.one(talks);
    if (talk.history.length > 0 && dice.chance(10)) {
      talk = { ...talk, history: fresh(talk.history), lane: dice.below(4) };
      talks.push(talk);
    }
    if (!dice.chance(10) || talk.history.length === 0) grow(dice, talk);
    if (dice.chance(20)) disturb(dice, talk);

    const input = snapshot(talk.history) as JsonObject[];
    const fields = shapingFields(snapshot(talk.params) as JsonObject);
    const plan = memory.plan({ input, fields }, (id) => server.has(id));
    const name = plan.name === 'delta' ? 'delta' : (plan.reason.split(':')[0] ?? '');
    seen.set(name, (seen.get(name) ?? 0) + 1);
    const before = continued(server, plan, input, talk.params, seed);
    turn(dice, { talk, server, memory, input, fields, plan, before });
    for (const id of server.responses.keys()) {
      if (!dice.chance(3)) continue;
      server.responses.delete(id);
      if (dice.chance(50)) memory.forget(id);
    }
  }
}

/** What the server has before the items that are sent. This is the property. */
function continued(
  server: ModelServer,
  plan: ChainPlan,
  input: JsonObject[],
  params: JsonObject,
  seed: number,
): Forms[] {
  if (plan.name === 'full') return [];
  const parent = server.responses.get(plan.responseId);
  assert(parent !== undefined, `seed ${seed}`);
  assert(plan.from < input.length, `seed ${seed}`);
  assert.equal(parent.stored, plan.stored, `seed ${seed}`);
  assert.equal(parent.shape, shape(params), `seed ${seed}`);
  const used = [...parent.transcript, ...input.slice(plan.from).map((item): Forms => [item])];
  assert(sameTranscript(used, input), `seed ${seed}: ${JSON.stringify({ used, input })}`);
  return parent.transcript;
}

interface Turn {
  talk: Conversation;
  server: ModelServer;
  memory: ChainMemory;
  input: JsonObject[];
  fields: JsonObject;
  plan: ChainPlan;
  before: Forms[];
}

function turn(dice: Dice, { talk, server, memory, input, fields, plan, before }: Turn): void {
  if (dice.chance(8)) {
    // It failed: the server drops what was continued (P72), and nothing is committed (D8).
    if (plan.name === 'delta') server.responses.delete(plan.responseId);
    return;
  }
  const output = outputOf(dice, (server.outputs += 1));
  const sent = plan.name === 'delta' ? input.slice(plan.from) : input;
  const responseId = server.answer(before, sent, output, talk.params, talk.lane);
  if (responseId === undefined) return;
  const [terminal, done] = [output.map(([first = {}]) => first), output.map((forms) => forms.at(-1) ?? {})];
  const alternates = output.map((forms) => (forms.length > 1 ? forms[1] : undefined));
  memory.commit({
    input,
    fields,
    responseId,
    stored: talk.params['store'] !== false,
    output: fresh(terminal),
    alternates,
    plan,
  });
  const sdk = dice.chance(5) ? dice.one(sdkHistories) : talk.sdk;
  talk.history.push(
    ...output.map((_, index) => sdk.handBack(fresh(done[index] ?? {}), fresh(terminal[index] ?? {})) as JsonObject),
  );
  talk.calls = terminal.filter(({ type }) => type === 'function_call').map((item) => item['call_id'] as string);
}

describe('continuation: properties', () => {
  test('the transcript that the server uses is the input that the caller gave', () => {
    const only = process.env['TURNWIRE_SEED'];
    const seen = new Map<string, number>();
    const seeds = only === undefined ? Array.from({ length: 500 }, (_, seed) => seed) : [Number(only)];
    for (const seed of seeds) run(seed, seen);
    if (only !== undefined) return;
    // The property says nothing unless there are deltas, and each way out of them.
    const counted = JSON.stringify(Object.fromEntries<Json>(seen));
    assert((seen.get('delta') ?? 0) > 5000, counted);
    for (const reason of [
      'first_turn',
      'fields_changed',
      'history_diverged_at',
      'history_unknown',
      'chain_lost',
      'history_rewound',
    ]) {
      assert((seen.get(reason) ?? 0) > 20, counted);
    }
  });
});
