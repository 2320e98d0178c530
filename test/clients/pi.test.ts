// What pi sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs, newerNode, start, startProcess } from './client.js';
import { piPackage, runPi } from './pi.js';

const loop = {
  turns: [{ calls: [{ name: 'bash', arguments: { command: 'echo the-tool-ran' } }] }, { text: 'The tool said so.' }],
};

describe('pi', () => {
  test('runs a tool loop over SSE with a key', needs(piPackage), async (t) => {
    const emulator = await start(t, loop);
    await runPi(t, { baseUrl: emulator.url, api: 'openai-responses', transport: 'sse' });
    assert.deepEqual(
      emulator.journal.turns().map(({ transport, plan, outcome }) => [transport, plan, outcome]),
      [
        ['sse', 'full', 'completed'],
        ['sse', 'full', 'completed'],
      ],
    );
  });

  test(
    'P18: runs a tool loop over a WebSocket as with a ChatGPT login, the second turn a delta',
    needs(piPackage),
    async (t) => {
      const emulator = await start(t, loop, { dialect: 'chatgpt' });
      const baseUrl = new URL('/backend-api', emulator.url).href;
      await runPi(t, { baseUrl, api: 'openai-codex-responses', transport: 'websocket-cached' });
      assert.deepEqual(
        emulator.journal.turns().map(({ transport, plan, outcome }) => [transport, plan, outcome]),
        [
          ['websocket', 'full', 'completed'],
          ['websocket', 'delta', 'completed'],
        ],
      );
    },
  );

  test('P18: sends zstd over SSE as with a ChatGPT login', needs(piPackage), async (t) => {
    const { url, ca, journal } = await startProcess(t, newerNode, loop, 'chatgpt');
    const baseUrl = new URL('/backend-api', url).href;
    await runPi(t, { baseUrl, api: 'openai-codex-responses', transport: 'sse', ca });
    const { turns, connections } = await journal();
    assert.deepEqual(
      turns.map(({ transport, outcome }) => [transport, outcome]),
      [
        ['sse', 'completed'],
        ['sse', 'completed'],
      ],
    );
    assert(connections.some(({ headers }) => headers['content-encoding'] === 'zstd'));
  });
});
