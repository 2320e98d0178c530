// What opencode sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs, start } from './client.js';
import { runOpencode } from './opencode.js';

describe('opencode', () => {
  for (const [transport, webSockets] of [
    ['sse', false],
    ['websocket', true],
  ] as const)
    test(`runs a tool loop over ${transport}`, needs('opencode'), async (t) => {
      const emulator = await start(t, {
        // The first request is for a title, without tools.
        rules: [{ match: { input: 'title' }, reply: { text: 'A title' } }],
        turns: [
          { calls: [{ name: 'bash', arguments: { command: 'echo the-tool-ran', description: 'a test' } }] },
          { text: 'The tool said so.' },
        ],
      });
      const { status, said } = await runOpencode(t, emulator.url, webSockets);
      assert.equal(status, 0, said);
      assert.match(said, /the-tool-ran/);
      assert.match(said, /The tool said so\./);
      const loop = emulator.journal.turns().filter(({ transcript }) => !JSON.stringify(transcript).includes('title'));
      assert.deepEqual(
        loop.map(({ transport: over, outcome }) => [over, outcome]),
        [
          [transport, 'completed'],
          [transport, 'completed'],
        ],
      );
    });
});
