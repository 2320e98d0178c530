// What opencode sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bin, home, needs, run, start } from './client.js';

describe('opencode', () => {
  for (const [transport, webSockets] of [
    ['sse', 'false'],
    ['websocket', 'true'],
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
      const folder = await home(t);
      const work = join(folder, 'work');
      await mkdir(work);
      // The WebSocket is for the provider of this name alone, and only with a key that it has stored.
      const data = join(folder, 'DATA', 'opencode');
      await mkdir(data, { recursive: true });
      await writeFile(join(data, 'auth.json'), JSON.stringify({ openai: { type: 'api', key: 'any' } }));
      const provider = { openai: { options: { baseURL: emulator.url }, models: { 'gpt-5.4': { name: 'gpt-5.4' } } } };
      const configuration = { permission: { bash: 'allow' }, provider };
      await writeFile(join(work, 'opencode.json'), JSON.stringify(configuration));
      const env = {
        // Its project is where PWD says, not where the process is; elsewhere its provider is "Unexpected server error".
        PWD: work,
        HOME: folder,
        ...Object.fromEntries(
          ['CONFIG', 'DATA', 'CACHE', 'STATE'].map((name) => [`XDG_${name}_HOME`, join(folder, name)]),
        ),
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_EXPERIMENTAL_WEBSOCKETS: webSockets,
      };
      const { status, said } = await run(
        t,
        bin('opencode'),
        ['run', '--model', 'openai/gpt-5.4', 'Use the tool.'],
        work,
        env,
      );
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
