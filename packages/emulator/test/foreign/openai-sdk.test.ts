import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { BadRequestError, NotFoundError, RateLimitError } from 'openai';
import type { ResponsesServerEvent } from 'openai/resources/responses/responses';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { startEmulator, type Script } from '../../dist/index.js';

// The official SDK shares no code with this project. If the SDK and the tests of this project disagree, the SDK is right.

async function start(t: { after(fn: () => Promise<void>): void }, script?: Script) {
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  return { emulator, client: new OpenAI({ baseURL: emulator.url, apiKey: 'sk-test', maxRetries: 0 }) };
}

const WEATHER: Script = {
  turns: [
    {
      reasoning: 'I look it up.',
      text: 'One moment.',
      calls: [{ name: 'weather', arguments: { city: '{{ input }}' } }],
    },
    { text: 'It is {{ weather.json.sky }}.' },
  ],
};

test('the SDK creates a response without streaming', async (t) => {
  const { client } = await start(t);
  const response = await client.responses.create({ model: 'm', input: 'Hello' });
  assert.equal(response.output_text, 'Hello');
  assert.equal(response.status, 'completed');
  assert.deepEqual((await client.responses.retrieve(response.id)).output, response.output);
  assert.ok((await client.models.list()).data.length > 0);
});

test('the SDK creates a response with streaming', async (t) => {
  const { client } = await start(t);
  let text = '';
  let last = '';
  for await (const event of await client.responses.create({ model: 'm', input: 'Hello there, you', stream: true })) {
    if (event.type === 'response.output_text.delta') text += event.delta;
    last = event.type;
  }
  assert.equal(text, 'Hello there, you');
  assert.equal(last, 'response.completed');
});

test('responses.stream() of the SDK builds the response that was sent', async (t) => {
  const { client } = await start(t, WEATHER);
  const stream = client.responses.stream({ model: 'm', input: 'Bonn' });
  const final = await stream.finalResponse();
  assert.equal(final.output_text, 'One moment.');
  assert.deepEqual(
    final.output.map((item) => item.type),
    ['reasoning', 'message', 'function_call'],
  );
  const stored = await client.responses.retrieve(final.id);
  assert.deepEqual(
    stored.output.map((item) => item.id),
    final.output.map((item) => item.id),
  );
});

test('the SDK runs a tool loop with previous_response_id', async (t) => {
  const { client } = await start(t, WEATHER);
  const first = await client.responses.create({ model: 'm', input: 'Bonn' });
  const call = first.output.find((item) => item.type === 'function_call') ?? assert.fail();
  assert.deepEqual(JSON.parse(call.arguments), { city: 'Bonn' });
  const second = await client.responses.create({
    model: 'm',
    previous_response_id: first.id,
    input: [{ type: 'function_call_output', call_id: call.call_id, output: '{"sky":"grey"}' }],
  });
  assert.equal(second.output_text, 'It is grey.');
});

test('errors of the emulator become the SDK’s own error classes', async (t) => {
  const { client } = await start(t, {
    rules: [{ match: {}, reply: { error: { status: 429, code: 'rate_limit_exceeded' } } }],
  });
  await assert.rejects(client.responses.retrieve('resp_none'), NotFoundError);
  await assert.rejects(
    client.responses.create({ model: 'm', input: 'x', previous_response_id: 'resp_none' }),
    (error) =>
      error instanceof BadRequestError &&
      error.code === 'previous_response_not_found' &&
      error.param === 'previous_response_id',
  );
  await assert.rejects(
    client.responses.create({ model: 'm', input: 'x', stream: true }),
    (error) => error instanceof RateLimitError && error.code === 'rate_limit_exceeded',
  );
});

/** Sends one create and gives its events up to the terminal one; an error event rejects, as the SDK reports it. */
function turn(
  socket: ResponsesWS,
  body: { input: string; previous_response_id?: string },
): Promise<readonly ResponsesServerEvent[]> {
  return new Promise((resolve, reject) => {
    const events: ResponsesServerEvent[] = [];
    const onEvent = (event: ResponsesServerEvent) => {
      events.push(event);
      if (event.type !== 'response.completed') return;
      socket.off('event', onEvent);
      resolve(events);
    };
    socket.on('event', onEvent);
    socket.once('error', (error) => {
      socket.off('event', onEvent);
      reject(error);
    });
    socket.send({ type: 'response.create', model: 'm', store: false, ...body });
  });
}

function final(events: readonly ResponsesServerEvent[]) {
  const last = events.at(-1);
  return last?.type === 'response.completed' ? last.response : assert.fail(`ends with ${last?.type}`);
}

test('the SDK’s WebSocket runs a chain of two turns, and receives the error for an unknown id', async (t) => {
  const { emulator, client } = await start(t);
  const socket = new ResponsesWS(client);
  t.after(() => socket.close());
  const first = final(await turn(socket, { input: 'one' }));
  const second = final(await turn(socket, { input: 'two', previous_response_id: first.id }));
  assert.equal(second.previous_response_id, first.id);
  assert.equal(emulator.journal.turns()[1]?.transcript.length, 3);

  await assert.rejects(turn(socket, { input: 'x', previous_response_id: 'resp_none' }), (error) => {
    const frame = Reflect.get(Object(error), 'error');
    assert.equal(frame.status, 400);
    assert.equal(frame.error.code, 'previous_response_not_found');
    return true;
  });
  const third = final(await turn(socket, { input: 'three' }));
  assert.equal(third.status, 'completed');
});
