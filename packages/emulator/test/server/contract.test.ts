import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, post, postJson, RawSocket, terminal } from '../wire.js';

// The rules of docs/protocol.md for servers that have no test beside their feature.

async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

const CREATE = { model: 'm', input: 'hi' };

test('P1, P2, P5: the socket is at the base URL + /responses, takes its key in the upgrade, and has no subprotocol', async (t) => {
  const { url, journal } = await start(t);
  const socket = await RawSocket.open(url, { authorization: 'Bearer sk-secret', 'openai-project': 'p' });
  assert.equal(socket.socket.protocol, '');
  assert.equal(terminal(await socket.ask(CREATE))['type'], 'response.completed');
  const [connection] = journal.connections();
  assert.deepEqual([connection?.headers['authorization'], connection?.headers['openai-project']], ['[redacted]', 'p']);
  assert.equal(JSON.stringify([connection, journal.turns()]).includes('sk-secret'), false);
});

test('P8: an upgrade on another path is refused, not redirected', async (t) => {
  const { port } = await start(t);
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  for (const path of ['/v1/responses/', '/responses', '/v1/realtime']) {
    const status = await new Promise((resolve, reject) => {
      const asked = request({ port, path, headers: { ...headers, 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' } });
      asked.once('response', (response) => {
        response.resume();
        resolve([response.statusCode, response.headers.location]);
      });
      asked.once('upgrade', () => resolve('upgraded'));
      asked.once('error', reject).end();
    });
    assert.deepEqual(status, [404, undefined], path);
  }
});

test('P40: instructions and settings of a turn come from its own create, not from the response that it continues', async (t) => {
  const socket = await RawSocket.open((await start(t)).url);
  const tools = [{ type: 'function', name: 'f', parameters: {} }];
  const first = terminal(await socket.ask({ ...CREATE, instructions: 'Be kind.', tools, temperature: 0.5 }))[
    'response'
  ];
  assert.deepEqual([first.instructions, first.tools.length, first.temperature], ['Be kind.', 1, 0.5]);
  const next = terminal(await socket.ask({ ...CREATE, previous_response_id: first.id }))['response'];
  assert.deepEqual([next.instructions, next.tools, next.temperature], [null, [], 1]);
  const { error } = terminal(await socket.ask({ input: 'x', previous_response_id: next.id }));
  assert.equal(error.param, 'model');
});

test('P56: a sparse recording is sent without the events that it lacks', async (t) => {
  const recordings = await mkdtemp(join(tmpdir(), 'turnwire-contract-'));
  t.after(() => rm(recordings, { recursive: true }));
  const lines = [
    '{"type":"response.created","response":{"id":"resp_r","status":"in_progress","output":[]}}',
    '{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"x"}',
    '{"type":"codex.rate_limits","plan":"x"}',
    '{"type":"response.completed","response":{"id":"resp_r","status":"completed","output":[]}}',
  ];
  await writeFile(join(recordings, 'sparse.jsonl'), `${lines.join('\n')}\n`);
  const socket = await RawSocket.open((await start(t, { recordings })).url);
  socket.create({ model: 'recording/sparse', input: 'x' });
  for (const line of lines) assert.equal(await socket.frame(), line);
});

test('P57, P102: every terminal event, errors included, leaves the socket open for the next turn', async (t) => {
  const script = {
    turns: [
      { text: 'One.' },
      { text: 'Cut', incomplete: 'content_filter' as const },
      { text: 'No', fail: { code: 'server_error', message: 'no' } },
    ],
  };
  const socket = await RawSocket.open((await start(t, { script })).url);
  const ends: string[] = [];
  let previous_response_id: unknown;
  for (let n = 0; n < 3; n += 1) {
    const end = terminal(await socket.ask({ ...CREATE, previous_response_id }));
    ends.push(end['type']);
    previous_response_id = end['response'].id;
  }
  ends.push(terminal(await socket.ask({ ...CREATE, top_p: 9 }))['type']);
  assert.deepEqual(ends, ['response.completed', 'response.incomplete', 'response.failed', 'error']);
  assert.equal(terminal(await socket.ask(CREATE))['type'], 'response.completed');
});

test('P62: over HTTP an error before the first event has a status, headers and a body, streaming or not', async (t) => {
  const error = { status: 429, code: 'rate_limit_exceeded', headers: { 'retry-after': '2' } };
  const { url } = await start(t, { script: { rules: [{ match: {}, reply: { error } }] } });
  for (const stream of [false, true]) {
    const response = await post(url, { ...CREATE, stream });
    assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '2']);
    assert.equal(json(await response.text())['error'].code, 'rate_limit_exceeded');
  }
});

test('P73, P98: previous_response_not_found leaves the socket usable for a full resend', async (t) => {
  const { url, journal } = await start(t);
  const socket = await RawSocket.open(url);
  const delta = { ...CREATE, store: false, previous_response_id: 'resp_unknown' };
  assert.equal(terminal(await socket.ask(delta))['error'].code, 'previous_response_not_found');
  assert.equal(terminal(await socket.ask({ ...CREATE, store: false }))['type'], 'response.completed');
  assert.deepEqual(
    journal.turns().map(({ plan, parent, transcript }) => [plan, parent, transcript.length]),
    [
      ['delta', undefined, 0],
      ['full', undefined, 1],
    ],
  );
});

test('P80: the field store of a response says whether it is stored', async (t) => {
  const { url } = await start(t);
  for (const [store, echoed] of [
    [true, true],
    [false, false],
    [undefined, true],
    [null, true],
  ]) {
    assert.equal((await postJson(url, { ...CREATE, store }))['store'], echoed);
  }
});

test('P113: openresponses does not find an unstored response that is not cached, and evicts after any failed turn', async (t) => {
  const socket = await RawSocket.open((await start(t, { dialect: 'openresponses' })).url);
  const codeOf = async (body: object) => terminal(await socket.ask({ ...CREATE, store: false, ...body }))['error'];
  const { id } = terminal(await socket.ask({ ...CREATE, store: false }))['response'];
  const refused = await codeOf({ top_p: 9 });
  assert.equal(typeof refused.code, 'string');
  assert.equal((await codeOf({ previous_response_id: id })).code, 'previous_response_not_found');
});

test('the journal has the connection, lane, plan, parent and transcript of each turn, whatever its outcome is', async (t) => {
  const { url, journal } = await start(t, { limits: { storedResponses: 3 } });
  const one = await RawSocket.open(url);
  const two = await RawSocket.open(url);
  const ask = async (socket: RawSocket, body: object) => terminal(await socket.ask({ model: 'm', ...body }));
  const full = [{ role: 'user', content: 'a' }];
  const a = (await ask(one, { stream_id: 'l', input: full, store: false }))['response'];
  const b = (await ask(one, { stream_id: 'l', input: 'b', store: false, previous_response_id: a.id }))['response'];
  // The response was evicted from the lane of its connection and is not stored, so the turn is refused before it has a context.
  await ask(one, { stream_id: 'l', input: 'x', store: false, previous_response_id: a.id });
  await ask(two, { input: 'x', store: false, previous_response_id: b.id });
  // The turn is refused after its context was made, so the journal has the context that the server would have used.
  const orphan = [{ type: 'function_call_output', call_id: 'none', output: 'x' }];
  await ask(one, { stream_id: 'l', input: orphan, store: false, previous_response_id: b.id });
  const history = [...full, ...a.output, { role: 'user', content: 'b' }, ...b.output, { role: 'user', content: 'c' }];
  await ask(two, { input: history, store: false });
  assert.deepEqual(
    journal.turns().map((turn) => [turn.connection, turn.lane, turn.plan, turn.parent?.id, turn.transcript.length]),
    [
      [1, 'l', 'full', undefined, 1],
      [1, 'l', 'delta', a.id, 3],
      [1, 'l', 'delta', undefined, 0],
      [2, undefined, 'delta', undefined, 0],
      [1, 'l', 'delta', b.id, 5],
      [2, undefined, 'full', undefined, 5],
    ],
  );
  const [, delta, , , , resent] = journal.turns();
  assert.deepEqual(resent?.transcript.slice(0, 2), delta?.transcript.slice(0, 2));
});
