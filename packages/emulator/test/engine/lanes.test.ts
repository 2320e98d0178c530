import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock, startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, RawSocket, terminal, until, userTexts, waitFor, type Json } from '../wire.js';

async function open(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return { emulator, socket: await RawSocket.open(emulator.url) };
}

const create = (stream_id: string | undefined, more: object = {}) => ({
  model: 'm',
  input: 'x',
  store: false,
  ...(stream_id === undefined ? {} : { stream_id }),
  ...more,
});

/** Collects the events of all lanes until this number of turns has ended. */
const turns = (socket: RawSocket, count: number): Promise<readonly Json[]> => {
  let ended = 0;
  return until(socket, ({ type }) => (/completed|failed|incomplete|error/.test(type) ? (ended += 1) === count : false));
};

const idOf = (events: readonly Json[]): string => terminal(events)['response']['id'];
const codeOf = (events: readonly Json[]) => terminal(events)['error']?.['code'];

test('P42: all events of a named lane have its stream_id, errors included; those of the default lane have none', async (t) => {
  const { socket } = await open(t, {
    script: { rules: [{ match: {}, reply: { text: 'a b', calls: [{ name: 'f' }] } }] },
  });
  for (const event of await socket.ask(create('lane.1-A_z')))
    assert.equal(event['stream_id'], 'lane.1-A_z', event.type);
  for (const event of await socket.ask(create(undefined))) assert.equal('stream_id' in event, false, event.type);
  const [refused] = await socket.ask(create('lane.1-A_z', { temperature: 'hot' }));
  assert.deepEqual([refused?.['stream_id'], refused?.['error']?.['param']], ['lane.1-A_z', 'temperature']);
});

test('P42, P84, P100: an invalid stream_id is refused without being echoed, and the socket stays usable', async (t) => {
  const { socket } = await open(t);
  for (const id of ['', 'a b', 'a/b', 'ä', 'x'.repeat(257), 7, {}]) {
    const events = await socket.ask({ ...create(undefined), stream_id: id });
    const { type, status, error, ...rest } = terminal(events);
    assert.deepEqual(
      [type, status, error.type, error.code, error.param, rest],
      ['error', 400, 'invalid_request_error', 'invalid_stream_id', 'stream_id', {}],
      JSON.stringify(id),
    );
  }
  assert.equal(terminal(await socket.ask(create('x'.repeat(256))))['type'], 'response.completed');
});

test('P43: the turns of one lane run in order and never overlap, while another lane runs', async (t) => {
  const clock = new ManualClock();
  const { socket } = await open(t, { clock, latency: { firstTokenMs: 1000 } });
  const idle = clock.waiting;
  for (const [lane, input] of [
    ['a', 'a1'],
    ['a', 'a2'],
    ['b', 'b1'],
  ] as const) {
    socket.create(create(lane, { input }));
  }
  await waitFor(() => clock.waiting === idle + 2);
  await clock.advance(1000);
  await waitFor(() => clock.waiting === idle + 1);
  await clock.advance(1000);
  const events = await turns(socket, 3);
  const at = (type: string, lane: string, n: number) =>
    events
      .map((event, index) => ({ event, index }))
      .filter(({ event }) => event.type === type && event.stream_id === lane)[n]?.index ??
    assert.fail(`${type} ${n} on ${lane}`);
  assert.ok(at('response.created', 'a', 1) > at('response.completed', 'a', 0));
  assert.ok(at('response.created', 'b', 0) < at('response.completed', 'a', 0));
  assert.deepEqual(
    events
      .filter(({ type }) => type === 'response.completed')
      .map(({ response }) => response.output[0].content[0].text)
      .sort((a, b) => a.localeCompare(b)),
    ['a1', 'a2', 'b1'],
  );
});

test('P43: the events of two lanes interleave, even without latency', async (t) => {
  const { socket } = await open(t);
  socket.create(create('a', { input: 'one two three four' }));
  socket.create(create('b', { input: 'five six seven eight' }));
  const lanes = (await turns(socket, 2)).map(({ stream_id }) => stream_id);
  assert.ok(lanes.indexOf('b') < lanes.lastIndexOf('a') && lanes.indexOf('a') < lanes.lastIndexOf('b'), lanes.join(''));
});

