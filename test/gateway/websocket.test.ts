import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf, message, setUp } from './setup.js';
import { RefusedUpgrade, TestSocket, codeOf, idOf } from './websocket-client.js';
import type { TestContext } from 'node:test';
import type { EmulatorOptions } from 'turnwire/emulator';
import type { Configured } from './setup.js';
import type { Event } from './websocket-client.js';

async function open(t: TestContext, emulated: EmulatorOptions = {}, config: Configured = {}) {
  const setup = await setUp(t, emulated, config);
  const client = await TestSocket.open(setup.gateway.url);
  t.after(() => client.socket.terminate());
  return { ...setup, client };
}

describe('gateway: a client’s WebSocket', () => {
  test('gets events unchanged, without the name of a lane that the client did not give', async (t) => {
    const { client } = await open(t);
    client.create({});
    const end = await client.end();
    assert.equal(end.type, 'response.completed');
    assert.equal(client.events[0]?.type, 'response.created');
    assert.equal(
      client.events.some((event) => 'stream_id' in event),
      false,
    );
  });

  test('continues unstored responses by their ids', async (t) => {
    const { client, emulator } = await open(t);
    client.create({ store: false });
    const first = await client.end();
    client.create({ store: false, previous_response_id: idOf(first), input: [message('More.')] });
    assert.equal((await client.end()).type, 'response.completed');
    const [, second] = emulator.journal.turns();
    assert.deepEqual([second?.plan, second?.parent?.from, second?.transcript.length], ['delta', 'connection', 3]);
  });

  test('runs lanes side by side, names them in each event, and keeps the order of each', async (t) => {
    const { client } = await open(t, { latency: { tokensPerSecond: 200 } });
    for (const stream_id of ['a', 'b', 'a']) client.create({ stream_id, input: `Of ${stream_id}: one two three.` });
    for (let ends = 0; ends < 3; ends += 1) assert.equal((await client.end()).type, 'response.completed');
    const ofA = client.events.filter((event) => event['stream_id'] === 'a').map(({ type }) => type);
    const ofB = client.events.filter((event) => event['stream_id'] === 'b');
    assert.equal(ofA.length + ofB.length, client.events.length);
    assert.equal(ofA.filter((type) => type === 'response.created').length, 2);
    assert(ofA.indexOf('response.completed') < ofA.lastIndexOf('response.created'));
    const firstOfB = client.events.findIndex((event) => event['stream_id'] === 'b');
    const endOfA = client.events.findIndex(
      (event) => event['stream_id'] === 'a' && event.type === 'response.completed',
    );
    assert(firstOfB < endOfA, 'the lanes did not run side by side');
  });

  test('refuses an invalid lane name, and one lane too many', async (t) => {
    const { client } = await open(t, {}, { limits: { lanes: 1 } });
    client.create({ stream_id: '' });
    const invalid = await client.end();
    assert.deepEqual([codeOf(invalid), invalid['stream_id']], ['invalid_stream_id', undefined]);
    client.create({ stream_id: 'a' });
    await client.end();
    client.create({ stream_id: 'b' });
    const full = await client.end();
    assert.deepEqual([codeOf(full), full['stream_id']], ['websocket_stream_limit_reached', 'b']);
  });

  test('warms up with generate: false, and continues from there', async (t) => {
    const { client, emulator } = await open(t);
    client.create({ store: false, generate: false, input: [message('A long beginning.')] });
    const warm = await client.end();
    assert.deepEqual((warm['response'] as { output: unknown[] }).output, []);
    client.create({ store: false, previous_response_id: idOf(warm), input: [message('Now.')] });
    assert.equal((await client.end()).type, 'response.completed');
    assert.equal(emulator.journal.turns()[1]?.parent?.id, idOf(warm));
  });

  test('passes on both shapes of an error, and stays open', async (t) => {
    const { client } = await open(t, {
      faults: [
        { on: { turn: 1 }, do: 'error status=429 code=rate_limit_exceeded headers={"retry-after":"7"}' },
        { on: { turn: 2 }, do: 'error shape=flat after=2 code=server_error message=Broken' },
      ],
    });
    client.create({ stream_id: 'a' });
    const nested = await client.end();
    assert.deepEqual([nested['status'], codeOf(nested), nested['stream_id']], [429, 'rate_limit_exceeded', 'a']);
    assert.deepEqual((nested['error'] as { headers: object }).headers, { 'retry-after': '7' });
    client.create({});
    const flat = await client.end();
    assert.deepEqual([flat['code'], flat['message'], 'error' in flat], ['server_error', 'Broken', false]);
    client.create({});
    assert.equal((await client.end()).type, 'response.completed');
  });

  test('names the fault of a message, and stays open', async (t) => {
    const { client } = await open(t);
    client.send('{');
    assert.equal(codeOf(await client.end()), 'invalid_json');
    client.send({ type: 'response.append' });
    assert.equal(codeOf(await client.end()), 'invalid_event_type');
    client.create({});
    assert.equal((await client.end()).type, 'response.completed');
  });

  test('takes a frame of 2 MB', async (t) => {
    const { client } = await open(t);
    client.create({ input: [message('x'.repeat(2_000_000))], max_output_tokens: 16 });
    assert.equal((await client.end()).type, 'response.incomplete');
  });

  test('is closed for a message that is larger than the limit', async (t) => {
    const { client } = await open(t, {}, { limits: { frame_bytes: 10_000 } });
    client.create({ input: 'x'.repeat(20_000) });
    assert.equal((await client.gone()).code, 1009);
  });

  test('ends the upstream turn where the client leaves', async (t) => {
    const { client, emulator } = await open(t, { faults: [{ do: 'stall after=2' }] });
    client.create({});
    await client.next();
    client.socket.terminate();
    while (emulator.journal.turns()[0]?.outcome !== 'aborted')
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
  });
});

