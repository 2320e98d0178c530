// D1, D2, D9, D11: a conversation that keeps its own history, which the oracle compares with what the server used.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { serve } from '../model/serve.js';
import { Service, notFound } from '../model/service.js';
import { same } from '../oracle/transcript.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Conversation } from '@turnwire/client';
import type { Json } from '../server/events.js';
import type { Result } from '../scenario.js';

const webSocket = { transport: 'websocket' } as const;
const defaults = { model: 'test', store: false };
const model = (): ReturnType<typeof serve> => serve({ service: new Service() });
const said = (...texts: string[]): Json[] => texts.map((content) => ({ role: 'user', content }));
const isDelta = (create: Json): boolean => create['previous_response_id'] !== undefined;

function ask(conversation: Conversation, input: string): Promise<Result> {
  return read(conversation.turn({ input }));
}

describe('conversation()', () => {
  scenario(
    'each turn is given the new items, and only they are sent',
    model(),
    webSocket,
    async ({ client, server }) => {
      const conversation = client.conversation(defaults);
      for (const input of ['one', 'two', 'three']) assert.equal((await ask(conversation, input)).error, undefined);
      const { creates } = server.peer(1);
      assert.deepEqual(creates.map(isDelta), [false, true, true]);
      assert.ok(same(creates[2]?.['input'] as Json[], said('three')));
      assert.deepEqual(
        (conversation.items as unknown as Json[]).map(({ role }) => role),
        ['user', 'assistant', 'user', 'assistant', 'user', 'assistant'],
      );
    },
  );

  scenario(
    'two conversations of one client that take turns both send only the new items',
    model(),
    webSocket,
    async ({ client, server }) => {
      const conversations = [client.conversation(defaults), client.conversation(defaults)];
      for (const input of ['one', 'two', 'three'])
        for (const [index, conversation] of conversations.entries())
          assert.equal((await ask(conversation, `${input} of ${index}`)).error, undefined);
      assert.equal(server.exchanges.filter(({ request }) => isDelta(request)).length, 4);
    },
  );

  scenario(
    'D1, D2: a conversation sends its whole history where the server has forgotten it and where the connection is new',
    serve({
      service: new Service(),
      course: ({ request, number }) =>
        number === 2 ? { error: notFound(String(request['previous_response_id'])) } : undefined,
    }),
    webSocket,
    async ({ client, server }) => {
      const conversation = client.conversation(defaults);
      for (const input of ['one', 'two']) assert.equal((await ask(conversation, input)).error, undefined);
      server.peer(1).rst();
      await eventually('the client knows', () => client.stats.connections === 0);
      assert.equal((await ask(conversation, 'three')).error, undefined);
      assert.deepEqual(
        server.peers.map(({ creates }) => creates.map(isDelta)),
        [[false, true, false], [false]],
      );
      assert.equal(conversation.items.length, 6);
    },
  );

  scenario(
    'D11: a turn over SSE is sent the whole history',
    { ...model(), upgrade: (peer) => (peer.number === 1 ? peer.accept() : peer.http(426)) },
    { transport: 'auto' },
    async ({ client, server }) => {
      const conversation = client.conversation(defaults);
      await ask(conversation, 'one');
      server.peer(1).rst();
      await eventually('the client knows', () => client.stats.connections === 0);
      const { text, error } = await ask(conversation, 'two');
      assert.equal(error, undefined);
      const [post] = server.peers.flatMap(({ posts }) => posts);
      assert.ok(same(post?.['input'] as Json[], conversation.items.slice(0, 3) as never));
      assert.equal('previous_response_id' in (post ?? {}), false);
      assert.ok(text?.startsWith('answer'));
    },
  );

  scenario(
    'D9: a turn that failed, and one that was not read to its end, leave the conversation unchanged',
    serve({
      service: new Service(),
      course: ({ number }) => (number === 2 ? { upTo: 2, after: (peer) => peer.rst() } : undefined),
    }),
    webSocket,
    async ({ client }) => {
      const conversation = client.conversation(defaults);
      await ask(conversation, 'one');
      const before = conversation.items;
      assert.equal((await ask(conversation, 'lost')).error?.code, 'connection_lost');
      assert.deepEqual(conversation.items, before);
      for await (const _event of conversation.turn({ input: 'left' })) break;
      assert.deepEqual(conversation.items, before);
      assert.equal((await ask(conversation, 'two')).error, undefined);
      assert.equal(conversation.items.length, 4);
    },
  );

  scenario(
    'a conversation runs one turn at a time, and refuses previous_response_id',
    model(),
    webSocket,
    async ({ client, server }) => {
      const conversation = client.conversation(defaults);
      const first = ask(conversation, 'one');
      const meanwhile = await ask(conversation, 'two');
      assert.equal(meanwhile.error?.code, 'invalid_request');
      assert.match(meanwhile.error.message, /one turn at a time/);
      assert.equal((await first).error, undefined);
      const named = await read(conversation.turn({ input: 'two', previous_response_id: 'resp_1' }));
      assert.equal(named.error?.code, 'invalid_request');
      assert.equal(server.creates, 1);
    },
  );

  scenario(
    'D9: a turn that is read late does not change a conversation that has gone on since',
    model(),
    webSocket,
    async ({ client }) => {
      const conversation = client.conversation(defaults);
      const late = conversation.turn({ input: 'late' });
      await eventually('it has ended', () => late.report.totalMs !== undefined);
      assert.equal((await ask(conversation, 'in time')).error, undefined);
      await late.text();
      assert.deepEqual(
        (conversation.items as unknown as Json[]).filter(({ role }) => role === 'user').map(({ content }) => content),
        ['in time'],
      );
    },
  );
});