test('P44, P82: 16 turns of a connection run at the same time; further turns are accepted and wait', async (t) => {
  const clock = new ManualClock();
  const { emulator, socket } = await open(t, { clock, latency: { firstTokenMs: 1000 } });
  const idle = clock.waiting;
  for (let n = 1; n <= 20; n += 1) socket.create(create(`lane-${n}`));
  // Each running turn waits for its first token once its first events have left; only then can the clock end that wait.
  await waitFor(() => emulator.state().queuedTurns === 4 && clock.waiting === idle + 16);
  assert.equal(emulator.state().runningTurns, 16);
  assert.equal(emulator.state().lanes, 20);
  await clock.advance(1000);
  const first = await turns(socket, 16);
  await waitFor(() => emulator.state().queuedTurns === 0 && clock.waiting === idle + 4);
  await clock.advance(1000);
  const events = [...first, ...(await turns(socket, 4))];
  const begun = events.filter(({ type }) => type === 'response.created').map(({ stream_id }) => stream_id);
  const lanesFrom = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `lane-${from + n}`);
  // Lanes run side by side, so the order of the 16 running turns and of the 4 queued turns is not defined.
  assert.deepEqual(new Set(begun.slice(0, 16)), new Set(lanesFrom(1, 16)));
  assert.deepEqual(new Set(begun.slice(16)), new Set(lanesFrom(17, 20)));
  assert.equal(begun.length, 20);
  const places = events.flatMap(({ type }, place) => (type === 'response.created' ? [place] : []));
  assert.ok(Number(places[16]) > events.findIndex(({ type }) => type === 'response.completed'));
});

test('P44, P83, P101: the 33rd stream_id is refused with an error that has it; known lanes and the default lane go on', async (t) => {
  const { socket } = await open(t);
  await socket.ask(create(undefined));
  for (let n = 1; n <= 32; n += 1) assert.equal(codeOf(await socket.ask(create(`lane-${n}`))), undefined);
  const refused = terminal(await socket.ask(create('lane-33')));
  assert.deepEqual(
    [refused['status'], refused['error']['code'], refused['error']['param'], refused['stream_id']],
    [400, 'websocket_stream_limit_reached', 'stream_id', 'lane-33'],
  );
  assert.equal(codeOf(await socket.ask(create('lane-1'))), undefined);
  assert.equal(codeOf(await socket.ask(create(undefined))), undefined);
  const other = terminal(await socket.ask(create('lane-34')));
  assert.equal(other['error']['code'], 'websocket_stream_limit_reached');
});

test('P45, P70: each lane keeps its latest response; a create without an id starts a new chain', async (t) => {
  const { emulator, socket } = await open(t);
  const a = idOf(await socket.ask(create('a', { input: 'a1' })));
  const b = idOf(await socket.ask(create('b', { input: 'b1' })));
  const a2 = idOf(await socket.ask(create('a', { input: 'a2', previous_response_id: a })));
  await socket.ask(create('b', { input: 'b2', previous_response_id: b }));
  assert.deepEqual(userTexts(emulator), ['b1', 'b2']);
  await socket.ask(create('a', { input: 'new' }));
  assert.deepEqual(userTexts(emulator), ['new']);
  assert.equal(codeOf(await socket.ask(create('a', { previous_response_id: a2 }))), 'previous_response_not_found');
});

test('P46: a lane forks the latest response of another lane, and both branches go on', async (t) => {
  const { emulator, socket } = await open(t);
  const trunk = idOf(await socket.ask(create('a', { input: 'trunk' })));
  const fork = idOf(await socket.ask(create('b', { input: 'fork', previous_response_id: trunk })));
  const next = idOf(await socket.ask(create('a', { input: 'next', previous_response_id: trunk })));
  await socket.ask(create('b', { input: 'fork 2', previous_response_id: fork }));
  assert.deepEqual(userTexts(emulator), ['trunk', 'fork', 'fork 2']);
  // The lane of the fork starts a new chain, while the other lane still has its branch.
  await socket.ask(create('b', { input: 'other' }));
  await socket.ask(create('a', { input: 'next 2', previous_response_id: next }));
  assert.deepEqual(userTexts(emulator), ['trunk', 'next', 'next 2']);
});

test('P46: a fork of a response that is no longer the latest of its lane is refused', async (t) => {
  const { socket } = await open(t);
  const trunk = idOf(await socket.ask(create('a')));
  await socket.ask(create('a', { previous_response_id: trunk }));
  const late = terminal(await socket.ask(create('b', { previous_response_id: trunk })));
  assert.deepEqual([late['error']['code'], late['stream_id']], ['previous_response_not_found', 'b']);
});

