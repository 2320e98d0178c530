import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ManualClock, startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, RawSocket, terminal, until, waitFor } from '../wire.js';

const MINUTE = 60_000;

async function open(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions = {}) {
  const clock = new ManualClock();
  const emulator = await startEmulator({ ...options, clock });
  t.after(() => emulator.close());
  return { clock, emulator, socket: await RawSocket.open(emulator.url) };
}

const LIMIT = ['error', 400, 'websocket_connection_limit_reached', null];
const create = { model: 'm', input: 'x' };

test('P74, P81, P99: a socket refuses its next create after 60 minutes, and stays open while it is idle', async (t) => {
  for (const dialect of ['openai', 'azure', 'openresponses'] as const) {
    const { clock, socket } = await open(t, { dialect });
    await clock.advance(60 * MINUTE - 1);
    assert.equal(terminal(await socket.ask(create))['type'], 'response.completed');
    await clock.advance(1);
    const { type, status, error, ...rest } = terminal(await socket.ask(create));
    assert.deepEqual([type, status, error.code, error.param], LIMIT);
    assert.match(error.message, /60 minutes/);
    assert.deepEqual(rest, {});
    await socket.closed;
  }
});

test('P74: with ageLimit idle the error comes without a create, in the dialect xai after 25 minutes', async (t) => {
  const { clock, socket } = await open(t, { ageLimit: 'idle' });
  await clock.advance(60 * MINUTE);
  const { type, status, error } = json(await socket.frame());
  assert.deepEqual([type, status, error.code, error.param], LIMIT);
  await socket.closed;

  const xai = await open(t, { dialect: 'xai' });
  await xai.clock.advance(25 * MINUTE);
  assert.equal(json(await xai.socket.frame()).error.code, 'websocket_connection_limit_reached');
  await xai.socket.closed;
});

test('P74: with ageLimit idle a running turn is finished before the socket closes', async (t) => {
  const { clock, socket } = await open(t, {
    ageLimit: 'idle',
    limits: { connectionAgeMs: 10 * MINUTE },
    latency: { firstTokenMs: 11 * MINUTE },
  });
  socket.create(create);
  await until(socket, ({ type }) => type === 'response.in_progress');
  await clock.advance(11 * MINUTE);
  assert.equal(terminal(await socket.turn())['type'], 'response.completed');
  assert.equal(json(await socket.frame()).error.code, 'websocket_connection_limit_reached');
  await socket.closed;
});

test('P74: with ageLimit mid-turn a running turn is not finished', async (t) => {
  const { clock, emulator, socket } = await open(t, {
    ageLimit: 'mid-turn',
    limits: { connectionAgeMs: 10 * MINUTE },
    latency: { firstTokenMs: 11 * MINUTE },
  });
  socket.create({ ...create, stream_id: 'a' });
  await until(socket, ({ type }) => type === 'response.in_progress');
  await clock.advance(10 * MINUTE);
  const error = json(await socket.frame());
  assert.equal(error.error.code, 'websocket_connection_limit_reached');
  assert.equal('stream_id' in error, false);
  await socket.closed;
  assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');
});

test('P74: a running turn is finished before a create on another lane is refused', async (t) => {
  const { clock, emulator, socket } = await open(t, {
    limits: { connectionAgeMs: 10 * MINUTE },
    latency: { firstTokenMs: 11 * MINUTE },
  });
  socket.create({ ...create, stream_id: 'a' });
  await until(socket, ({ type }) => type === 'response.in_progress');
  await clock.advance(10 * MINUTE);
  socket.create({ ...create, stream_id: 'b' });
  await waitFor(() => emulator.state().queuedTurns === 1);
  await clock.advance(MINUTE);
  const end = terminal(await socket.turn());
  assert.deepEqual([end['type'], end['stream_id']], ['response.completed', 'a']);
  assert.equal(terminal(await socket.turn())['error'].code, 'websocket_connection_limit_reached');
  await socket.closed;
});

test('P13: vercel closes with 1001 after 13 minutes, without an error', async (t) => {
  const { clock, socket } = await open(t, { dialect: 'vercel', limits: { idleMs: 0 } });
  await clock.advance(13 * MINUTE);
  assert.equal(await socket.closed, 1001);
  await assert.rejects(socket.frame(), /closed before/);
});

test('P13, P86: vercel closes a socket that is idle for 5 minutes, unless a ping passes; openai has no idle limit', async (t) => {
  const { clock, socket } = await open(t, { dialect: 'vercel' });
  await clock.advance(4 * MINUTE);
  const pong = once(socket.socket, 'pong');
  socket.socket.ping();
  await pong;
  await clock.advance(4 * MINUTE);
  assert.equal(terminal(await socket.ask(create))['type'], 'response.completed');
  await clock.advance(5 * MINUTE);
  assert.equal(await socket.closed, 1001);

  const openai = await open(t);
  await openai.clock.advance(59 * MINUTE);
  assert.equal(terminal(await openai.socket.ask(create))['type'], 'response.completed');
});

test('P67: a socket whose client does not answer a ping closes with 1011', async (t) => {
  const { clock, emulator, socket } = await open(t, { pings: { everyMs: 20_000, timeoutMs: 10_000 } });
  for (let n = 0; n < 3; n += 1) {
    const ping = once(socket.socket, 'ping');
    await clock.advance(20_000);
    await ping;
    // The pong of the client is sent before this create.
    await socket.ask(create);
  }
  const silent = new RawSocket(emulator.url, {}, { autoPong: false });
  await once(silent.socket, 'open');
  const ping = once(silent.socket, 'ping');
  await clock.advance(20_000);
  await ping;
  await clock.advance(10_000);
  assert.equal(await silent.closed, 1011);
});
