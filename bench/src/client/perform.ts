import { eventsOf, modelOf, serverMs } from '../server/answer.js';
import { delta } from './delta.js';
import { median, percentile } from '../report/statistics.js';
import type { Conversation, Driver } from './adapter.js';
import type { Exercise, ExerciseOf, Measured } from './exercise.js';
import type { Answer } from '../server/answer.js';

/** @param warm to be called at the end of the warm-up; exercises without a warm-up, or with several, do not call it. */
export async function perform(driver: Driver, exercise: Exercise, warm: () => Promise<void>): Promise<Measured> {
  switch (exercise.kind) {
    case 'events':
      return events(driver, exercise, warm);
    case 'burst':
      return burst(driver, exercise, warm);
    case 'loop':
      return loop(driver, exercise, warm);
    case 'pause':
      return pause(driver, exercise);
    case 'connections':
      return connections(driver, exercise);
    case 'delta':
      return delta(driver, exercise);
    default:
      throw new Error(`no client performs ${exercise.kind}`);
  }
}

async function events(driver: Driver, exercise: ExerciseOf<'events'>, warm: () => Promise<void>): Promise<Measured> {
  const { answer, warmUpMs, measureMs } = exercise;
  const conversations = await conversationsFor(driver, exercise.conversations);
  // A whole paced turn takes longer than the warm-up, so events are counted one by one.
  let seen = 0;
  let turns = 0;
  const stopping = new AbortController();
  const ask = async (conversation: Conversation): Promise<void> => {
    while (!stopping.signal.aborted) {
      await checkedTurn(conversation, answer, () => (seen += 1));
      turns += 1;
    }
  };
  const all = Promise.all(conversations.map(ask));
  const span = async (ms: number): Promise<{ cpuUs: number; seen: number; turns: number; ms: number }> => {
    const before = { cpu: process.cpuUsage(), seen, turns, at: performance.now() };
    await Promise.race([all, elapsed(ms)]);
    const { user, system } = process.cpuUsage(before.cpu);
    return {
      cpuUs: user + system,
      seen: seen - before.seen,
      turns: turns - before.turns,
      ms: performance.now() - before.at,
    };
  };
  await span(warmUpMs);
  await warm();
  const measured = await span(measureMs);
  stopping.abort();
  await all;
  // Some clients make more or fewer events out of those of the wire: the wire's are counted.
  const perTurn = seen / Math.max(1, turns);
  const wireEvents = (measured.seen / perTurn) * eventsOf(answer);
  return {
    cpuUsPerEvent: measured.cpuUs / wireEvents,
    eventsPerSecond: (wireEvents / measured.ms) * 1000,
  };
}

async function burst(driver: Driver, exercise: ExerciseOf<'burst'>, warm: () => Promise<void>): Promise<Measured> {
  const { answer, warmUpMs, measureMs } = exercise;
  const conversations = await conversationsFor(driver, exercise.conversations);
  const once = (): Promise<number[]> =>
    Promise.all(
      conversations.map(async (conversation) => {
        const begun = performance.now();
        let first: number | undefined;
        await checkedTurn(conversation, answer, () => (first ??= performance.now() - begun));
        return first ?? NaN;
      }),
    );
  const warmAt = performance.now() + warmUpMs;
  while (performance.now() < warmAt) await once();
  await warm();
  const times: number[] = [];
  const end = performance.now() + measureMs;
  while (performance.now() < end) times.push(...(await once()));
  return { firstEventP50Ms: percentile(times, 50), firstEventP99Ms: percentile(times, 99) };
}

async function loop(driver: Driver, exercise: ExerciseOf<'loop'>, warm: () => Promise<void>): Promise<Measured> {
  const { answer, turns, resultBytes, warmUpLoops, loops } = exercise;
  const model = modelOf(answer);
  const result = 'x'.repeat(resultBytes);
  const once = async (): Promise<{ cpuMs: number; ms: number; turnMs: number[] }> => {
    // Some clients dial here, and others in their first turn: the time of a loop includes the dial in both cases.
    const begun = performance.now();
    const conversation = await driver.conversation();
    const cpu = process.cpuUsage();
    const turnMs: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      const at = performance.now();
      // Each result differs from the others, as the results of real tools do.
      await conversation.next(model, `${turn} ${result}`, () => {});
      turnMs.push(performance.now() - at);
    }
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1000, ms: performance.now() - begun, turnMs };
  };
  for (let count = 0; count < warmUpLoops; count += 1) await once();
  await warm();
  const done = [];
  for (let count = 0; count < loops; count += 1) done.push(await once());
  return {
    loops: warmUpLoops + loops,
    cpuMs: median(done.map(({ cpuMs }) => cpuMs)),
    loopMs: median(done.map(({ ms }) => ms)),
    beyondServerMs: median(done.map(({ ms }) => ms)) - turns * serverMs(answer),
    lastToFirst: median(done.map(({ turnMs }) => (turnMs.at(-1) ?? NaN) / (turnMs[0] ?? NaN))),
  };
}

async function pause(driver: Driver, { answer, pauseMs }: ExerciseOf<'pause'>): Promise<Measured> {
  const conversation = await driver.conversation();
  const first = async (): Promise<number> => {
    const begun = performance.now();
    let ms: number | undefined;
    await checkedTurn(conversation, answer, () => (ms ??= performance.now() - begun));
    return ms ?? NaN;
  };
  // Node's fetch opens a second connection for a turn that follows the first at once. The third turn finds both connections idle.
  await first();
  await first();
  const warm = await first();
  await elapsed(pauseMs);
  return { warmMs: warm, afterPauseMs: await first() };
}

async function connections(
  driver: Driver,
  { answer, connections: count }: ExerciseOf<'connections'>,
): Promise<Measured> {
  const open = async (): Promise<Conversation> => {
    const conversation = await driver.conversation();
    await checkedTurn(conversation, answer, () => {});
    return conversation;
  };
  // The first connection does not count, since code is loaded and compiled for it.
  const kept = [await open()];
  collect();
  const before = process.memoryUsage.rss();
  const begun = performance.now();
  kept.push(...(await Promise.all(Array.from({ length: count - 1 }, open))));
  const ms = performance.now() - begun;
  collect();
  await elapsed(200);
  collect();
  return {
    rssKbPerConnection: (process.memoryUsage.rss() - before) / 1024 / (kept.length - 1),
    connectionsPerSecond: ((kept.length - 1) / ms) * 1000,
  };
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('this exercise needs node --expose-gc');
  globalThis.gc();
}

async function checkedTurn(conversation: Conversation, answer: Answer, onEvent: () => void): Promise<void> {
  const events = await conversation.once(modelOf(answer), onEvent);
  // A client that loses events would look like the fastest.
  if (events < answer.events) throw new Error(`${events} events came of ${answer.events}`);
}

function conversationsFor(driver: Driver, count: number): Promise<Conversation[]> {
  return Promise.all(Array.from({ length: count }, () => driver.conversation()));
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
