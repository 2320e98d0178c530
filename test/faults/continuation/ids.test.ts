// Q3, Q16, F4: ids that change within a response, and ids that come again.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, delta, message, reply, response } from '../server/events.js';
import { read, scenario, types } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const itemId = (name: string): string => `msg_0a63f40a2632b743_${name}`;
const piece = (text: string, name: string): Json => ({ ...delta(text), item_id: itemId(name) });

/** An answer of which each event has another response id, and each another item id. */
function rotating(name: string): Json[] {
  const events = [
    created(`resp_${name}_0`),
    { type: 'response.in_progress', response: response(`resp_${name}_1`, 'in_progress') },
    piece('fi', `${name}_1`),
    piece('ne', `${name}_2`),
    { type: 'response.output_item.done', output_index: 0, item: message('fine', itemId(`${name}_3`)) },
    completed(`resp_${name}_2`, [message('fine', itemId(`${name}_4`))]),
  ];
  return events;
}

describe('ids of responses and items', () => {
  scenario(
    'Q3: over sse a body counts as one response, whatever its ids',
    {
      post: (peer) => {
        peer.stream();
        peer.sse(...rotating('a'));
        peer.endStream();
      },
    },
    { transport: 'sse' },
    async ({ client, server }) => {
      const { text, events } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(text, 'fine');
      assert.equal(events.length, 6);
      assert.equal(server.posts, 1);
    },
    // Which of its ids a response is known by, only the client says.
    { handwritten: true },
  );

  scenario(
    'Q3: over a WebSocket without other turns changing ids pass, turn after turn, each on a connection of its own',
    { create: (peer, _create, count) => peer.events(...rotating(String(count))) },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const input: Json[] = [];
      for (const question of ['one', 'two', 'three']) {
        input.push({ role: 'user', content: question });
        const turn = client.turn({ model: 'test', input: structuredClone(input) as never });
        assert.equal((await read(turn)).text, 'fine');
        assert.equal(turn.report.plan, 'full');
        input.push(...(turn.added as unknown as Json[]));
      }
      assert.equal(server.upgrades, 3);
    },
    { handwritten: true },
  );

  scenario(
    'Q3: while another turn runs on the connection, a changed id counts as that of another response',
    {
      create: (peer, create) => {
        const lane = { stream_id: create['stream_id'] };
        if (JSON.stringify(create).includes('slow')) return peer.events({ ...created('resp_slow'), ...lane });
        peer.events({ ...created('resp_1'), ...lane }, { ...completed('resp_2', [message('x')]), ...lane });
      },
    },
    { transport: 'websocket', pool: { lanes: true, maxConnections: 1 } },
    async ({ client, server }) => {
      const slow = client.turn({ model: 'test', input: 'slow' });
      const lost = read(slow);
      while (slow.report.phase !== 'created') await new Promise((resolve) => setImmediate(resolve));
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'protocol_error');
      assert.match(error.message, /another response/);
      assert.equal((await lost).error?.code, 'protocol_error');
      assert.equal(server.upgrades, 1);
    },
  );

  /** Three turns on one connection, the third of which has what is `wrong`. */
  const thirdIs =
    (wrong: (peer: Peer) => void): ((peer: Peer, create: Json, count: number) => void) =>
    (peer, _create, count) => {
      if (peer.number === 1 && count === 3) return wrong(peer);
      const name = `${peer.number}_${count}`;
      peer.events(
        created(`resp_${name}`),
        piece(`answer ${name}`, name),
        completed(`resp_${name}`, [message(`answer ${name}`, itemId(name))]),
      );
    };

  const earlier: Record<string, { events: Json[]; passed: string[] }> = {
    'the whole answer to an earlier turn': {
      events: [
        created('resp_1_1'),
        piece('answer 1_1', '1_1'),
        completed('resp_1_1', [message('answer 1_1', itemId('1_1'))]),
      ],
      passed: [],
    },
    'a piece of an earlier item': {
      events: [created('resp_new'), piece('answer 1_1', '1_1')],
      passed: ['response.created'],
    },
    'an earlier item that is begun again': {
      events: [
        created('resp_new'),
        { type: 'response.output_item.added', output_index: 0, item: message('', itemId('1_1')) },
      ],
      passed: ['response.created'],
    },
    'an earlier item that is finished again': {
      events: [
        created('resp_new'),
        { type: 'response.output_item.done', output_index: 0, item: message('answer 1_1', itemId('1_1')) },
      ],
      passed: ['response.created'],
    },
    'an earlier item at the end': {
      events: [created('resp_new'), completed('resp_new', [message('answer 1_1', itemId('1_1'))])],
      passed: ['response.created'],
    },
    'the end of an earlier response': {
      events: [created('resp_new'), piece('new', 'new'), completed('resp_1_1', [message('answer 1_1', itemId('new'))])],
      passed: ['response.created', 'response.output_text.delta'],
    },
  };
  for (const [name, { events, passed }] of Object.entries(earlier))
    scenario(
      `Q16: ${name} is not the answer, and ends its connection`,
      { create: thirdIs((peer) => peer.events(...events)) },
      { transport: 'websocket' },
      async ({ client, server }) => {
        for (const count of [1, 2])
          assert.equal((await read(client.turn({ model: 'test', input: `${count}` }))).text, `answer 1_${count}`);
        const third = await read(client.turn({ model: 'test', input: '3' }));
        assert.equal(third.error?.code, 'protocol_error');
        assert.deepEqual(types(third.events), passed);
        assert.equal((await read(client.turn({ model: 'test', input: '4' }))).text, 'answer 2_1');
        assert.equal(server.upgrades, 2);
      },
      { handwritten: true },
    );

  scenario(
    'Q16: an unknown id passes on a connection that has carried other responses, and is not continued',
    {
      create: thirdIs((peer) =>
        peer.events(created('resp_new'), piece('rotated', 'new'), completed('resp_newer', [message('rotated')])),
      ),
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (const text of ['answer 1_1', 'answer 1_2', 'rotated', 'answer 2_1'])
        assert.equal((await read(client.turn({ model: 'test', input: text }))).text, text);
      assert.equal(server.upgrades, 2);
    },
    { handwritten: true },
  );

  scenario(
    'Q16: the id of an earlier response is remembered however many items have come since',
    {
      create: (peer, _create, count) =>
        peer.events(
          created(`resp_${count}`),
          ...(count === 2 ? Array.from({ length: 300 }, (_, index) => piece('x', `many_${index}`)) : []),
          completed(count === 3 ? 'resp_1' : `resp_${count}`, [message('fine')]),
        ),
    },
    { transport: 'websocket' },
    async ({ client }) => {
      for (const _ of [1, 2]) assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'fine');
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.match(error?.message ?? '', /another response/);
    },
    { handwritten: true },
  );

  scenario(
    'Q16: items that are numbered anew in each response belong to that response',
    {
      create: (peer, _create, count) =>
        peer.events(
          created(`resp_${count}`),
          { ...delta('fine'), item_id: 'msg_0' },
          { type: 'response.output_item.done', output_index: 0, item: message('fine', 'msg_0') },
          completed(`resp_${count}`, [message('fine', 'msg_0')]),
        ),
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (const _ of [1, 2, 3]) assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'fine');
      assert.equal(server.upgrades, 1);
    },
  );

  scenario(
    'Q16: pieces of an item that was not announced pass',
    {
      create: (peer, _create, count) =>
        peer.events(
          ...reply(`resp_${count}`, 'fine').slice(0, 1),
          piece('fi', `${count}a`),
          piece('ne', `${count}b`),
          completed(`resp_${count}`, [message('fine', itemId(`${count}c`))]),
        ),
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      for (const _ of [1, 2, 3]) assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'fine');
      assert.equal(server.upgrades, 1);
    },
  );
});
