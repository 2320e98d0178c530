import { modelOf } from '../server/answer.js';
import { random, words } from '../server/random.js';
import type { Driver } from './adapter.js';
import type { ExerciseOf, Measured } from './exercise.js';

/**
 * The cost of finding the new part of a request: the CPU of turns that are given their whole history, less that of the same turns chained by hand, divided by
 * that of one pass over the same bytes.
 */
export async function delta(driver: Driver, exercise: ExerciseOf<'delta'>): Promise<Measured> {
  const { bare } = driver;
  if (bare === undefined) throw new Error('this client finds no delta');
  const { answer, historyBytes, newBytes, sharedBytes, chains, turns } = exercise;
  const model = modelOf(answer);
  const next = random(1);
  const shared = itemsOf(next, sharedBytes);
  for (let chain = 0; chain < chains; chain += 1) {
    await bare.run(bare.prepare({ model, input: [...shared, user(`${chain} ${words(next, 1000)}`)] }));
  }

  const history: object[] = [...shared, ...itemsOf(next, historyBytes - sharedBytes)];
  let last = await bare.run(bare.prepare({ model, input: history }));
  let chained = last;
  const sum = { whole: 0, chained: 0, pass: 0 };
  // The first turns compile the code that the others run.
  for (let turn = -warmUpTurns; turn < turns; turn += 1) {
    const more = words(next, newBytes);
    history.push(...last.output, resultFor(last.output, more));
    const whole = bare.prepare({ model, input: [...history] });
    const short = bare.prepare({ model, previous_response_id: chained.id, input: [resultFor(chained.output, more)] });
    const used = { pass: await cpuOf(() => bare.yardstick(whole)), whole: 0, chained: 0 };
    const runs = [
      async () => (used.whole = await cpuOf(async () => (last = await bare.run(whole)))),
      async () => (used.chained = await cpuOf(async () => (chained = await bare.run(short)))),
    ];
    // The pass leaves garbage as large as the history, whose collection the next run pays for. So each of the two runs first in every other turn.
    for (const run of turn % 2 === 0 ? runs : runs.toReversed()) await run();
    if (turn < 0) continue;
    sum.whole += used.whole;
    sum.chained += used.chained;
    sum.pass += used.pass;
  }
  const deltaUs = Math.max(0, sum.whole - sum.chained) / turns;
  return { ofYardstick: deltaUs / (sum.pass / turns), deltaMs: deltaUs / 1000 };
}

const warmUpTurns = 10;

/** The CPU time of a run in microseconds, user and system. */
async function cpuOf(run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function user(content: string): object {
  return { role: 'user', content };
}

function resultFor(output: readonly object[], text: string): object {
  const [call] = output;
  const id = call !== undefined && 'call_id' in call ? call.call_id : undefined;
  return { type: 'function_call_output', call_id: id, output: text };
}

/** Messages of 4 KB. */
function itemsOf(next: () => number, bytes: number): object[] {
  return Array.from({ length: Math.ceil(bytes / 4000) }, () => user(words(next, 4000)));
}
