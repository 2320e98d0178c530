const { afterAll, beforeAll, expect, test } = require('@jest/globals');
const { startEmulator } = require('@turnwire/emulator');
const { OpenAI } = require('openai');
const { weatherIn } = require('./weather.js');

let emulator;
let client;

beforeAll(async () => {
  emulator = await startEmulator({
    script: {
      turns: [
        { calls: [{ name: 'weather', arguments: { city: 'Paris' } }] },
        { text: 'It is {{ weather }} in Paris.' },
      ],
    },
    // The second turn fails once; the SDK tries again.
    faults: [{ on: { turn: 2 }, do: 'error status=503' }],
  });
  client = new OpenAI({ baseURL: emulator.url, apiKey: 'any' });
});

afterAll(() => emulator.close());

test('the model is told what the tool found, also when a request fails', async () => {
  expect(await weatherIn(client, 'Paris', () => 'sunny')).toBe('It is sunny in Paris.');
  const [first, failed, second] = emulator.journal.turns();
  expect([first.outcome, failed.outcome, second.outcome]).toEqual(['completed', 'refused', 'completed']);
  expect(second.parent).toEqual({ id: first.responseId, from: 'store' });
  expect(emulator.journal.bill().turns).toBe(3);
});
