// A test without a key: the emulator plays the model, the code under test is real, and so are the sockets between them.
//
//   node examples/emulator.ts
import assert from 'node:assert/strict';
import { createClient } from '@turnwire/client';
import { startEmulator } from '@turnwire/emulator';

const emulator = await startEmulator({
  script: {
    turns: [
      { calls: [{ name: 'weather', as: 'weather', arguments: { city: 'Oslo' } }] },
      { text: 'In Oslo it is {{ weather.trim }}.' },
    ],
  },
});
const client = createClient({ baseUrl: emulator.url, transport: 'websocket' });

const asked = await client.turn({ model: 'any', input: 'What is the weather in Oslo?' }).response();
const call = asked.output.find((item) => item.type === 'function_call');
assert(call !== undefined);

const answered = client.turn({
  model: 'any',
  previous_response_id: asked.id,
  input: [{ type: 'function_call_output', call_id: call.call_id, output: 'raining' }],
});
assert.equal(await answered.text(), 'In Oslo it is raining.');

// What the server has seen: two turns on one connection, the second one with the whole conversation as its context.
const [first, second] = emulator.journal.turns();
assert.equal(first?.connection, second?.connection);
assert.deepEqual(
  second?.transcript.map((item) => item.type),
  ['message', 'function_call', 'function_call_output'],
);
console.log('two turns, one connection, one answer: right');

await client.close();
await emulator.close();
