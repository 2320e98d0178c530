// P76, P129: what Codex sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Emulator } from '@turnwire/emulator';
import { bin, home, needs, run, start, told } from './client.js';

describe('Codex', () => {
  const codex = bin('codex');

  async function configured(t: TestContext, emulator: Emulator, webSockets: boolean) {
    const folder = await home(t);
    const work = join(folder, 'work');
    await mkdir(work);
    await writeFile(
      join(folder, 'config.toml'),
      [
        'model = "gpt-5.4"',
        'model_provider = "emulator"',
        'approval_policy = "never"',
        'sandbox_mode = "danger-full-access"',
        '[model_providers.emulator]',
        'name = "emulator"',
        `base_url = "${emulator.url}"`,
        'env_key = "OPENAI_API_KEY"',
        'wire_api = "responses"',
        `supports_websockets = ${webSockets}`,
        '',
      ].join('\n'),
    );
    return (args: readonly string[]) =>
      run(t, codex, args, work, { CODEX_HOME: folder, OPENAI_API_KEY: 'any', NO_COLOR: '1' });
  }

  const LOOP = {
    turns: [
      { calls: [{ name: 'exec_command', arguments: { cmd: 'echo the-tool-ran' } }] },
      { text: 'The tool said so.' },
    ],
  };

  for (const [transport, webSockets, plans] of [
    ['websocket', true, ['full', 'delta', 'delta']],
    ['sse', false, ['full', 'full']],
  ] as const) {
    test(`runs a tool loop over ${transport}`, needs('codex'), async (t) => {
      const emulator = await start(t, LOOP);
      const exec = await configured(t, emulator, webSockets);
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

  test('goes on with a session that it resumes', needs('codex'), async (t) => {
    const emulator = await start(t, { turns: [{ text: 'First answer.' }, { text: 'Second answer.' }] });
    const exec = await configured(t, emulator, true);
    assert.match((await exec(['exec', '--skip-git-repo-check', '--json', 'One.'])).said, /First answer\./);
    const { status, said } = await exec(['exec', '--skip-git-repo-check', '--json', 'resume', '--last', 'Two.']);
    assert.equal(status, 0, said);
    assert.match(said, /Second answer\./);
  });
});
