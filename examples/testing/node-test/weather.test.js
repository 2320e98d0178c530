import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startEmulator } from '@turnwire/emulator';
import { weatherIn } from './weather.js';

let emulator;
let client;

before(async () => {
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

after(() => emulator.close());

test('the model is told what the tool found, also when a request fails', async () => {
  assert.equal(await weatherIn(client, 'Paris', () => 'sunny'), 'It is sunny in Paris.');
  const [first, failed, second] = emulator.journal.turns();
  assert.deepEqual([first.outcome, failed.outcome, second.outcome], ['completed', 'refused', 'completed']);
  assert.deepEqual(second.parent, { id: first.responseId, from: 'store' });
  assert.equal(emulator.journal.bill().turns, 3);
});
