// D1–D9, D12–D16, W1–W3: what the server holds of a conversation, and what it has forgotten. The oracle compares transcripts after each.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Caller } from '../caller.js';
import { serve } from '../model/serve.js';
import { Service, notFound, refusal } from '../model/service.js';
import { message, reply } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Course, Serving } from '../model/serve.js';
import type { Json } from '../server/events.js';
import type { Script } from '../server/peer.js';

const webSocket = { transport: 'websocket' } as const;
const model = (more: Omit<Serving, 'service'> = {}): Script => serve({ service: new Service(), ...more });
const continues = (create: Json | undefined): boolean => create?.['previous_response_id'] !== undefined;
/** Something goes wrong with each request that continues a response. */
const whenContinued =
  (course: (request: Json) => Course): NonNullable<Serving['course']> =>
  ({ request }) =>
    continues(request) ? course(request) : undefined;
const forgotten = (request: Json): Course => ({ error: notFound(String(request['previous_response_id'])) });

describe('continuation', () => {
  scenario(
    'a history that only grows: each turn but the first sends only the new items',
    model(),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      for (const question of ['one', 'two', 'three']) assert.equal((await caller.ask(question)).error, undefined);
      const { creates } = server.peer(1);
      assert.deepEqual(creates.map(continues), [false, true, true]);
      assert.deepEqual(creates.at(-1)?.['input'], [{ role: 'user', content: 'three' }]);
    },
  );

  scenario(
    'D1: a chain that the server has forgotten costs one full resend on the same connection',
    model({ course: whenContinued(forgotten) }),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      const { error, turn } = await caller.ask('two');
      assert.equal(error, undefined);
      assert.equal(turn.report.attempts.length, 2);
      assert.deepEqual(server.peer(1).creates.map(continues), [false, true, false]);
      assert.equal(server.upgrades, 1);
    },
  );

  scenario(
    'D1: a chain that is forgotten each time costs at most one full resend a turn',
    model({ course: whenContinued(forgotten) }),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      for (const question of ['one', 'two', 'three', 'four'])
        assert.equal((await caller.ask(question)).error, undefined);
      assert.ok(server.creates <= 7, `${server.creates} creates`);
    },
  );

  scenario(
    'D1: an id that the caller names and the server does not know fails with chain_lost, and no other input is sent',
    model(),
    webSocket,
    async ({ client, server }) => {
      const params = { model: 'test', input: 'and then?', store: false, previous_response_id: 'resp_404' };
      const { error } = await read(client.turn(params));
      assert.equal(error?.code, 'chain_lost');
      assert.equal(server.creates, 1);
    },
  );

  scenario(
    'D2: the first request on a new connection is sent in full, with store: false',
    model(),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      server.peer(1).rst();
      await eventually('the client knows', () => client.stats.connections === 0);
      assert.equal((await caller.ask('two')).error, undefined);
      assert.deepEqual(server.peer(2).creates.map(continues), [false]);
    },
  );

  scenario(
    'D3: a server that says it did not store is believed, whatever was asked',
    {
      create: (peer, _create, count) => peer.events(...reply(`resp_${peer.number}_${count}`, 'fine', { store: false })),
    },
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client, { store: true });
      await caller.ask('one');
      server.peer(1).rst();
      await eventually('the client knows', () => client.stats.connections === 0);
      await caller.ask('two');
      assert.equal(continues(server.peer(2).creates[0]), false);
    },
  );

  for (const aborts of [false, true]) {
    scenario(
      `D4: two conversations take turns on one client${aborts ? ', and one is aborted in between' : ''}`,
      model({ course: ({ request }) => (JSON.stringify(request).includes('slow') ? { everyMs: 20 } : undefined) }),
      webSocket,
      async ({ client }) => {
        const [a, b] = [new Caller(client), new Caller(client)];
        for (const question of ['one', 'two', 'three']) {
          assert.equal((await a.ask(`a ${question}`)).error, undefined);
          assert.equal((await b.ask(`b ${question}`)).error, undefined);
          if (!aborts) continue;
          assert.equal((await b.ask('slow', {}, { signal: AbortSignal.timeout(30) })).error?.code, 'aborted');
          b.history.pop();
        }
      },
    );
  }

  scenario('D4: two conversations that take turns both get their deltas', model(), webSocket, async ({ client }) => {
    const [a, b] = [new Caller(client), new Caller(client)];
    const plans: string[] = [];
    for (const question of ['one', 'two', 'three'])
      for (const caller of [a, b]) plans.push((await caller.ask(question)).turn.report.plan);
    assert.deepEqual(plans, ['full', 'full', 'delta', 'delta', 'delta', 'delta']);
  });

  /** Histories of four items, changed as agents change them. */
  const edits: Record<string, (history: Json[]) => Json[]> = {
    'a question edited': (history) => history.with(0, { role: 'user', content: 'another' }),
    'an answer edited, of the same length': (history) => history.with(1, message('X'.repeat(20), 'msg_1')),
    'an item deleted': (history) => history.toSpliced(1, 1),
    'two items in another order': (history) => [history[2], history[1], history[0], history[3]] as Json[],
    'an item inserted': (history) => history.toSpliced(1, 0, { role: 'developer', content: 'be brief' }),
    'the end cut off': (history) => history.slice(0, 1),
    'the beginning cut off': (history) => history.slice(2),
  };
  for (const [name, edit] of Object.entries(edits)) {
    scenario(`D5: ${name}: sent in full`, model(), webSocket, async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      await caller.ask('two');
      caller.history = edit(caller.history);
      assert.equal((await caller.ask('three')).error, undefined);
      const last = server.peers.flatMap(({ creates }) => creates).at(-1);
      assert.equal(JSON.stringify(last?.['input']), JSON.stringify(caller.history.slice(0, -1)));
    });
  }

  scenario('D5: an item edited in place is detected', model(), webSocket, async ({ client }) => {
    const held = { role: 'user', content: 'one' };
    const first = await client.turn({ model: 'test', store: false, input: [held] as never }).response();
    held.content = '0ne';
    const input = [held, ...first.output, { role: 'user', content: 'two' }];
    // The oracle compares: the server must not have answered from 'one'.
    await client.turn({ model: 'test', store: false, input: input as never }).response();
  });

  scenario('D5: another order of keys counts as the same item', model(), webSocket, async ({ client }) => {
    const caller = new Caller(client);
    await caller.ask('one');
    caller.history = caller.history.map((item) => Object.fromEntries(Object.entries(item).toReversed()));
    assert.equal((await caller.ask('two')).turn.report.plan, 'delta');
  });

  /** Fields that shape what the model sees, each in another way than before. */
  const fields: Json = {
    model: 'other',
    instructions: 'be brief',
    tools: [{ type: 'function', name: 'f', parameters: {} }],
    reasoning: { effort: 'high' },
    text: { format: { type: 'json_object' } },
    truncation: 'auto',
    context_management: [{ type: 'compaction', compact_threshold: 1000 }],
  };
  for (const [name, value] of Object.entries(fields)) {
    scenario(`D6: another ${name}: sent in full`, model(), webSocket, async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      await caller.ask('two', { [name]: value });
      const last = server.peers.flatMap(({ creates }) => creates).at(-1);
      assert.equal(continues(last), false);
      assert.deepEqual(last?.[name], value);
    });
  }

  scenario(
    'D7: a terminal event without output: the continuation has only the new items',
    model({ course: () => ({ emptyOutput: true }) }),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      assert.equal((await caller.ask('two')).error, undefined);
      assert.deepEqual(server.peer(1).creates.at(-1)?.['input'], [{ role: 'user', content: 'two' }]);
    },
  );

  const second: Record<string, Course> = {
    'a refusal by 400': { error: refusal(400, 'invalid_prompt', 'no') },
    'a loss': { upTo: 3, after: (peer) => peer.close(1011) },
    'an error in the middle': {
      upTo: 3,
      after: (peer) => peer.events({ type: 'error', status: 500, error: { code: 'server_error', message: 'boom' } }),
    },
  };
  for (const [name, course] of Object.entries(second)) {
    scenario(
      `D8: after ${name} the next turn is sent in full`,
      model({ course: ({ request }) => (JSON.stringify(request).includes('break') ? course : undefined) }),
      webSocket,
      async ({ client, server }) => {
        const caller = new Caller(client);
        await caller.ask('one');
        assert.notEqual((await caller.ask('break')).error, undefined);
        caller.history.pop();
        assert.equal((await caller.ask('three')).error, undefined);
        assert.equal(continues(server.peers.at(-1)?.creates.at(-1)), false);
      },
    );
  }

  scenario(
    'D9: a terminal event that was not read is not continued',
    model(),
    webSocket,
    async ({ client, server }) => {
      const turn = client.turn({ model: 'test', input: 'one', store: false });
      await eventually('all of it is here', () => server.exchanges[0]?.terminal !== undefined);
      for await (const event of turn) if (event.type === 'response.output_text.delta') break;
      const caller = new Caller(client);
      caller.history = [{ role: 'user', content: 'one' }, message('as if it had been read')];
      assert.equal((await caller.ask('two')).error, undefined);
      assert.equal(continues(server.exchanges.at(-1)?.request), false);
    },
  );

  scenario(
    'D12: encrypted reasoning of another account: the caller gets the error, and the input is not edited',
    model({ course: () => ({ error: refusal(400, 'invalid_encrypted_content', 'no') }) }),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      caller.history = [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' }];
      const { error } = await caller.ask('one');
      assert.equal(error?.server?.code, 'invalid_encrypted_content');
      assert.equal(server.creates, 1);
    },
  );

  scenario(
    'D13: a gateway’s other code for a lost chain is recognised by its parameter',
    model({
      course: whenContinued(() => ({ error: refusal(400, 'chain_stale', 'no', 'previous_response_id') })),
    }),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      assert.equal((await caller.ask('two')).error, undefined);
      assert.deepEqual(server.peer(1).creates.map(continues), [false, true, false]);
    },
  );

  const oddRefusals: Record<string, Json> = {
    '404 and a sentence': { status: 404, error: { message: 'Response not found', code: 404 } },
    '422 and a sentence': { status: 422, error: { message: 'previous_response_id is not supported' } },
    'a call that the server does not know': {
      status: 400,
      error: { type: 'invalid_request_error', message: 'No tool call found for call_1', param: 'input' },
    },
    'a flat error': {
      code: 'stale_state',
      message: 'The state of this conversation is gone.',
      param: null,
      status: 400,
    },
  };
  for (const [name, words] of Object.entries(oddRefusals)) {
    scenario(
      `D13: a delta that is refused with ${name} is sent in full, because the caller has sent all of it`,
      {
        create: (peer, create, count) =>
          continues(create)
            ? peer.events({ type: 'error', ...words })
            : peer.events(...reply(`resp_${peer.number}_${count}`, 'fine')),
      },
      webSocket,
      async ({ client, server }) => {
        const caller = new Caller(client);
        for (const question of ['one', 'two', 'three']) assert.equal((await caller.ask(question)).error, undefined);
        assert.deepEqual(server.peer(1).creates.map(continues), [false, true, false, true, false]);
      },
      { handwritten: true },
    );
  }

  scenario(
    'D13: a delta that is refused for another field of the request is not sent again',
    model({ course: whenContinued(() => ({ error: refusal(400, 'invalid_value', 'no', 'tools[0].name') })) }),
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      assert.equal((await caller.ask('two')).error?.code, 'request_refused');
      assert.equal(server.creates, 2);
    },
  );

  scenario(
    'D14: a connection whose second answer is empty: no turn runs twice, and the empty response is not continued',
    {
      create: (peer, _create, count) => {
        if (count === 2) peer.events(...reply(`resp_${peer.number}_2`, '').toSpliced(1, 1));
        else peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));
      },
    },
    webSocket,
    async ({ client, server }) => {
      const caller = new Caller(client);
      for (const question of ['one', 'two', 'three']) await caller.ask(question);
      assert.equal(server.creates, 3);
    },
  );

  scenario(
    'D15: the key of the prompt cache is the same on each connection and transport',
    model({
      course: ({ count, via }) =>
        via === 'websocket' && count === 2 ? { upTo: 0, after: (peer) => peer.rst() } : undefined,
    }),
    { transport: 'auto' },
    async ({ client, server }) => {
      const caller = new Caller(client, { store: false, prompt_cache_key: 'mine' });
      await caller.ask('one');
      await caller.ask('two');
      await caller.ask('three', {}, { transport: 'sse' });
      const keys = server.exchanges.map(({ request }) => request['prompt_cache_key']);
      assert.deepEqual(new Set(keys), new Set(['mine']));
      assert.deepEqual([server.upgrades, server.posts], [2, 1]);
    },
  );

  scenario(
    'D16: two continuations of one response at the same time do not see each other',
    model(),
    webSocket,
    async ({ client }) => {
      const caller = new Caller(client);
      await caller.ask('one');
      const forks = ['two', 'too'].map((content) =>
        read(
          client.turn({
            model: 'test',
            store: false,
            input: [...caller.history, { role: 'user', content }] as never,
          }),
        ),
      );
      for (const { error } of await Promise.all(forks)) assert.equal(error, undefined);
    },
  );

  scenario(
    'D17: with chains.maxBytes 0 every turn is sent in full',
    model(),
    { ...webSocket, chains: { maxBytes: 0 } },
    async ({ client, server }) => {
      const caller = new Caller(client);
      for (const question of ['one', 'two', 'three']) assert.equal((await caller.ask(question)).error, undefined);
      assert.deepEqual(
        server.exchanges.map(({ request }) => continues(request)),
        [false, false, false],
      );
      assert.equal(client.stats.chains, 0);
    },
  );

  scenario(
    'D17: beyond chains.maxBytes the conversation used least recently is forgotten, which costs one full resend',
    model(),
    { ...webSocket, chains: { maxBytes: 30_000 } },
    async ({ client, server }) => {
      const callers = Array.from({ length: 4 }, () => new Caller(client));
      for (const [index, caller] of callers.entries()) await caller.ask(`${index} ${'x'.repeat(10_000)}`);
      const [oldest, latest] = [callers[0], callers[3]];
      assert.equal((await latest?.ask('two'))?.plan, 'delta');
      const again = await oldest?.ask('two');
      assert.deepEqual([again?.error, again?.plan], [undefined, 'full, history_unknown']);
      assert.equal((await oldest?.ask('three'))?.plan, 'delta');
      assert.ok(client.stats.chains < 4);
      assert.equal(server.exchanges.length, 7);
    },
  );
});