describe('gateway: steering and interrupting', () => {
  const script: EmulatorOptions = {
    script: {
      turns: [
        { reasoning: 'Let me think of this for a while.', text: 'A long story.', pace: { tokens_per_second: 50 } },
        { text: 'In short.' },
      ],
    },
  };

  test('steers a running response: its successor comes on the same lane', async (t) => {
    const { client, emulator } = await open(t, script);
    client.create({ model: 'gpt-6', stream_id: 'a' });
    const created = await client.next(({ type }) => type === 'response.created');
    client.send({
      type: 'response.steer',
      previous_response_id: idOf(created),
      input: [{ type: 'message', role: 'user', content: 'Rather count down.' }],
    });
    const accepted = await client.next(({ type }) => type.startsWith('response.steer.'));
    assert.equal(accepted.type, 'response.steer.accepted', JSON.stringify(accepted));
    const incomplete = await client.next(({ type }) => type === 'response.incomplete');
    assert.deepEqual((incomplete['response'] as { incomplete_details: object }).incomplete_details, {
      reason: 'steered',
    });
    const successor = await client.next(({ type }) => type === 'response.created');
    assert.equal(successor['stream_id'], 'a');
    assert.equal((await client.end()).type, 'response.completed');
    assert.equal(emulator.journal.turns().length, 2);
  });

  test('refuses to steer or to inject without a running response, and ignores a late interrupt', async (t) => {
    const { client } = await open(t);
    client.send({ type: 'response.steer', previous_response_id: 'resp_no', input: 'x' });
    const steer = await client.next();
    assert.deepEqual([steer.type, codeOf(steer)], ['response.steer.failed', 'response_not_found']);
    client.send({ type: 'response.inject', response_id: 'resp_no', input: [] });
    const inject = await client.next();
    assert.deepEqual([inject.type, codeOf(inject)], ['response.inject.failed', 'response_not_found']);
    client.send({ type: 'response.interrupt', response_id: 'resp_no', mode: 'discard_partial_items' });
    client.create({});
    assert.equal((await client.next()).type, 'response.created');
  });

  test('interrupts a running response', async (t) => {
    const { client } = await open(t, script);
    client.create({ model: 'gpt-6' });
    const created = await client.next(({ type }) => type === 'response.created');
    client.send({ type: 'response.interrupt', response_id: idOf(created), mode: 'discard_partial_items' });
    const end = await client.end();
    assert.equal(end.type, 'response.incomplete', JSON.stringify(end));
    assert.deepEqual((end['response'] as { incomplete_details: object }).incomplete_details, { reason: 'interrupted' });
    client.create({});
    assert.equal((await client.end()).type, 'response.completed');
  });
});

/** What an event with a response in it says that was continued. */
function parentOf({ response }: Event): unknown[] {
  return response === undefined ? [] : [(response as { previous_response_id?: unknown }).previous_response_id];
}

