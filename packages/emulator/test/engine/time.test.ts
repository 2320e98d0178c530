import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ManualClock, startEmulator, type Clock, type EmulatorOptions } from '../../dist/index.js';
import { EventPacer } from '../../dist/engine/event-pacer.js';
import { seededRandom } from '../../dist/base/random.js';
import { postSse, RawSocket, terminal, until } from '../wire.js';

const EVENTS = [
  'response.created',
  'response.in_progress',
  'response.output_item.added',
  'a.delta',
  'b.delta',
  'c.delta',
];

/** The time of the clock at which each event is sent. */
async function times(pace: ConstructorParameters<typeof EventPacer>[0]['pace'], seed = 's', uncachedTokens = 0) {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const pacer = new EventPacer({ pace, uncachedTokens, clock, seed, signal });
  const out: number[] = [];
  for (const type of EVENTS) {
    const wait = pacer.waitBefore(type);
    while (clock.waiting > 0) await clock.advance(1);
    await wait;
    out.push(clock.now());
  }
  return out;
}

test('latency: the first item waits for the first token, each delta for its own', async () => {
  assert.deepEqual(await times({}), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(await times({ first_token_ms: 300 }), [0, 0, 300, 300, 300, 300]);
  assert.deepEqual(await times({ tokens_per_second: 50 }), [0, 0, 0, 20, 40, 60]);
  assert.deepEqual(await times({ first_token_ms: 300, tokens_per_second: 50 }), [0, 0, 300, 320, 340, 360]);
});

test('latency: each 1,000 input tokens that are not cached delay the first item', async () => {
  assert.deepEqual(await times({ ms_per_1000_uncached_tokens: 200 }, 's', 2500), [0, 0, 500, 500, 500, 500]);
});

test('latency: jitter stays in its range, and is the same for the same seed', async () => {
  const pace = { first_token_ms: 1000, tokens_per_second: 1, jitter: 0.5 };
  const one = await times(pace, 'one');
  assert.deepEqual(await times(pace, 'one'), one);
  assert.notDeepEqual(await times(pace, 'two'), one);
  for (const [index, at] of one.entries()) {
    const wait = at - (one[index - 1] ?? 0);
    // The clock moves in milliseconds, so a wait may end a little late.
    if (index >= 2) assert.ok(wait >= 499 && wait <= 1501, String(wait));
  }
  const random = seededRandom('x');
  const drawn = Array.from({ length: 10_000 }, random);
  assert.ok(drawn.every((each) => each >= 0 && each < 1));
  const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length;
  assert.ok(mean > 0.48 && mean < 0.52, String(mean));
});

async function open(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return { emulator, socket: await RawSocket.open(emulator.url) };
}

test('a manual clock holds each event back until its time is reached', async (t) => {
  const clock = new ManualClock();
  const { socket } = await open(t, { clock, latency: { firstTokenMs: 500 } });
  socket.create({ model: 'm', input: 'x' });
  await until(socket, ({ type }) => type === 'response.in_progress');
  await clock.advance(499);
  let early = 0;
  socket.socket.on('message', () => (early += 1));
  // A pong arrives after all frames that were sent before it.
  const pong = once(socket.socket, 'pong');
  socket.socket.ping();
  await pong;
  assert.equal(early, 0);
  await clock.advance(1);
  assert.equal(terminal(await socket.turn())['type'], 'response.completed');
  await assert.rejects(clock.advance(-1), /does not go back/);
});

test('latency: the input tokens of a turn that are cached do not delay it', async (t) => {
  const clock = new ManualClock();
  const { socket } = await open(t, { clock, latency: { msPer1000UncachedTokens: 1_000_000 } });
  const ask = async (body: object) => {
    socket.create({ model: 'm', ...body });
    await until(socket, ({ type }) => type === 'response.in_progress');
    const begun = clock.now();
    while (clock.waiting > 0) await clock.advance(1000);
    const { response } = terminal(await socket.turn());
    const { input_tokens, input_tokens_details } = response.usage;
    return { response, waited: clock.now() - begun, uncached: input_tokens - input_tokens_details.cached_tokens };
  };
  const first = await ask({ input: 'x'.repeat(4000) });
  assert.equal(first.waited, first.uncached * 1000);
  const second = await ask({ input: 'short', previous_response_id: first.response.id });
  assert.equal(second.waited, second.uncached * 1000);
  assert.ok(second.waited < first.waited / 10);
});

test('the option clock: { speed } makes time run faster', async (t) => {
  const { emulator } = await open(t, { clock: { speed: 10_000 }, latency: { firstTokenMs: 3_600_000 } });
  const events = await postSse(emulator.url, { model: 'm', input: 'x' });
  assert.equal(events.at(-1)?.event, 'response.completed');
});

test('the option clock takes any object with now and after', async (t) => {
  const asked: number[] = [];
  const clock: Clock = {
    now: () => 0,
    after(ms, fire) {
      asked.push(ms);
      queueMicrotask(fire);
      return () => undefined;
    },
  };
  const { socket } = await open(t, { clock, latency: { firstTokenMs: 70 } });
  await socket.ask({ model: 'm', input: 'x' });
  assert.ok(asked.includes(70));
});

test('an option with a slip is refused with the name that was probably meant', async () => {
  const slips = [
    [{ fault: [] }, /no option "fault"; did you mean "faults"\.$/],
    [{ latency: { firstTokn: 3 } }, /did you mean "firstTokenMs"\.$/],
    [{ limits: { lane: 3 } }, /did you mean "lanes"\.$/],
    [{ replay: { fil: 'x' } }, /did you mean "file"\.$/],
    [{ clock: { now: 1, sped: 2 } }, /option "clock"/],
    [{ dialect: 'azur' }, /did you mean "azure"\.$/],
  ] as const;
  for (const [options, message] of slips)
    await assert.rejects(startEmulator(options as unknown as EmulatorOptions), message);
});

test('invalid clocks and latencies are refused', async () => {
  const wrong = [
    [{ clock: { speed: 0 } }, /option "clock/],
    [{ clock: { now: 5 } }, /option "clock/],
    [{ latency: { jitter: 2 } }, /option "latency.jitter"/],
    [{ latency: { firstTokenMS: 2 } }, /no option "latency.firstTokenMS"/],
  ] as const;
  for (const [options, message] of wrong) await assert.rejects(startEmulator(options as EmulatorOptions), message);
});
