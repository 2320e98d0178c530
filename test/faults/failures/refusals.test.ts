// A3–A5, C2, C4, C6, C11, G1–G5, K1, K5, P97: who is asked again, how often, and when the caller is told instead.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { TurnwireError } from '@turnwire/client';
import { serve } from '../model/serve.js';
import { Service, refusal } from '../model/service.js';
import { dialLimit, refuse, socketLimit } from '../server/admission.js';
import { answer, reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const good = (peer: Peer, _create: Json, count: number): void =>
  peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));
const bySse: NonNullable<Script['post']> = (peer) => {
  peer.stream();
  peer.sse(...reply(`resp_post_${peer.number}_${peer.posts.length}`, 'by sse'));
  peer.endStream();
};

const keyIs =
  (key: string): NonNullable<Script['upgrade']> =>
  (peer, { headers }) =>
    headers['authorization'] === `Bearer ${key}`
      ? peer.accept()
      : peer.http(401, '{"error":{"code":"invalid_api_key"}}');

describe('refusals', () => {
  for (const [name, right] of [
    ['a key that has just been rotated is asked for once more', 'key-2'],
    ['a key that is wrong each time is asked for twice at most', 'none'],
  ] as const) {
    let asked = 0;
    scenario(
      `A3: ${name}`,
      { upgrade: keyIs(right), create: good, post: (peer) => peer.http(401) },
      { transport: 'websocket', apiKey: () => `key-${(asked += 1)}` },
      async ({ client, server }) => {
        const { error } = await read(client.turn(question));
        assert.equal(error?.status, right === 'none' ? 401 : undefined);
        assert.equal(asked, 2);
        assert.equal(server.upgrades, 2);
      },
    );
  }

  scenario(
    'A3: a key that is a constant is tried once',
    { upgrade: refuse(401) },
    { transport: 'auto' },
    async ({ client, server }) => {
      assert.equal((await read(client.turn(question))).error?.status, 401);
      assert.deepEqual([server.upgrades, server.posts], [1, 0]);
    },
  );

  scenario(
    'A4: an edge that limits dials: every turn is answered, and no error asks to log in',
    { ...serve({ service: new Service() }), upgrade: dialLimit(2, 1000) },
    { transport: 'auto' },
    async ({ client, server, warnings }) => {
      const turns = Array.from({ length: 12 }, () => read(client.turn(question)));
      for (const { error } of await Promise.all(turns)) assert.equal(error, undefined);
      assert.equal(server.creates + server.posts, 12);
      assert.doesNotMatch(warnings.join(), /log ?in|key/i);
    },
  );

  scenario(
    'A4, H8: with fewer sockets than turns, the others wait for a socket or go over SSE',
    { ...serve({ service: new Service() }), upgrade: socketLimit(3) },
    { transport: 'auto' },
    async ({ client, server }) => {
      const turns = Array.from({ length: 12 }, () => read(client.turn(question)));
      for (const { error } of await Promise.all(turns)) assert.equal(error, undefined);
      assert.equal(server.creates + server.posts, 12);
      assert.ok(server.creates > 0);
    },
  );

  scenario(
    'A5: an upgrade with Retry-After is dialled again after that wait',
    {
      upgrade: (peer) => (peer.number === 1 ? peer.http(429, '', { 'retry-after': '2' }) : peer.accept()),
      create: good,
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const begun = performance.now();
      assert.equal((await read(client.turn(question))).text, 'fine');
      assert.ok(performance.now() - begun >= 200, 'it was asked for too early');
      assert.equal(server.upgrades, 2);
    },
    { quick: true },
  );

  for (const delay of ['86400', 'garbage', '-1', new Date(Date.now() + 86_400_000).toUTCString()]) {
    scenario(
      `A5: an upgrade refused until ${/GMT/.test(delay) ? 'a day' : delay} does not hold up a turn that can go by SSE`,
      { upgrade: refuse(429, { headers: { 'retry-after': delay } }), post: bySse },
      { transport: 'auto' },
      async ({ client }) => assert.equal((await read(client.turn(question))).text, 'by sse'),
    );
  }

  /** How often the server is asked when it drops a request at each point, by what the caller allows. */
  for (const [replay, most] of [
    ['never', 1],
    ['unsent', 1],
    ['unanswered', 2],
  ] as const) {
    scenario(
      `C2: recovery.replay ${replay}: a request that was sent and not answered is sent ${most === 1 ? 'once' : 'twice'} at most`,
      { create: (peer) => peer.rst() },
      { transport: 'websocket', recovery: { replay } },
      async ({ client, server }) => {
        assert.equal((await read(client.turn(question))).error?.code, 'connection_lost');
        assert.ok(server.creates >= 1 && server.creates <= most, `${server.creates} creates`);
      },
      { quick: true },
    );
  }

  scenario(
    'C4: a turn lost after a tool call is not sent again, and the tool runs once',
    {
      create: (peer) => {
        const { events, upTo } = answer('resp_1');
        peer.events(...events.slice(0, upTo['a function call']));
        peer.close(1011);
      },
      post: bySse,
    },
    { transport: 'auto' },
    async ({ client, server, effects }) => {
      const run = async (): Promise<void> => {
        for await (const event of client.turn(question)) {
          const { item } = event as { item?: Json };
          if (event.type !== 'response.output_item.done' || item?.['type'] !== 'function_call') continue;
          effects.set(String(item['call_id']), (effects.get(String(item['call_id'])) ?? 0) + 1);
        }
      };
      await assert.rejects(run(), { code: 'connection_lost', phase: 'tool' });
      assert.deepEqual([...effects], [['call_1', 1]]);
      assert.deepEqual([server.creates, server.posts], [1, 0]);
    },
  );

  scenario(
    'C6: dials and time are bounded where everything fails',
    { upgrade: refuse(503), post: (peer) => peer.http(503) },
    { transport: 'auto' },
    async ({ client, server }) => {
      const begun = performance.now();
      const turn = client.turn(question);
      assert.equal((await read(turn)).error?.status, 503);
      assert.ok(performance.now() - begun < 10_000, 'it took too long');
      assert.ok(server.upgrades + server.posts <= 5, `${server.upgrades} upgrades, ${server.posts} posts`);
    },
    { quick: true },
  );

  const decimals: Script = {
    create: (peer, create, count) =>
      Number.isInteger(create['temperature'] ?? 1) ? good(peer, create, count) : peer.close(1000),
    post: bySse,
  };
  scenario(
    'C11: a request that only WebSocket refuses goes by SSE once, and other turns stay on the WebSocket',
    decimals,
    { transport: 'auto' },
    async ({ client, server }) => {
      assert.equal((await read(client.turn({ ...question, temperature: 0.5 }))).text, 'by sse');
      assert.deepEqual([server.creates, server.posts], [1, 1]);
      assert.equal((await read(client.turn({ ...question, temperature: 1 }))).text, 'fine');
    },
  );
  scenario(
    'C11: a later request of the same kind goes over SSE at once',
    decimals,
    { transport: 'auto' },
    async ({ client, server }) => {
      for (const temperature of [0.5, 0.7]) await read(client.turn({ ...question, temperature }));
      assert.deepEqual([server.creates, server.posts], [1, 2]);
    },
  );

  /** Codes that no second attempt can help. */
  const final = [
    ['insufficient_quota', 429],
    ['usage_limit_reached', 429],
    ['invalid_api_key', 401],
    ['context_length_exceeded', 400],
    ['invalid_prompt', 400],
    ['content_policy_violation', 400],
    ['unknown_parameter', 400],
  ] as const;
  for (const [code, status] of final) {
    scenario(
      `G1, G2: ${code} is sent once`,
      { create: (peer) => peer.events(refusal(status, code, 'no')) },
      { transport: 'websocket' },
      async ({ client, server }) => {
        const { error } = await read(client.turn(question));
        assert.equal(error?.server?.code, code);
        assert.equal(server.creates, 1);
      },
      { quick: true },
    );
  }
  for (const [code, status] of [
    ['server_is_overloaded', 503],
    ['slow_down', 503],
    ['rate_limit_exceeded', 429],
    ['server_error', 500],
    ['a_code_of_tomorrow', 500],
  ] as const) {
    scenario(
      `G1: ${code} is retried`,
      {
        create: (peer, create, count) =>
          count === 1 ? peer.events(refusal(status, code, 'not now')) : good(peer, create, count),
      },
      { transport: 'websocket' },
      async ({ client }) => assert.equal((await read(client.turn(question))).text, 'fine'),
      { quick: true },
    );
  }

  const delays: Record<string, Json> = {
    'in headers': { headers: { 'retry-after': '344874' } },
    'as a number': { retry_after: 12_964 },
    'by name': { retry_after_seconds: 12_964 },
    'in its text': { message: 'Please try again in 3h20m.' },
  };
  for (const [name, more] of Object.entries(delays)) {
    scenario(
      `G3: a rate limit for hours (${name}) surfaces at once`,
      {
        create: (peer) =>
          peer.events({ type: 'error', status: 429, error: { code: 'rate_limit_exceeded', message: 'wait', ...more } }),
      },
      { transport: 'websocket' },
      async ({ client, server }) => {
        const begun = performance.now();
        const { error } = await read(client.turn(question));
        assert.equal(error?.status, 429);
        assert.ok(performance.now() - begun < 1000, 'it waited');
        assert.equal(server.creates, 1);
      },
    );
  }

  scenario(
    'G4, G5: a failure of the network and one of the account are told apart by code, and are of one class',
    {
      create: (peer, _create, count) =>
        count === 1 ? peer.events(refusal(401, 'invalid_api_key', 'no')) : peer.close(1011),
    },
    { transport: 'websocket' },
    async ({ client }) => {
      const account = (await read(client.turn(question))).error;
      const network = (await read(client.turn({ ...question, tools: [{ type: 'mcp' }] }))).error;
      assert.ok(account instanceof TurnwireError && network instanceof TurnwireError);
      assert.deepEqual([account.code, network.code], ['request_refused', 'connection_lost']);
      assert.equal(account.server?.code, 'invalid_api_key');
      assert.equal(network.server, undefined);
    },
  );

  scenario(
    'K1: a server without WebSocket is not asked for it at each turn',
    { upgrade: refuse(426), post: bySse },
    { transport: 'auto' },
    async ({ client, server }) => {
      for (let turn = 0; turn < 3; turn += 1) assert.equal((await read(client.turn(question))).text, 'by sse');
      assert.deepEqual([server.upgrades, server.posts], [1, 3]);
    },
  );

  scenario(
    'K1: after a short outage turns return to the WebSocket by themselves',
    {
      upgrade: (peer) => (peer.number === 1 ? peer.http(503) : peer.accept()),
      create: good,
      post: bySse,
    },
    { transport: 'auto' },
    async ({ client }) => {
      assert.equal((await read(client.turn(question))).text, 'by sse');
      const until = performance.now() + 5000;
      let text: string | undefined;
      while (text !== 'fine' && performance.now() < until) text = (await read(client.turn(question))).text;
      assert.equal(text, 'fine');
    },
    { quick: 100 },
  );

  scenario(
    'K5: the report says which transport ran, why, and what was tried',
    { upgrade: refuse(426), post: bySse },
    { transport: 'auto' },
    async ({ client }) => {
      const turn = client.turn(question);
      await read(turn);
      const { transport, fallback, attempts } = turn.report;
      assert.equal(transport, 'sse');
      assert.match(fallback ?? '', /426/);
      assert.deepEqual(
        attempts.map((attempt) => [attempt.transport, attempt.error]),
        [
          ['websocket', 'upgrade_refused'],
          ['sse', undefined],
        ],
      );
    },
  );

  for (const error of [
    { type: 'error', status: 400, error: { code: 'responses_websocket_disabled', message: 'Not here.' } },
    { type: 'error', status: 426, error: { type: 'invalid_request_error', message: 'Use HTTP.' } },
  ]) {
    scenario(
      `a server that says in a frame that it has no WebSocket mode (${error.status}): this turn and the next go by SSE`,
      {
        create: (peer) => peer.events(error),
        post: bySse,
      },
      { transport: 'auto' },
      async ({ client, server }) => {
        for (const _ of [1, 2]) assert.equal((await read(client.turn(question))).text, 'by sse');
        assert.deepEqual([server.creates, server.posts], [1, 2]);
      },
    );
  }

  // The first is what an API gateway of AWS says of a route of its own that failed.
  const untyped: Record<string, Json> = {
    message: { message: 'Internal server error', connectionId: 'x', requestId: 'y' },
    detail: { detail: 'Internal server error' },
    error: { error: 'Internal server error' },
  };
  for (const transport of ['websocket', 'sse'] as const) {
    for (const [name, words] of Object.entries(untyped)) {
      scenario(
        `${transport}: words without a type, as ${name}, are a refusal, and not waited after`,
        {
          create: (peer) => peer.events(words),
          post: (peer) => {
            peer.stream();
            peer.sse(words);
          },
        },
        { transport, recovery: { refusals: 'surface' } },
        async ({ client }) => {
          const { error } = await read(client.turn(question));
          assert.deepEqual([error?.code, error?.server?.message], ['request_refused', 'Internal server error']);
        },
      );
    }
  }
});
