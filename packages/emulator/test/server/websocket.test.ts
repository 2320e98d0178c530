import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { answerTo, postJson, postSse, json, RawSocket, terminal } from '../wire.js';

async function open(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return { emulator, socket: await RawSocket.open(emulator.url, { authorization: 'Bearer sk-secret' }) };
}

test('P22: a socket carries the same events as SSE, except for ids', async (t) => {
  const { emulator, socket } = await open(t, {
    script: { rules: [{ match: {}, reply: { reasoning: 'r', text: 'a b', calls: [{ name: 'f' }] } }] },
  });
  const overSocket = await socket.ask({ model: 'm', input: 'x', stream: true });
  const overSse = (await postSse(emulator.url, { model: 'm', input: 'x' })).map(({ data }) => json(data));
  const bare = (events: unknown) =>
    JSON.stringify(events)
      .replace(/\b(resp|msg|rs|fc|call)_[0-9a-f]+/g, '$1')
      .replace(/"(created|completed)_at":\d+/g, '')
      .replace(/"cached_tokens":\d+/g, '');
  assert.equal(bare(overSocket), bare(overSse));
});

test('P70, P71: an unstored response can be continued only on its own socket, and only while it is the latest', async (t) => {
  const { emulator, socket } = await open(t);
  const ask = async (body: object) => terminal(await socket.ask({ model: 'm', store: false, ...body }));
  const first = await ask({ input: 'one' });
  const second = await ask({ input: 'two', previous_response_id: first['response']?.['id'] });
  const third = await ask({ input: 'three', previous_response_id: second['response']?.['id'] });
  assert.equal(third['type'], 'response.completed');
  const { transcript } = emulator.journal.turns().at(-1) ?? {};
  assert.deepEqual(
    transcript?.map((item) => item['role']),
    ['user', 'assistant', 'user', 'assistant', 'user'],
  );

  const old = await ask({ input: 'x', previous_response_id: first['response']?.['id'] });
  assert.deepEqual(
    [old['status'], old['error']?.['type'], old['error']?.['code'], old['error']?.['param']],
    [400, 'invalid_request_error', 'previous_response_not_found', 'previous_response_id'],
  );
  const stillThere = await ask({ input: 'four', previous_response_id: third['response']?.['id'] });
  assert.equal(stillThere['type'], 'response.completed');

  const other = await RawSocket.open(emulator.url);
  const elsewhere = terminal(
    await other.ask({ model: 'm', input: 'x', previous_response_id: stillThere['response']?.['id'] }),
  );
  assert.equal(elsewhere['error']?.['code'], 'previous_response_not_found');
  const fresh = terminal(await other.ask({ model: 'm', input: 'x', store: false }));
  assert.equal(fresh['type'], 'response.completed');
});

test('P71: a stored response can be continued on any connection, also if it is not the latest', async (t) => {
  const { emulator, socket } = await open(t, { credentials: 'shared' });
  const first = terminal(await socket.ask({ model: 'm', input: 'one' }));
  await socket.ask({ model: 'm', input: 'two', previous_response_id: first['response']?.['id'] });
  const fork = terminal(
    await socket.ask({ model: 'm', input: 'three', previous_response_id: first['response']?.['id'] }),
  );
  assert.equal(fork['type'], 'response.completed');
  const overHttp = await postJson(emulator.url, {
    model: 'm',
    input: 'four',
    previous_response_id: fork['response']?.['id'],
  });
  assert.equal(overHttp.httpStatus, 200);
  assert.deepEqual(
    emulator.journal
      .turns()
      .at(-1)
      ?.transcript.filter((item) => item['role'] === 'user')
      .map((item) => JSON.stringify(item['content']).match(/one|two|three|four/)?.[0]),
    ['one', 'three', 'four'],
  );
});

test('P72: a continuation that fails evicts the response it continued', async (t) => {
  for (const entry of [
    { error: { status: 500, times: 9 } },
    { fail: { code: 'server_error', message: 'no', times: 9 } },
  ]) {
    const { socket } = await open(t, { script: { turns: [{ text: 'a' }, entry, { text: 'b' }] } });
    const first = terminal(await socket.ask({ model: 'm', store: false, input: 'one' }));
    const again = { model: 'm', store: false, input: 'two', previous_response_id: first['response']?.['id'] };
    const failed = terminal(await socket.ask(again));
    assert.match(String(failed['type']), /^(error|response\.failed)$/);
    assert.equal(terminal(await socket.ask(again))['error']?.['code'], 'previous_response_not_found');
  }
});

