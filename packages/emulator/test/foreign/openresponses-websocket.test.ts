import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startEmulator } from '../../dist/index.js';
import { post, RawSocket, terminal, type Json } from '../wire.js';

// The assertions of the seven WebSocket tests of the OpenResponses compliance suite (P114), written after its description.

async function open(t: { after(fn: () => Promise<void>): void }) {
  const emulator = await startEmulator({ dialect: 'openresponses' });
  t.after(() => emulator.close());
  return { emulator, dial: () => RawSocket.open(emulator.url, { authorization: 'Bearer x' }) };
}

const user = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const create = (input: readonly object[], more: object = {}) => ({ model: 'm', store: false, input, ...more });

async function completed(socket: RawSocket, body: object): Promise<Json> {
  const events = await socket.ask(body);
  const { type, response } = terminal(events);
  assert.equal(type, 'response.completed', JSON.stringify(terminal(events)));
  assert.equal(response.status, 'completed');
  assert.ok(response.output.length > 0);
  return response;
}

async function notFound(socket: RawSocket, body: object): Promise<void> {
  const { type, status, error } = terminal(await socket.ask(body));
  assert.deepEqual([type, error.code], ['error', 'previous_response_not_found']);
  assert.equal(typeof status, 'number');
}

test('P114 websocket-response', async (t) => {
  const { dial } = await open(t);
  await completed(await dial(), { model: 'm', input: [user('Count from 1 to 5.')] });
});

test('P114 websocket-sequential-responses', async (t) => {
  const socket = await (await open(t)).dial();
  await completed(socket, create([user('one')]));
  await completed(socket, create([user('two')]));
});

test('P114 websocket-continuation', async (t) => {
  const socket = await (await open(t)).dial();
  const first = await completed(socket, create([user('one')]));
  const second = await completed(socket, create([user('two')], { previous_response_id: first['id'] }));
  assert.equal(second['previous_response_id'], first['id']);
});

test('P114 websocket-reconnect-store-false-recovery', async (t) => {
  const { dial } = await open(t);
  const old = await dial();
  const first = await completed(old, create([user('one')]));
  old.socket.close();
  await old.closed;
  const socket = await dial();
  await notFound(socket, create([user('two')], { previous_response_id: first['id'] }));
  await completed(socket, create([user('one'), user('two')]));
});

test('P114 websocket-previous-response-not-found', async (t) => {
  const socket = await (await open(t)).dial();
  await notFound(socket, create([user('x')], { previous_response_id: `resp_${randomUUID()}` }));
});

test('P114 websocket-failed-continuation-evicts-cache', async (t) => {
  const socket = await (await open(t)).dial();
  const { id } = await completed(socket, create([user('one')]));
  const output = { type: 'function_call_output', call_id: 'call_nobody_made', output: 'x' };
  const failed = terminal(await socket.ask(create([output], { previous_response_id: id })));
  assert.match(failed['type'], /^(error|response\.failed)$/);
  await notFound(socket, create([user('two')], { previous_response_id: id }));
});

test('P114 websocket-compact-new-chain', async (t) => {
  const { emulator, dial } = await open(t);
  const answer = await fetch(`${emulator.url}/responses/compact`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', input: [user('one'), { role: 'assistant', content: 'two' }] }),
  });
  assert.equal(answer.status, 200);
  const { output } = (await answer.json()) as Json;
  await completed(await dial(), create([...output, user('three')]));
});

test('P115: no event on a socket is of a type outside of the specification', async (t) => {
  const { emulator, dial } = await open(t);
  const types = new Set((await (await dial()).ask(create([user('x')]))).map(({ type }) => type));
  const overHttp = await (await post(emulator.url, { model: 'm', input: 'x', stream: true })).text();
  assert.deepEqual(types, new Set(Array.from(overHttp.matchAll(/^event: (.*)$/gm), ([, type]) => type)));
});
