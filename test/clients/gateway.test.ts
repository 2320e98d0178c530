// opencode and pi, unmodified, through `turnwire serve`: what goes up of what they send.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { loopTurns, promised } from '../interop/conversations.js';
import { needs, serve, start, type Ended } from './client.js';
import { runOpencode } from './opencode.js';
import { piPackage, runPi } from './pi.js';

const words = Array.from({ length: loopTurns - 1 }, (_, turn) => `the-tool-ran-${turn}`);
const script = {
  // The first request of opencode is for a title, without tools.
  rules: [{ match: { input: 'title' }, reply: { text: 'A title' } }],
  turns: [
    ...words.map((word, turn) => ({
      ...(turn % 3 === 0 ? { reasoning: [`Step ${turn} is next.`] } : {}),
      calls: [{ name: 'bash', arguments: { command: `echo ${word}`, description: 'a test' } }],
    })),
    { text: 'The tool said so.' },
  ],
};

describe('gateway: agents of other projects', () => {
  for (const [row, name, ask] of [
    ['opencode 1.18: SSE', 'opencode', (t, url) => runOpencode(t, url, false)],
    ['opencode 1.18: WebSocket', 'opencode', (t, url) => runOpencode(t, url, true)],
    ['pi 1.6: SSE', piPackage, (t, baseUrl) => runPi(t, { baseUrl, api: 'openai-responses', transport: 'sse' })],
  ] satisfies [string, string, (t: TestContext, url: string) => Promise<Ended>][])
    test(
      `${row}: of ${loopTurns} turns the ones that docs/gateway.md promises are sent as deltas`,
      needs(name),
      async (t) => {
        const emulator = await start(t, script);
        const { status, said } = await ask(t, (await serve(t, emulator.url)).url);
        assert.equal(status, 0, said);
        assert.match(said, /The tool said so\./);
        const turns = emulator.journal
          .turns()
          .filter(({ transcript }) => !JSON.stringify(transcript).includes('title'));
        assert.deepEqual(
          turns.map(({ outcome }) => outcome),
          turns.map(() => 'completed'),
        );
        assert.equal(turns.length, loopTurns);
        assert.equal(turns.filter(({ plan }) => plan === 'delta').length, promised(row, 'gateway.md'));
        const results = turns.at(-1)?.transcript.filter(({ type }) => type === 'function_call_output') ?? [];
        assert.equal(results.length, words.length);
        for (const [index, word] of words.entries()) assert(JSON.stringify(results[index]).includes(word));
      },
    );
});
