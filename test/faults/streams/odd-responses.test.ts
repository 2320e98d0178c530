// Q3, Q16, F4: WebSockets of gateways that pass on the end of a stream, leave the beginning out, or give no ids.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, delta, message, reply } from '../server/events.js';
import { frame } from '../server/frame.js';
import { read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';

const answer = (count: number, text = `answer ${count}`): Json[] => reply(`resp_0a63f40a_${count}`, text);
const end = (count: number): Json => completed(`resp_0a63f40a_${count}`, [message(`answer ${count}`)]);

describe('odd responses over a WebSocket', () => {
  scenario(
    '[DONE] after the end of a response, and before the next one, means nothing',
    {
      create: (peer, _create, count) => {
        if (count > 1) peer.raw(frame('[DONE]'));
        peer.events(...answer(count));
        peer.raw(frame('[DONE]'));
      },
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (const count of [1, 2, 3])
        assert.equal((await read(client.turn({ model: 'test', input: `${count}` }))).text, `answer ${count}`);
      assert.equal(server.upgrades, 1);
    },
    { handwritten: true },
  );

  scenario(
    '[DONE] within a response: a protocol error at once',
    {
      create: (peer) => {
        peer.events(created('resp_1'), delta('Hi'));
        peer.raw(frame('[DONE]'));
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).error?.code, 'protocol_error');
    },
    { handwritten: true },
  );

  scenario(
    'no response.created: each turn has a connection of its own',
    { create: (peer) => peer.events(...answer(peer.number).slice(1)) },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (const count of [1, 2, 3])
        assert.equal((await read(client.turn({ model: 'test', input: `${count}` }))).text, `answer ${count}`);
      assert.equal(server.upgrades, 3);
    },
    { handwritten: true },
  );

  scenario(
    'the end of a response is its only event: each turn has a connection of its own',
    { create: (peer) => peer.events(end(peer.number)) },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (const count of [1, 2, 3])
        assert.equal(await client.turn({ model: 'test', input: `${count}` }).text(), `answer ${count}`);
      assert.equal(server.upgrades, 3);
    },
    { handwritten: true },
  );

  scenario(
    'ids that are empty are none: the connection is used again, and nothing is continued by them',
    { create: (peer, _create, count) => peer.events(...reply('', `answer ${count}`)) },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const input: Json[] = [];
      for (const count of [1, 2, 3]) {
        input.push({ role: 'user', content: `${count}` });
        const turn = client.turn({ model: 'test', input: structuredClone(input) as never });
        assert.equal((await read(turn)).text, `answer ${count}`);
        assert.equal(turn.report.plan, 'full');
        input.push(...(turn.added as unknown as Json[]));
      }
      assert.equal(server.upgrades, 1);
    },
    { handwritten: true },
  );
});