test('P46: a running fork is not disturbed when its parent is no longer the latest of its lane', async (t) => {
  const clock = new ManualClock();
  const { emulator, socket } = await open(t, { clock, latency: { firstTokenMs: 1000 } });
  const slowly = async (body: object) => {
    socket.create(body);
    await until(socket, ({ type }) => type === 'response.in_progress');
    await clock.advance(1000);
    return socket.turn();
  };
  const trunk = idOf(await slowly(create('a', { input: 'trunk' })));
  socket.create(create('b', { input: 'fork', previous_response_id: trunk }));
  await until(socket, ({ type }) => type === 'response.in_progress');
  socket.create(create('a', { input: 'new chain' }));
  await until(socket, ({ type, stream_id }) => type === 'response.in_progress' && stream_id === 'a');
  await clock.advance(1000);
  const ended = (await turns(socket, 2)).filter(({ type }) => type === 'response.completed');
  const fork = ended.find(({ stream_id }) => stream_id === 'b')?.response.id;
  await slowly(create('b', { input: 'fork 2', previous_response_id: fork }));
  assert.deepEqual(userTexts(emulator), ['trunk', 'fork', 'fork 2']);
});

test('P72: a failed fork keeps its parent; a failure on the same lane evicts it', async (t) => {
  const { socket } = await open(t);
  const parent = idOf(await socket.ask(create('a')));
  const bad = {
    previous_response_id: parent,
    input: [{ type: 'function_call_output', call_id: 'call_no', output: '' }],
  };
  assert.equal(terminal(await socket.ask(create('b', bad)))['type'], 'error');
  const next = idOf(await socket.ask(create('a', { previous_response_id: parent })));
  assert.equal(terminal(await socket.ask(create('a', { ...bad, previous_response_id: next })))['type'], 'error');
  assert.equal(codeOf(await socket.ask(create('a', { previous_response_id: next }))), 'previous_response_not_found');
});

test('P65: an error on one lane does not disturb a turn on another lane', async (t) => {
  const clock = new ManualClock();
  const { socket } = await open(t, { clock, latency: { firstTokenMs: 1000 } });
  socket.create(create('a'));
  await until(socket, ({ type }) => type === 'response.in_progress');
  socket.create(create('b', { model: 5 }));
  const [error] = await until(socket, ({ type }) => type === 'error');
  assert.equal(error?.['stream_id'], 'b');
  await clock.advance(1000);
  const end = terminal(await socket.turn());
  assert.deepEqual([end['type'], end['stream_id']], ['response.completed', 'a']);
});

test('P71: a stored response can be continued on any lane of any connection', async (t) => {
  const { emulator, socket } = await open(t);
  const first = idOf(await socket.ask(create('a', { input: 'one', store: true })));
  await socket.ask(create('a', { input: 'two', store: true, previous_response_id: first }));
  const other = await RawSocket.open(emulator.url);
  await other.ask(create('z', { input: 'three', store: true, previous_response_id: first }));
  assert.deepEqual(userTexts(emulator), ['one', 'three']);
});

test('P70: unstored responses are forgotten when their connection closes, forks included', async (t) => {
  const { emulator, socket } = await open(t);
  const trunk = idOf(await socket.ask(create('a')));
  await socket.ask(create('b', { previous_response_id: trunk }));
  await socket.ask(create('c', { previous_response_id: trunk }));
  assert.equal(emulator.state().responses, 3);
  socket.close();
  await waitFor(() => emulator.state().webSockets === 0);
  assert.deepEqual([emulator.state().responses, emulator.state().responseBytes], [0, 0]);
});

test('P38: a turn with generate: false within a chain has an id that can be continued', async (t) => {
  const { emulator, socket } = await open(t);
  const first = idOf(await socket.ask(create('a', { input: 'one' })));
  const events = await socket.ask(create('a', { input: 'two', previous_response_id: first, generate: false }));
  assert.deepEqual(terminal(events)['response']['output'], []);
  await socket.ask(create('a', { input: 'three', previous_response_id: idOf(events) }));
  assert.deepEqual(userTexts(emulator), ['one', 'two', 'three']);
});

test('a recorded event on a named lane is unchanged, except for its stream_id', async (t) => {
  const recordings = await mkdtemp(join(tmpdir(), 'turnwire-lanes-'));
  t.after(() => rm(recordings, { recursive: true }));
  const line = '{"type":"response.completed","odd" : 1.0,"response":{"id":"resp_r","status":"completed","output":[]}}';
  await writeFile(join(recordings, 'odd.jsonl'), `${line}\n`);
  const { socket } = await open(t, { recordings });
  socket.create(create('a', { model: 'recording/odd' }));
  const frame = await socket.frame();
  assert.equal(frame, `${line.slice(0, -1)},"stream_id":"a"}`);
  assert.equal(json(frame)['stream_id'], 'a');
});
