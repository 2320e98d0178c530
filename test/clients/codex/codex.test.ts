// P76, P129: what Codex sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bin, needs, run, start, told } from '../client.js';
import { codexHome, configuredCodex } from './codex.js';

const loop = {
  turns: [
    { calls: [{ name: 'exec_command', arguments: { cmd: 'echo the-tool-ran' } }] },
    { text: 'The tool said so.' },
  ],
};

describe('Codex', () => {
  for (const [transport, webSockets, plans] of [
    ['websocket', true, ['full', 'delta', 'delta']],
    ['sse', false, ['full', 'full']],
  ] as const) {
    test(`runs a tool loop over ${transport}`, needs('codex'), async (t) => {
      const emulator = await start(t, loop);
      const exec = await configuredCodex(t, emulator.url, webSockets);
      const { status, said } = await exec(['exec', '--skip-git-repo-check', '--json', 'Use the tool.']);
      assert.equal(status, 0, said);
      assert.match(said, /the-tool-ran\\n/);
      assert.match(said, /The tool said so\./);
      // The warm-up over a WebSocket is a turn of its own; what follows are deltas of it.
      assert.deepEqual(
        told(emulator.journal.turns()),
        plans.map((plan) => [transport, plan, 'completed']),
      );
    });
  }

  test('applies a patch that the model asks for by apply_patch', needs('codex'), async (t) => {
    const patch = '*** Begin Patch\n*** Add File: new.txt\n+patched\n*** End Patch';
    const emulator = await start(t, { turns: [{ calls: [{ name: 'apply_patch', input: patch }] }, { text: 'Done.' }] });
    const { work, env } = await codexHome(t, { baseURL: emulator.url, webSockets: true, model: 'gpt-5.5' });
    const { status, said } = await run(t, bin('codex'), ['exec', '--skip-git-repo-check', '--json', 'Go.'], work, env);
    assert.equal(status, 0, said);
    assert.match(said, /Done\./);
    assert.equal(await readFile(join(work, 'new.txt'), 'utf8'), 'patched\n');
    const result = emulator.journal
      .turns()
      .at(-1)
      ?.transcript.find(({ type }) => type === 'custom_tool_call_output');
    assert.match(String(result?.['output']), /Success/);
  });

  test('codex doctor finds the emulator reachable, over HTTP and by a WebSocket', needs('codex'), async (t) => {
    const codex = await configuredCodex(t, (await start(t)).url, true);
    const { said } = await codex(['doctor', '--json']);
    const { checks } = JSON.parse(said) as { checks: Record<string, { status: string; details: object }> };
    assert.equal(checks['network.provider_reachability']?.status, 'ok', said);
    assert.match(JSON.stringify(checks['network.websocket_reachability']), /"ok".*101 Switching Protocols/);
  });

  test('continues a resumed session', needs('codex'), async (t) => {
    const emulator = await start(t, { turns: [{ text: 'First answer.' }, { text: 'Second answer.' }] });
    const exec = await configuredCodex(t, emulator.url, true);
    assert.match((await exec(['exec', '--skip-git-repo-check', '--json', 'One.'])).said, /First answer\./);
    const { status, said } = await exec(['exec', '--skip-git-repo-check', '--json', 'resume', '--last', 'Two.']);
    assert.equal(status, 0, said);
    assert.match(said, /Second answer\./);
  });
});
