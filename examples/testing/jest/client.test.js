const { afterAll, beforeAll, expect, test } = require('@jest/globals');
const { createClient, TurnwireError } = require('@turnwire/client');
const { createFetch } = require('@turnwire/client/fetch');
const { startEmulator } = require('@turnwire/emulator');
const { OpenAI } = require('openai');

let emulator;

beforeAll(async () => {
  emulator = await startEmulator({ script: { turns: [{ text: 'Hello.' }] } });
});

afterAll(() => emulator.close());

test('a turn of the client', async () => {
  const client = createClient({ baseUrl: emulator.url, transport: 'websocket' });
  expect(await client.turn({ model: 'any', input: 'Say hello.' }).text()).toBe('Hello.');
  await client.close();
});

test('a turn of the SDK over our fetch', async () => {
  const fetch = createFetch();
  const openai = new OpenAI({ baseURL: emulator.url, apiKey: 'any', fetch });
  const { output_text: text } = await openai.responses.create({ model: 'any', input: 'Say hello.' });
  expect(text).toBe('Hello.');
  await fetch.close();
});

test('what fails is a TurnwireError', async () => {
  const client = createClient({ baseUrl: emulator.url });
  const failure = client.turn({ model: 'any', input: 3 }).response();
  await expect(failure).rejects.toThrow(TurnwireError);
  await client.close();
});