test('P72, P114: an output for an unknown call is refused and evicts', async (t) => {
  const { socket } = await open(t);
  const first = terminal(await socket.ask({ model: 'm', store: false, input: 'one' }));
  const previous_response_id = first['response']?.['id'];
  const orphan = [{ type: 'function_call_output', call_id: 'call_unknown', output: 'x' }];
  const refused = terminal(await socket.ask({ model: 'm', store: false, input: orphan, previous_response_id }));
  assert.match(
    String(refused['error']?.['message']),
    /^No tool call found for function call output with call_id call_unknown/,
  );
  const gone = terminal(await socket.ask({ model: 'm', store: false, input: 'x', previous_response_id }));
  assert.equal(gone['error']?.['code'], 'previous_response_not_found');
});

test('P41: tool results continue by id; a call left without one is refused', async (t) => {
  const { socket } = await open(t, {
    script: { turns: [{ calls: [{ name: 'a' }, { name: 'b' }] }, { text: 'Done.' }] },
  });
  const first = terminal(await socket.ask({ model: 'm', input: 'go' }));
  const previous_response_id = first['response']?.['id'];
  const [a, b] = first['response']?.['output'] ?? [];
  assert.ok(a !== undefined && b !== undefined);
  const partly = terminal(await socket.ask({ model: 'm', input: [answerTo(a, '1')], previous_response_id }));
  assert.equal(partly['error']?.['message'], `No tool output found for function call ${b['call_id']}.`);
  const both = terminal(
    await socket.ask({ model: 'm', input: [answerTo(a, '1'), answerTo(b, '2')], previous_response_id }),
  );
  assert.equal(both['response']?.['output']?.[0]?.['content']?.[0]?.['text'], 'Done.');
});

test('P38: a turn with generate: false has no output, and its id can be continued', async (t) => {
  const { emulator, socket } = await open(t);
  const events = await socket.ask({ model: 'm', input: [], store: false, generate: false, instructions: 'Be kind.' });
  assert.equal(events[0]?.['type'], 'response.created');
  const warm = terminal(events);
  assert.equal(warm['type'], 'response.completed');
  assert.deepEqual(warm['response']?.['output'], []);
  const next = terminal(
    await socket.ask({ model: 'm', input: 'hi', store: false, previous_response_id: warm['response']?.['id'] }),
  );
  assert.equal(next['response']?.['output']?.[0]?.['content']?.[0]?.['text'], 'hi');
  assert.equal(emulator.journal.turns().length, 2);
});

test('P43, P75: creates sent at once are answered one after another, in order', async (t) => {
  const { socket } = await open(t);
  for (const input of ['one', 'two', 'three']) socket.create({ model: 'm', input });
  for (const input of ['one', 'two', 'three']) {
    const events = await socket.turn();
    assert.deepEqual(
      events.map((event) => event['sequence_number']),
      events.map((_, index) => index),
    );
    assert.equal(terminal(events)['response']?.['output']?.[0]?.['content']?.[0]?.['text'], input);
  }
});

test('a socket with more queued creates than its limit closes with 1008', async (t) => {
  const { socket } = await open(t, { limits: { queuedTurns: 2 }, latency: { firstTokenMs: 600_000 } });
  for (let i = 0; i < 4; i += 1) socket.create({ model: 'm', input: 'x' });
  assert.equal(await socket.closed, 1008);
});

test('P61: a frame that is not a create is answered with an error frame, and the socket stays usable', async (t) => {
  const { emulator, socket } = await open(t);
  const cases: readonly (readonly [string | Buffer, string])[] = [
    ['{', 'invalid_json'],
    ['[]', 'invalid_type'],
    ['{}', 'missing_required_parameter'],
    // P32: the protocol has no event to cancel a response.
    ['{"type":"response.cancel"}', 'invalid_value'],
    [Buffer.from('{"type":"response.create","model":"m","input":"x"}'), 'invalid_frame'],
    ['{"type":"response.create","model":"m","input":"x","background":true}', 'unsupported_parameter'],
    ['{"type":"response.create","model":"m","input":"x","stream_id":"a b"}', 'invalid_stream_id'],
    ['{"type":"response.create","input":"x"}', 'missing_required_parameter'],
  ];
  for (const [frame, code] of cases) {
    socket.socket.send(frame);
    const error = json(await socket.frame());
    assert.equal(error['type'], 'error', String(frame));
    assert.equal(error['status'], 400, String(frame));
    assert.equal(error['error']?.['code'], code, String(frame));
  }
  // P33: a server ignores this event.
  socket.socket.send('{"type":"response.processed","response_id":"resp_x"}');
  assert.equal(terminal(await socket.ask({ model: 'm', input: 'x' }))['type'], 'response.completed');
  assert.equal(emulator.journal.turns().length, cases.length + 1);
});

