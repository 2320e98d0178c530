// D11, E1, F6, K4, M1–M5, P31: what goes out over which transport, and what it costs.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Caller } from '../caller.js';
import { serve } from '../model/serve.js';
import { Service } from '../model/service.js';
import { refuse } from '../server/admission.js';
import { completed, created, reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';

const question = { model: 'test', input: 'hi' };
const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };

describe('request', () => {
  scenario(
    'D11, K4: the POST of a fallback is the same as the POST of transport sse',
    {
      ...serve({ service: new Service() }),
      upgrade: (peer) => (peer.number === 1 ? peer.accept() : peer.http(426)),
    },
    { transport: 'auto', headers: { 'x-mine': 'kept' } },
    async ({ client, server }) => {
      const caller = new Caller(client, { store: false, instructions: 'be brief' });
      await caller.ask('one');
      server.peer(1).rst();
      await server.peer(1).ended;
      await caller.ask('two');
      caller.history.splice(-2);
      await caller.ask('two', {}, { transport: 'sse' });
      const posts = server.peers.flatMap((peer) => peer.posts);
      assert.equal(posts.length, 2);
      assert.equal(JSON.stringify(posts[0]), JSON.stringify(posts[1]));
      const heads = server.peers.flatMap((peer) => peer.heads).filter(({ method }) => method === 'POST');
      for (const { headers } of heads) assert.equal(headers['x-mine'], 'kept');
      assert.deepEqual(heads[0]?.headers, heads[1]?.headers);
    },
  );

  scenario(
    'E1: a request too large for a frame goes by SSE before anything is dialled, and the next turn by WebSocket',
    serve({ service: new Service(), maxInboundBytes: 16_777_215 }),
    { transport: 'auto' },
    async ({ client, server }) => {
      // Two bytes a letter: bytes count, and not letters.
      assert.equal((await read(client.turn({ model: 'test', input: 'ä'.repeat(8_400_000) }))).error, undefined);
      assert.deepEqual([server.upgrades, server.posts], [0, 1]);
      assert.equal((await read(client.turn(question))).error, undefined);
      assert.deepEqual([server.upgrades, server.creates, server.posts], [1, 1, 1]);
    },
  );

  const transportFields = { stream: false, stream_options: { include_usage: true }, stream_id: 'mine', type: 'other' };
  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `F6: ${transport}, each transport sends only its own fields`,
      serve({ service: new Service() }),
      { transport },
      async ({ client, server }) => {
        await read(client.turn({ ...question, ...transportFields, unknown_field: 1 }));
        const [sent] = server.exchanges.map(({ request }) => request);
        const expected =
          transport === 'websocket'
            ? { type: 'response.create', ...question, unknown_field: 1 }
            : { stream: true, stream_options: transportFields.stream_options, ...question, unknown_field: 1 };
        assert.deepEqual(sent, expected);
      },
    );

    const terminals: Record<string, Json> = {
      'M1, M2: completed': completed('resp_1', [], { usage }),
      'M3: incomplete': {
        type: 'response.incomplete',
        response: { id: 'resp_1', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage },
      },
      'M3: failed': {
        type: 'response.failed',
        response: { id: 'resp_1', status: 'failed', error: { code: 'server_error', message: 'no' }, usage },
      },
    };
    for (const [name, terminal] of Object.entries(terminals)) {
      scenario(
        `${name}, ${transport}: its usage is reported`,
        {
          create: (peer) => peer.events(created('resp_1'), terminal),
          post: (peer) => {
            peer.stream();
            peer.sse(created('resp_1'), terminal);
            peer.endStream();
          },
        },
        { transport },
        async ({ client }) => {
          const turn = client.turn(question);
          await read(turn);
          assert.deepEqual(turn.report.usage, usage);
        },
      );
    }
  }

  scenario(
    'M2, M4: three turns on one connection, a terminal event that comes twice: the reports add up to the bill',
    serve({ service: new Service(), course: ({ count }) => ({ dupTerminal: count === 3 }) }),
    { transport: 'websocket' },
    async ({ client, server }) => {
      let reported = 0;
      for (const input of ['one', 'two', 'three']) {
        const turn = client.turn({ model: 'test', input });
        await read(turn);
        reported += turn.report.usage?.total_tokens ?? 0;
      }
      const billed = server.exchanges
        .map(
          ({ terminal }) => (terminal as { response: { usage: { total_tokens: number } } }).response.usage.total_tokens,
        )
        .reduce((sum, tokens) => sum + tokens, 0);
      assert.equal(reported, billed);
    },
  );

  scenario(
    'M3, M5: a turn without an end reports no usage, and lists each of its attempts',
    { upgrade: refuse(503), post: (peer) => peer.rst() },
    { transport: 'auto' },
    async ({ client }) => {
      const turn = client.turn(question);
      assert.notEqual((await read(turn)).error, undefined);
      assert.equal(turn.report.usage, undefined);
      assert.ok(turn.report.attempts.length >= 2);
    },
    { quick: true },
  );

  scenario(
    'M5: an attempt that was sent and lost is in the report with its bytes',
    {
      create: (peer, _create, count) =>
        peer.number === 1 && count === 2 ? peer.rst() : peer.events(...reply(`resp_${peer.number}_${count}`, 'fine')),
    },
    { transport: 'websocket' },
    async ({ client }) => {
      await read(client.turn(question));
      const turn = client.turn(question);
      await read(turn);
      assert.deepEqual(
        turn.report.attempts.map(({ error }) => error),
        ['connection_lost', undefined],
      );
      assert.equal(
        turn.report.sentBytes,
        turn.report.attempts.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
      );
    },
  );
});
