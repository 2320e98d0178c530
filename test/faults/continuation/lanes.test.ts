// F5, I1, I4: several turns on one connection.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { asked, completed, created, delta, message } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const question = (input: string): { model: string; input: string } => ({ model: 'test', input });

/** Creates that wait for their answer, by what they ask. */
function waiting(answers: Map<string, (events: Json[]) => void>): Script {
  return {
    create: (peer: Peer, create: Json) => {
      const { stream_id: id } = create;
      answers.set(asked(create), (events) => peer.events(...events.map((event) => ({ ...event, stream_id: id }))));
    },
  };
}

{
  const answers = new Map<string, (events: Json[]) => void>();
  scenario(
    'F5: two turns whose events interleave on one connection have each their own text',
    waiting(answers),
    { pool: { lanes: true }, transport: 'websocket' },
    async ({ client, server }) => {
      const names = ['a', 'b'];
      const turns = names.map((name) => read(client.turn(question(name))));
      await eventually('both were asked', () => answers.size === 2);
      const parts: ((name: string) => Json)[] = [
        (name) => created(`resp_${name}`),
        (name) => delta(`${name}1`),
        (name) => delta(`${name}2`),
        (name) => completed(`resp_${name}`, [message(`${name}1${name}2`)]),
      ];
      for (const part of parts) for (const name of names) answers.get(name)?.([part(name)]);
      const results = await Promise.all(turns);
      assert.deepEqual(
        results.map(({ text }) => text),
        ['a1a2', 'b1b2'],
      );
      assert.equal(server.peers.length, 1);
      const ids = server.peer(1).creates.map(({ stream_id: id }) => id);
      assert.equal(new Set(ids).size, 2);
    },
  );
}

{
  const answers = new Map<string, (events: Json[]) => void>();
  scenario(
    'F4: an event before response.created fails the turn of its lane, and is not taken for its text',
    waiting(answers),
    { pool: { lanes: true }, transport: 'websocket' },
    async ({ client, server }) => {
      // Both wait for the same dial.
      const turns = ['a', 'b'].map((name) => read(client.turn(question(name))));
      await eventually('both were asked', () => answers.size === 2);
      answers.get('a')?.([created('resp_a')]);
      answers.get('b')?.([delta('a’s'), created('resp_b'), delta('b'), completed('resp_b', [message('b')])]);
      const [, b] = await Promise.all(turns);
      assert.equal(b?.error?.code, 'protocol_error');
      assert.deepEqual(b.events, []);
      assert.equal(server.peers.length, 1);
    },
  );
}

{
  const answers = new Map<string, (events: Json[]) => void>();
  scenario(
    'I1: an aborted turn ends alone, and its lane is used again after its terminal event',
    waiting(answers),
    { pool: { lanes: true }, transport: 'websocket' },
    async ({ client, server }) => {
      const aborted = client.turn(question('a'));
      const other = read(client.turn(question('b')));
      await eventually('both were asked', () => answers.size === 2);
      aborted.cancel();
      assert.equal((await read(aborted)).error?.code, 'aborted');
      answers.get('a')?.([created('resp_a'), delta('not for b'), completed('resp_a', [message('not for b')])]);
      answers.get('b')?.([created('resp_b'), delta('b'), completed('resp_b', [message('b')])]);
      assert.equal((await other).text, 'b');
      const next = read(client.turn(question('c')));
      await eventually('the next was asked', () => answers.size === 3);
      answers.get('c')?.([created('resp_c'), completed('resp_c', [message('c')])]);
      assert.equal((await next).text, 'c');
      assert.equal(server.peers.length, 1);
      assert.equal(new Set(server.peer(1).creates.map(({ stream_id: id }) => id)).size, 2);
    },
  );
}

describe('lanes', () => {
  scenario(
    'F5: a server that answers without the lane’s name gets no further lanes, and its turns succeed',
    {
      create: (peer, _create, count) =>
        peer.events(created(`resp_${peer.number}_${count}`), completed(`resp_${peer.number}_${count}`)),
    },
    { pool: { lanes: true }, transport: 'websocket' },
    async ({ client, server }) => {
      for (let turn = 1; turn <= 3; turn += 1) assert.equal((await read(client.turn(question('hi')))).error, undefined);
      assert.deepEqual(
        server.peers.flatMap(({ creates }) => creates.map((create) => 'stream_id' in create)),
        [true, false, false],
      );
    },
  );

  scenario(
    'F5: without pool.lanes no turn has a lane',
    { create: (peer) => peer.events(created('resp_1'), completed('resp_1')) },
    { transport: 'websocket' },
    async ({ client, server }) => {
      await read(client.turn(question('hi')));
      assert.equal('stream_id' in (server.peer(1).creates[0] ?? {}), false);
    },
  );
});
