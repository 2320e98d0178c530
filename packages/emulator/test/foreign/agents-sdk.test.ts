import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startEmulator, type Script } from '../../dist/index.js';

// The Agents SDK in its WebSocket mode. It is not a dependency of this workspace (npm run test:extra installs it below .cache/), and
// that mode needs the global WebSocket of Node 22 or later: without either, this says so and skips.

const EXTRA = new URL('../../../../.cache/extra/package.json', import.meta.url);
const sdk = await load('@openai/agents');
const missing =
  sdk === undefined
    ? '@openai/agents is not installed; npm run test:extra does that'
    : typeof globalThis.WebSocket === 'undefined' && 'this Node has no global WebSocket';

const SCRIPT: Script = {
  turns: [
    { text: 'I look.', calls: [{ name: 'weather', arguments: { city: 'Bonn' } }] },
    { text: 'It is {{ weather }}.' },
  ],
};

test('the Agents SDK runs an agent with a tool over one WebSocket', { skip: missing }, async (t) => {
  const { Agent, OpenAIProvider, Runner, tool } = sdk;
  const emulator = await startEmulator({ script: SCRIPT });
  t.after(() => emulator.close());
  const modelProvider = new OpenAIProvider({
    apiKey: 'sk-test',
    baseURL: emulator.url,
    useResponses: true,
    useResponsesWebSocket: true,
  });
  const weather = tool({
    name: 'weather',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    strict: true,
    execute: ({ city }: { readonly city: string }) => `grey in ${city}`,
  });
  const agent = new Agent({ name: 'Forecaster', instructions: 'Look it up.', model: 'gpt-6', tools: [weather] });
  const runner = new Runner({ modelProvider, tracingDisabled: true });
  const stream = await runner.run(agent, 'How is the weather?', { stream: true });
  await stream.completed;
  assert.equal(stream.finalOutput, 'It is grey in Bonn.');
  assert.deepEqual(
    emulator.journal.turns().map(({ transport, outcome }) => [transport, outcome]),
    [
      ['websocket', 'completed'],
      ['websocket', 'completed'],
    ],
  );
  assert.equal(new Set(emulator.journal.turns().map(({ connection }) => connection)).size, 1);
  await modelProvider.close?.();
});

async function load(name: string) {
  try {
    return await import(pathToFileURL(createRequire(EXTRA).resolve(name)).href);
  } catch {
    return undefined;
  }
}
