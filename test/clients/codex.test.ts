// P76, P129: what Codex sends, unmodified, and what it is answered.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs, start, told } from './client.js';
import { configuredCodex } from './codex.js';

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

  test('goes on with a session that it resumes', needs('codex'), async (t) => {
    const emulator = await start(t, { turns: [{ text: 'First answer.' }, { text: 'Second answer.' }] });
    const exec = await configuredCodex(t, emulator.url, true);
    assert.match((await exec(['exec', '--skip-git-repo-check', '--json', 'One.'])).said, /First answer\./);
    const { status, said } = await exec(['exec', '--skip-git-repo-check', '--json', 'resume', '--last', 'Two.']);
    assert.equal(status, 0, said);
    assert.match(said, /Second answer\./);
  });
});