test('P74: a create on a socket beyond its age limit is refused, and the socket closes', async (t) => {
  const { socket } = await open(t, { limits: { connectionAgeMs: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const error = terminal(await socket.ask({ model: 'm', input: 'x' }));
  assert.deepEqual(
    [error['status'], error['error']?.['code'], error['error']?.['param']],
    [400, 'websocket_connection_limit_reached', null],
  );
  await socket.closed;
});

test('P88, P93: a frame as large as the limit closes the socket with 1009 and without an event; one byte less passes', async (t) => {
  const frameBytes = 10_000;
  const { emulator, socket } = await open(t, { limits: { frameBytes } });
  const empty = JSON.stringify({ type: 'response.create', model: 'm', input: '' }).length;
  const fits = terminal(await socket.ask({ model: 'm', input: 'x'.repeat(frameBytes - 1 - empty) }));
  assert.equal(fits['type'], 'response.completed');
  socket.create({ model: 'm', input: 'x'.repeat(frameBytes - empty) });
  assert.equal(await socket.closed, 1009);
  assert.equal(emulator.journal.turns().length, 1);
});

test('WebSocket: a client that leaves during a turn aborts the turn; close() ends a running turn at once', async (t) => {
  const { emulator, socket } = await open(t, { latency: { firstTokenMs: 600_000 } });
  socket.create({ model: 'm', input: 'x' });
  await socket.frame();
  socket.close();
  while (emulator.journal.turns()[0]?.outcome === 'running') await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');

  const other = await RawSocket.open(emulator.url);
  other.create({ model: 'm', input: 'x' });
  await other.frame();
  await emulator.close();
  await other.closed;
  await assert.rejects(fetch(`${emulator.url}/models`));
});

test('the journal has each connection with its close code, and without the key', async (t) => {
  const { emulator, socket } = await open(t);
  await socket.ask({ model: 'm', input: 'x' });
  socket.socket.close(1000, 'bye');
  await socket.closed;
  while (emulator.journal.connections()[0]?.closed === undefined)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const [connection] = emulator.journal.connections();
  assert.equal(connection?.kind, 'websocket');
  assert.equal(connection.turns, 1);
  assert.deepEqual(connection.closed, { code: 1000, reason: 'bye' });
  assert.equal(connection.headers['authorization'], '[redacted]');
  assert.deepEqual(emulator.journal.turns()[0]?.request, { type: 'response.create', model: 'm', input: 'x' });
});

test('P10: an upgrade on another path is a 404', async (t) => {
  const { emulator } = await open(t);
  const stray = new WebSocket(`ws://127.0.0.1:${emulator.port}/v1/other`);
  stray.on('error', () => undefined);
  const [, response] = await once(stray, 'unexpected-response');
  assert.equal(response.statusCode, 404);
});

test('P72: a continuation that is refused for another field evicts the response that it names', async (t) => {
  const { socket } = await open(t);
  const first = terminal(await socket.ask({ model: 'm', store: false, input: 'one' }));
  const again = { model: 'm', store: false, input: 'two', previous_response_id: first['response']?.['id'] };
  assert.equal(terminal(await socket.ask({ ...again, temperature: 'hot' }))['error']?.['code'], 'invalid_type');
  assert.equal(terminal(await socket.ask(again))['error']?.['code'], 'previous_response_not_found');
});

test('WebSocket: a turn waits for a client that does not read, and is aborted when that client dies', async (t) => {
  const { emulator, socket } = await open(t, { script: { turns: [{ text: 'word '.repeat(2_000_000) }] } });
  socket.socket.pause();
  socket.create({ model: 'm', input: 'x' });
  // While another socket is served, a turn that did not wait for its client would have ended.
  const other = await RawSocket.open(emulator.url);
  await other.ask({ model: 'm', input: 'y' });
  assert.equal(emulator.journal.turns()[0]?.outcome, 'running');
  socket.close();
  while (emulator.journal.turns()[0]?.outcome === 'running') await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');
});
