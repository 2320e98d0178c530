// B3, B4, B8, B9: what counts as life, over real sockets.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, delta, message } from '../server/events.js';
import { frame, opcodes } from '../server/frame.js';
import { eventually, read, scenario } from '../scenario.js';

const question = { model: 'test', input: 'hi' };
const pings = { pool: { pingMs: 80 }, timeouts: { pongMs: 200 }, transport: 'websocket' } as const;

describe('pings', () => {
  scenario(
    'B3: a silence beyond the idle limit does not end a turn while pongs come',
    {
      create: (peer) => {
        peer.events(created('resp_1'));
        void eventually('pings', () => peer.control.filter((opcode) => opcode === opcodes.ping).length >= 8).then(() =>
          peer.events(completed('resp_1', [message('thought')])),
        );
      },
    },
    { ...pings, timeouts: { pongMs: 200, idleMs: 300 } },
    async ({ client }) => {
      const turn = client.turn(question);
      assert.equal((await read(turn)).text, 'thought');
      assert.equal(turn.report.attempts.length, 1);
    },
  );

  scenario(
    'B3: a silent turn is lost at the pong limit once the server stops answering pings',
    {
      create: (peer) => {
        peer.events(created('resp_1'), delta('x'));
        void eventually('a ping', () => peer.control.includes(opcodes.ping)).then(() => peer.socket.pause());
      },
    },
    { ...pings, timeouts: { pongMs: 200, idleMs: 10_000 } },
    async ({ client }) => {
      const { error } = await read(client.turn(question));
      assert.equal(error?.code, 'connection_lost');
      assert.match(error?.message ?? '', /no pong came within 200 ms/);
    },
  );

  scenario(
    'B4: a pong that arrived while this process was busy is read before the connection is judged',
    { create: (peer) => peer.events(created('resp_1'), delta('x')) },
    { ...pings, pool: { pingMs: 800 }, timeouts: { pongMs: 2000 } },
    async ({ client, server }) => {
      const turn = client.turn(question);
      const result = read(turn);
      await eventually('two pings', () => (server.peers[0]?.control.length ?? 0) >= 2);
      const until = performance.now() + 300;
      while (performance.now() < until);
      await eventually('more pings', () => server.peer(1).control.length >= 4);
      server.peer(1).events(completed('resp_1', [message('x')]));
      assert.equal((await result).text, 'x');
    },
    { quick: true },
  );

  scenario(
    'B9: a message that arrives byte by byte is no sign of life: the idle limit ends the turn with its code',
    {
      create: (peer) => {
        peer.events(created('resp_1'));
        const bytes = frame(JSON.stringify(delta('x'.repeat(1000))));
        let sent = 0;
        const drip = setInterval(() => {
          peer.raw(bytes.subarray(sent, sent + 1));
          sent += 1;
        }, 20);
        peer.socket.once('close', () => clearInterval(drip));
      },
    },
    { transport: 'websocket', timeouts: { idleMs: 400 } },
    async ({ client }) => {
      const { error } = await read(client.turn(question));
      assert.equal(error?.code, 'idle_timeout');
    },
  );

  scenario(
    'I4: the pings of the server are answered while the reader sleeps',
    {
      create: (peer) => {
        peer.events(created('resp_1'), ...Array.from({ length: 200 }, () => delta('x'.repeat(10_000))));
        peer.raw(frame('still there?', { opcode: opcodes.ping }));
        peer.events(completed('resp_1'));
      },
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const turn = client.turn(question);
      await eventually('the pong', () => server.peers[0]?.control.includes(opcodes.pong) === true, 10_000);
      assert.equal((await read(turn)).events.length, 202);
    },
  );
});
