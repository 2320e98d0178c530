// The Responses surface of an `openai` package, called once each: `node openai-sdk.js BASE_URL FOLDER NAME`. Prints what each call gave, as JSON.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type OpenAI from 'openai';
import type { ResponsesWS } from 'openai/resources/responses/ws';

const [baseURL = '', folder = '', name = ''] = process.argv.slice(2);
const load = createRequire(join(folder, 'package.json'));
const sdk = load(name) as { OpenAI: typeof OpenAI };
const sockets = load(`${name}/resources/responses/ws`) as { ResponsesWS: typeof ResponsesWS };
const client = new sdk.OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
const model = 'gpt-5.4';
const format = {
  type: 'json_schema' as const,
  name: 'person',
  strict: true,
  schema: {
    type: 'object',
    properties: { name: { type: 'string' } },
    required: ['name'],
    additionalProperties: false,
  },
};

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

async function statusOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 200,
    (error: unknown) => (error as { status: unknown }).status,
  );
}

const first = await client.responses.create({ model, input: 'one' });
const second = await client.responses.create({ model, input: 'two', previous_response_id: first.id });
const streamed = await all(await client.responses.create({ model, input: 'one two', stream: true }));
const helper = client.responses.stream({ model, input: 'one two' });
const parsed = await client.responses.parse({ model, input: 'Ada', text: { format } });
const background = await client.responses.create({ model, input: 'later', background: true });
const resumed = await all(await client.responses.retrieve(background.id, { stream: true, starting_after: 2 }));
const cancelled = await client.responses.cancel(background.id);
await client.responses.delete(background.id);

const conversation = await client.conversations.create({ metadata: { topic: 'test' } });
await client.responses.create({ model, input: 'in it', conversation: conversation.id });
const added = await client.conversations.items.create(conversation.id, {
  items: [{ type: 'message', role: 'user', content: 'added' }],
});
const item = await client.conversations.items.retrieve(String(added.data[0]?.id), { conversation_id: conversation.id });
const items = await all(client.conversations.items.list(conversation.id, { order: 'asc' }));
await client.conversations.items.delete(String(added.data[0]?.id), { conversation_id: conversation.id });
const left = await all(client.conversations.items.list(conversation.id));
const updated = await client.conversations.update(conversation.id, { metadata: { topic: 'changed' } });
const deleted = await client.conversations.delete(conversation.id);

const connection = new sockets.ResponsesWS(client);
await new Promise<void>((open) => {
  connection.socket.on('open', open);
});
const overSocket: { type: string }[] = [];
connection.send({ type: 'response.create', model, input: 'one two' });
for await (const part of connection.stream()) {
  if (part.type === 'message') overSocket.push(part.message);
  if (part.type === 'message' && part.message.type === 'response.completed') break;
}
connection.close();

console.log(
  JSON.stringify({
    create: [first.status, first.output_text],
    continued: second.previous_response_id === first.id,
    stream: [streamed[0]?.type, streamed.at(-1)?.type],
    helper: (await helper.finalResponse()).output_text,
    parse: parsed.output_parsed ?? JSON.parse(parsed.output_text),
    retrieve: (await client.responses.retrieve(first.id)).output_text,
    background: background.status,
    resumed: [resumed[0]?.type, resumed.at(-1)?.type],
    cancelled: cancelled.status,
    deleted: await statusOf(client.responses.retrieve(background.id)),
    compact: (await client.responses.compact({ model, previous_response_id: second.id })).output.at(-1)?.type,
    inputItems: (await all(client.responses.inputItems.list(second.id, { limit: 1 }))).length,
    inputTokens: (await client.responses.inputTokens.count({ model, input: 'one' })).input_tokens,
    usage: first.usage?.input_tokens,
    conversation: [item.type, items.length, left.length, updated.metadata, deleted.deleted],
    models: (await all(client.models.list())).length,
    socket: [overSocket[0]?.type, overSocket.at(-1)?.type],
    invalid: await statusOf(client.responses.create({ model, input: 'x', top_p: 2 })),
  }),
);
