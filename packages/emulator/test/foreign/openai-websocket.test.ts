import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import OpenAI from 'openai';
import { ResponsesWebSocketSession } from 'openai/lib/responses/responses-websocket-session';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { ManualClock, startEmulator, type EmulatorOptions, type Script } from '../../dist/index.js';

// The WebSocket, the sessions and the lanes of the official SDK. If the SDK and the tests of this project disagree, the SDK is right.

async function open(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  const connection = new ResponsesWS(new OpenAI({ baseURL: emulator.url, apiKey: 'sk-test' }));
  connection.on('error', () => undefined);
  await once(connection.socket.platformSocket ?? connection.socket, 'open');
  const session = new ResponsesWebSocketSession(connection, {
    maxLanes: 40,
    maxBufferedEvents: 10_000,
    maxBufferedBytes: 16 * 1024 * 1024,
  });
  t.after(async () => {
    session.close();
    connection.close();
    await emulator.close();
  });
  return { emulator, connection, session };
}

test('P42, P43: three lanes of one session run at once, and each gets its own answers', async (t) => {
  const { emulator, session } = await open(t);
  const lanes = ['one', 'two', undefined].map((id) => ({ id, lane: session.lane(id) }));
  for (const { id, lane } of lanes) lane.create({ model: 'm', store: false, input: `I am ${id}` });
  const first = await Promise.all(
    lanes.map(async ({ id, lane }) => ({ id, lane, response: await lane.finalResponse() })),
  );
  for (const { id, response } of first) assert.equal(response.output_text, `I am ${id}`);
  for (const { lane, response } of first) {
    lane.create({ model: 'm', store: false, input: 'And?', previous_response_id: response.id });
  }
  const second = await Promise.all(lanes.map(({ lane }) => lane.finalResponse()));
  assert.deepEqual(
    second.map(({ previous_response_id }) => previous_response_id),
    first.map(({ response }) => response.id),
  );
  assert.equal(emulator.journal.connections().filter(({ kind }) => kind === 'websocket').length, 1);
});

test('P46: a session forks a response on another lane', async (t) => {
  const { session } = await open(t);
  const [trunk, branch] = [session.lane('trunk'), session.lane('branch')];
  trunk.create({ model: 'm', store: false, input: 'one' });
  const { id } = await trunk.finalResponse();
  branch.create({ model: 'm', store: false, input: 'two', previous_response_id: id });
  assert.equal((await branch.finalResponse()).previous_response_id, id);
});

test('P61, P65: an error reaches its own lane, and no other', async (t) => {
  const { session } = await open(t);
  const [bad, good] = [session.lane('bad'), session.lane('good')];
  bad.create({ model: 'm', input: 'x', previous_response_id: 'resp_none' });
  good.create({ model: 'm', input: 'fine' });
  await assert.rejects(bad.finalResponse(), (error) => {
    const frame = Reflect.get(Object(error), 'error');
    assert.deepEqual([frame.status, frame.error.code, frame.stream_id], [400, 'previous_response_not_found', 'bad']);
    return true;
  });
  assert.equal((await good.finalResponse()).output_text, 'fine');
});

test('P58, P107, P108: failed and incomplete responses are results', async (t) => {
  const script: Script = {
    rules: [
      { match: { input: 'fail' }, reply: { text: 'half', fail: { code: 'server_error', message: 'no' } } },
      { match: {}, reply: { text: 'cut', incomplete: 'max_output_tokens' } },
    ],
  };
  const { session } = await open(t, { script });
  const lane = session.lane();
  lane.create({ model: 'm', input: 'fail' });
  assert.equal((await lane.finalResponse()).error?.code, 'server_error');
  lane.create({ model: 'm', input: 'x' });
  assert.equal((await lane.finalResponse()).incomplete_details?.reason, 'max_output_tokens');
});

test('P48: a session receives a steered response and its successor on a lane', async (t) => {
  const clock = new ManualClock();
  const script: Script = { turns: [{ reasoning: 'Hm.', text: 'Long.' }, { text: 'Now {{ input }}.' }] };
  const { connection, session } = await open(t, { clock, script, latency: { firstTokenMs: 1000 } });
  const lane = session.lane('a');
  lane.create({ model: 'gpt-6', store: false, input: 'Go.' });
  const created = await lane.receive();
  assert.ok(created.type === 'response.created' && 'response' in created);
  const { id } = Object(created.response);
  assert.equal((await lane.receive()).type, 'response.in_progress');
  connection.send({ type: 'response.steer', previous_response_id: id, input: 'short' });
  assert.equal((await lane.receive()).type, 'response.steer.accepted');
  await clock.advance(1000);
  const steered = await lane.finalResponse();
  assert.equal(steered.incomplete_details?.reason, 'steered');
  assert.equal((await lane.receive()).type, 'response.created');
  await clock.advance(1000);
  const successor = await lane.finalResponse();
  assert.deepEqual([successor.previous_response_id, successor.output_text], [id, 'Now short.']);
});

test('P49: the event response.steer.pending has the type of the SDK', async (t) => {
  const clock = new ManualClock();
  const script: Script = { turns: [{ calls: [{ name: 'look' }] }, { text: 'Seen.' }] };
  const { connection, session } = await open(t, { clock, script, latency: { firstTokenMs: 1000 } });
  const pending = connection.emitted('response.steer.pending');
  const lane = session.lane('a');
  lane.create({ model: 'gpt-6', store: false, input: 'Go.' });
  const { id } = Object(Reflect.get(await lane.receive(), 'response'));
  connection.send({ type: 'response.steer', previous_response_id: id, input: 'and a dog' });
  await connection.emitted('response.steer.accepted');
  await clock.advance(1000);
  await lane.finalResponse();
  const { required_input, reason } = await pending;
  assert.equal(reason, 'waiting_for_required_input');
  const [stub] = required_input;
  assert.ok(stub?.type === 'function_call_output' && stub.name === 'look');
  lane.create({
    model: 'gpt-6',
    store: false,
    previous_response_id: id,
    input: [{ type: 'function_call_output', call_id: stub.call_id, output: 'a cat' }],
  });
  await connection.emitted('response.in_progress');
  await clock.advance(1000);
  assert.equal((await lane.receive()).type, 'response.steer.pending');
  assert.equal((await lane.finalResponse()).output_text, 'Seen.');
});

test('P96: the SDK reconnects after the idle limit of vercel, and the chain goes on', async (t) => {
  const clock = new ManualClock();
  const emulator = await startEmulator({ clock, dialect: 'vercel' });
  const client = new OpenAI({ baseURL: emulator.url, apiKey: 'sk-test' });
  const connection = new ResponsesWS(client, { reconnect: { onReconnecting: () => undefined, initialDelay: 1 } });
  t.after(async () => {
    connection.close();
    await emulator.close();
  });
  const answer = async () => {
    const completed = connection.emitted('response.completed');
    connection.send({ type: 'response.create', model: 'openai/m', input: 'x' });
    return (await completed).response.status;
  };
  assert.equal(await answer(), 'completed');
  const reconnected = connection.emitted('reconnected');
  await clock.advance(5 * 60_000);
  await reconnected;
  assert.equal(await answer(), 'completed');
  assert.deepEqual(
    emulator.journal.connections().map(({ closed }) => closed?.code),
    [1001, undefined],
  );
});