describe('gateway: chains that the upstream has lost', () => {
  for (const fault of ['connection-limit after=terminal', 'end after=terminal', 'close after=terminal code=1012']) {
    test(`an unstored chain continues after ${fault}, in full`, async (t) => {
      const { client, emulator } = await open(t, { faults: [{ on: { turn: 1 }, do: fault }] });
      client.create({ store: false });
      const first = await client.end();
      client.create({ store: false, previous_response_id: idOf(first), input: [message('More.')] });
      const end = await client.end();
      assert.equal(end.type, 'response.completed', JSON.stringify(end));
      assert.equal(client.closed, undefined);
      const second = emulator.journal.turns().at(-1);
      assert.deepEqual([second?.plan, second?.transcript.length], ['full', 3]);
      // A client that checks what was continued would else ask again.
      const named = client.events.slice(client.events.indexOf(first) + 1).flatMap(parentOf);
      assert.deepEqual([named.length > 1, new Set(named)], [true, new Set([idOf(first)])]);
      client.create({ store: false, previous_response_id: idOf(end), input: [message('Again.')] });
      await client.end();
      const third = emulator.journal.turns().at(-1);
      assert.deepEqual([third?.plan, third?.transcript.length], ['delta', 5]);
    });
  }

  test('a chain that is lost with its socket before the first event is sent in full, once', async (t) => {
    const lost = 'close code=1012';
    for (const [faults, expected] of [
      [[{ on: { turn: 2 }, do: lost }], ['completed', 'aborted', 'refused', 'completed']],
      [[2, 4].map((turn) => ({ on: { turn }, do: lost })), ['completed', 'aborted', 'refused', 'aborted']],
    ] as const) {
      const { client, emulator } = await open(t, { faults: [...faults] });
      client.create({ store: false });
      const first = await client.end();
      client.create({ store: false, previous_response_id: idOf(first), input: [message('More.')] });
      const end = await client.end();
      if (expected[3] === 'completed') assert.equal(end.type, 'response.completed', JSON.stringify(end));
      else assert.equal(codeOf(end), 'turn_outcome_unknown');
      assert.deepEqual(
        emulator.journal.turns().map(({ outcome }) => outcome),
        expected,
      );
    }
  });

  test('a response that the upstream has forgotten is replaced by a full request before any event is handed over', async (t) => {
    const { client, emulator } = await open(t, { faults: [{ on: { turn: 2 }, do: 'forget' }] });
    client.create({ store: true });
    const first = await client.end();
    client.create({ store: true, previous_response_id: idOf(first), input: [message('More.')] });
    assert.equal((await client.end()).type, 'response.completed');
    assert.deepEqual(
      emulator.journal.turns().map(({ outcome, plan }) => [outcome, plan]),
      [
        ['completed', 'full'],
        ['refused', 'delta'],
        ['completed', 'full'],
      ],
    );
  });

  test('store: false continues by id over plain HTTP', async (t) => {
    const { ask, emulator } = await setUp(t, { faults: [{ on: { turn: 2 }, do: 'end after=terminal' }] });
    let previous: string | undefined;
    for (let turn = 0; turn < 4; turn += 1) {
      const response = await ask({
        store: false,
        input: [message(`Turn ${turn}.`)],
        ...(previous !== undefined && { previous_response_id: previous }),
      });
      assert.equal(response.status, 200, await response.clone().text());
      const { id, previous_response_id: parent } = (await response.json()) as Record<string, string | null>;
      assert.equal(parent ?? undefined, previous);
      previous = id ?? undefined;
      assert.equal(emulator.journal.turns().at(-1)?.transcript.length, 2 * turn + 1);
    }
  });

  test('with restore: off no history is kept', async (t) => {
    const { ask } = await setUp(t, { faults: [{ on: { turn: 1 }, do: 'end after=terminal' }] }, { restore: 'off' });
    const { id } = (await (await ask({ store: false })).json()) as { id: string };
    const second = await ask({ store: false, previous_response_id: id, input: [message('More.')] });
    assert.equal(second.status, 400);
    assert.equal((await errorOf(second))['code'], 'previous_response_not_found');
  });

  test('histories are not used for another credential', async (t) => {
    const { ask } = await setUp(t, {}, {});
    const { id } = (await (await ask({ store: false })).json()) as { id: string };
    const second = await ask(
      { store: false, previous_response_id: id, input: [message('More.')] },
      { headers: { authorization: 'Bearer sk-of-another' } },
    );
    assert.equal((await errorOf(second))['code'], 'previous_response_not_found');
  });
});

describe('gateway: upgrades', () => {
  test('are refused with an error in the API’s format', async (t) => {
    const { gateway } = await setUp(t);
    const refused = await TestSocket.open(gateway.url, { origin: 'https://evil.example' }).catch(
      (error: unknown) => error,
    );
    assert(refused instanceof RefusedUpgrade);
    assert.equal(refused.status, 403);
    assert.match(await refused.body, /"code":"forbidden"/);
  });

  test('are limited to a number a second, with Retry-After', async (t) => {
    const { gateway } = await setUp(t, {}, { limits: { upgrades_per_second: 2 } });
    const opened = await Promise.allSettled(Array.from({ length: 10 }, () => TestSocket.open(gateway.url)));
    const refused = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason as RefusedUpgrade] : []));
    for (const one of opened) if (one.status === 'fulfilled') one.value.socket.terminate();
    assert(refused.length >= 4);
    for (const { status, headers } of refused) assert.deepEqual([status, headers['retry-after']], [429, '1']);
  });
});
