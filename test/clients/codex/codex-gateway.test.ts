// Codex, unmodified, through `turnwire serve`: what goes up of what it sends.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promised } from '../../interop/conversations.js';
import { bin, needs, run, serve, start } from '../client.js';
import { codexHome, configuredCodex, documentedConfig } from './codex.js';

const tools = Array.from({ length: 22 }, (_, turn) => `the-tool-ran-${turn}`);

/** A loop of 24 turns over two runs of Codex: the second one resumes the session of the first. */
const loop = {
  turns: [
    ...tools.map((words, turn) => ({
      ...(turn % 3 === 0 ? { reasoning: [`Step ${turn} is next.`] } : {}),
      calls: [{ name: 'exec_command', arguments: { cmd: `echo ${words}` } }],
    })),
    { text: 'The tool said so.' },
    { text: 'It still does.' },
  ],
};

describe('gateway: Codex', () => {
  for (const [row, webSockets, warmUps] of [
    ['Codex 0.171: SSE, `exec`, then `exec resume`', false, 0],
    // Each run of Codex begins with a create that generates nothing, and continues it by its id.
    ['Codex 0.171: WebSocket, `exec`, then `exec resume`', true, 2],
  ] as const)
    test(`${row}: of 24 turns the ones that docs/gateway.md promises are sent as deltas`, needs('codex'), async (t) => {
      const emulator = await start(t, loop);
      const gateway = await serve(t, emulator.url);
      const codex = await configuredCodex(t, gateway.url, webSockets);
      const { status, said } = await codex(['exec', '--skip-git-repo-check', '--json', 'Use the tool.']);
      assert.equal(status, 0, said);
      for (const words of tools) assert(said.includes(`${words}\\n`), said);
      assert.match(said, /The tool said so\./);
      const resumed = await codex(['exec', '--skip-git-repo-check', '--json', 'resume', '--last', 'Again.']);
      assert.equal(resumed.status, 0, resumed.said);
      assert.match(resumed.said, /It still does\./);

      const turns = emulator.journal.turns();
      assert.equal(turns.length, 24 + warmUps);
      for (const { transport, outcome } of turns) assert.deepEqual([transport, outcome], ['websocket', 'completed']);
      assert.equal(turns.filter(({ plan }) => plan === 'delta').length, promised(row, 'gateway.md'));
      // The last turn knows every result of the first run, each of them once.
      const results = turns.at(-1)?.transcript.filter(({ type }) => type === 'function_call_output') ?? [];
      assert.equal(results.length, tools.length);
      for (const [index, words] of tools.entries()) assert(JSON.stringify(results[index]).includes(`${words}\\n`));

      assert.deepEqual(
        (await gateway.turns(turns.length)).map(({ downstream, outcome, attempts }) => [downstream, outcome, attempts]),
        turns.map(() => [webSockets ? 'websocket' : 'sse', 'completed', 1]),
      );
    });

  test('the config.toml of docs/gateway.md takes Codex to a gateway, over a WebSocket', needs('codex'), async (t) => {
    const emulator = await start(t, { turns: [{ text: 'As the page says.' }] });
    const gateway = await serve(t, emulator.url);
    const { work, env } = await codexHome(t, { baseURL: gateway.url, webSockets: true });
    await writeFile(join(String(env['CODEX_HOME']), 'config.toml'), documentedConfig(gateway.url));
    const { status, said } = await run(t, bin('codex'), ['exec', '--skip-git-repo-check', 'Hello.'], work, env);
    assert.equal(status, 0, said);
    assert.match(said, /As the page says\./);
    assert((await gateway.turns(1)).every(({ downstream }) => downstream === 'websocket'));
  });

  test('codex doctor finds the provider reachable, over HTTP and by a WebSocket', needs('codex'), async (t) => {
    const gateway = await serve(t, (await start(t, { turns: [{ text: 'Unasked.' }] })).url);
    const { said } = await (await configuredCodex(t, gateway.url, true))(['doctor', '--json']);
    const { checks } = JSON.parse(said) as { checks: Record<string, { status: string; details: object }> };
    assert.equal(checks['network.provider_reachability']?.status, 'ok', said);
    assert.match(JSON.stringify(checks['network.websocket_reachability']), /"ok".*101 Switching Protocols/);
  });
});
