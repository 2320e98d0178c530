import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { NotFoundError } from 'openai';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { postJson, RawSocket, terminal } from '../wire.js';

async function start(t: { after(fn: () => Promise<void>): void }, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  const client = new OpenAI({ baseURL: emulator.url, apiKey: 'sk-test', maxRetries: 0 });
  return { emulator, client };
}

test('a conversation is created, read, changed and deleted', async (t) => {
  const { client } = await start(t);
  const created = await client.conversations.create({ metadata: { topic: 'a' } });
  assert.deepEqual([created.object, created.metadata], ['conversation', { topic: 'a' }]);
  assert.deepEqual(await client.conversations.retrieve(created.id), created);
  await client.conversations.update(created.id, { metadata: { topic: 'b' } });
  assert.deepEqual((await client.conversations.retrieve(created.id)).metadata, { topic: 'b' });
  const deleted = await client.conversations.delete(created.id);
  assert.deepEqual([deleted.object, deleted.deleted], ['conversation.deleted', true]);
  await assert.rejects(client.conversations.retrieve(created.id), NotFoundError);
});

test('the items of a conversation are listed in pages, added, read and removed', async (t) => {
  const { client } = await start(t);
  const message = (content: string) => ({ type: 'message', role: 'user', content }) as const;
  const { id } = await client.conversations.create({ items: [message('one'), message('two')] });
  const added = await client.conversations.items.create(id, { items: [message('three')] });
  assert.equal(added.data.length, 1);
  const listed: unknown[] = [];
  for await (const item of client.conversations.items.list(id, { order: 'asc', limit: 2 })) listed.push(item);
  assert.deepEqual(
    listed.map((item) => JSON.stringify(Reflect.get(Object(item), 'content')).replace(/.*"text":"(\w+)".*/, '$1')),
    ['one', 'two', 'three'],
  );
  const itemId = added.data[0]?.id ?? assert.fail();
  assert.equal((await client.conversations.items.retrieve(itemId, { conversation_id: id })).id, itemId);
  assert.equal((await client.conversations.items.delete(itemId, { conversation_id: id })).id, id);
  await assert.rejects(client.conversations.items.retrieve(itemId, { conversation_id: id }), NotFoundError);
});

test('a turn in a conversation begins with its items, and adds its own to it', async (t) => {
  const { emulator, client } = await start(t, { credentials: 'shared' });
  const conversation = await client.conversations.create({ items: [{ role: 'user', content: 'before' }] });
  const first = await client.responses.create({ model: 'm', input: 'one', conversation: conversation.id });
  assert.deepEqual(first.conversation, { id: conversation.id });
  const socket = await RawSocket.open(emulator.url);
  const second = terminal(await socket.ask({ model: 'm', input: 'two', conversation: { id: conversation.id } }));
  assert.equal(second['type'], 'response.completed');
  assert.deepEqual(
    emulator.journal.turns().map((turn) => turn.transcript.map((item) => item['role'])),
    [
      ['user', 'user'],
      ['user', 'user', 'assistant', 'user'],
    ],
  );
  const items = await client.conversations.items.list(conversation.id, { limit: 100 });
  assert.equal(items.data.length, 5);

  // A response of a conversation can also be continued by its id, with the items of the conversation before it.
  await client.responses.create({ model: 'm', input: 'three', previous_response_id: first.id });
  assert.equal(emulator.journal.turns().at(-1)?.transcript.length, 4);
  const from = { id: conversation.id, from: 'conversation' };
  assert.deepEqual(
    emulator.journal.turns().map(({ plan, parent }) => [plan, parent]),
    [
      ['delta', from],
      ['delta', from],
      ['delta', { id: first.id, from: 'store' }],
    ],
  );
});

test('an unknown conversation is a 404, and a create with both a conversation and previous_response_id is refused', async (t) => {
  const { emulator } = await start(t);
  const unknown = await postJson(emulator.url, { model: 'm', input: 'x', conversation: 'conv_none' });
  assert.deepEqual([unknown.httpStatus, unknown['error']['param']], [404, 'conversation']);
  const both = await postJson(emulator.url, {
    model: 'm',
    input: 'x',
    conversation: 'conv_none',
    previous_response_id: 'resp_none',
  });
  assert.equal(both['error']['code'], 'mutually_exclusive_parameters');
});

test('conversations stay within limits.storedResponses and limits.storedBytes', async (t) => {
  const { client } = await start(t, { limits: { storedResponses: 3 } });
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.push((await client.conversations.create()).id);
  await assert.rejects(client.conversations.retrieve(ids[1] ?? ''), NotFoundError);
  assert.equal((await client.conversations.retrieve(ids[2] ?? '')).id, ids[2]);
});
