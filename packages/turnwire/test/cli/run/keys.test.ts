import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startEmulator } from '@turnwire/emulator';
import { turnwire } from '../console.js';
import { scratch } from '../scratch.js';
import { skip } from './hooked-run.js';

/** A run of an agent with these keys; the requests of its turns. */
async function requestsOf(t: Parameters<typeof scratch>[0], agent: string, files: Readonly<Record<string, string>>) {
  const call = (cmd: string, more = {}) => ({ calls: [{ name: 'shell', arguments: { cmd, ...more } }] });
  const emulator = await startEmulator({
    script: { turns: [call('echo first; seq 100', { description: 'counts' }), call('echo second'), { text: 'Done.' }] },
  });
  t.after(() => emulator.close());
  const folder = await scratch(t, {
    ...files,
    'agent.yaml': `models: { m: { provider: mine, model: any, base_url: "${emulator.url}", provider_opts: { transport: sse } } }
agents:
  root:
    model: m
${agent.replace(/^(?=.)/gm, '    ')}`,
  });
  const ended = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--yolo'], { cwd: folder });
  assert.equal(ended.status, 0, ended.stderr);
  return emulator.journal.turns().map(
    ({ request }) =>
      request as {
        instructions: string;
        input: { type: string; output?: string }[];
        tools: { name: string; parameters: { properties: Record<string, unknown> } }[];
      },
  );
}

describe('keys of an agent file at work', { skip }, () => {
  test('old results, paragraphs, memories, prompt files in subfolders and descriptions of calls have their effect', async (t) => {
    const requests = await requestsOf(
      t,
      `instruction: [First., Second.]
max_old_tool_call_tokens: 20
add_description_parameter: true
inject_memories: true
add_prompt_files: [AGENTS.md]
add_prompt_files_depth: 2
toolsets: [{ type: shell, tools: [shell] }, { type: memory, path: notes.json }]
`,
      {
        'notes.json': JSON.stringify([{ id: 'a1', created: '2026-01-01T00:00:00Z', memory: 'Tea, not coffee.' }]),
        'AGENTS.md': 'Be brief.\n',
        'one/AGENTS.md': 'x',
        'one/two/AGENTS.md': 'x',
        'one/two/three/AGENTS.md': 'x',
      },
    );
    const [first, , last] = requests;
    assert.match(first?.instructions ?? '', /^First\.\n\nSecond\.\n/);
    assert.match(first?.instructions ?? '', /You remember:\n- a1: Tea, not coffee\./);
    assert.match(first?.instructions ?? '', /Be brief\./);
    assert.match(first?.instructions ?? '', /read its file:\n- one\/AGENTS\.md\n- one\/two\/AGENTS\.md$/);
    const shell = first?.tools.find(({ name }) => name === 'shell');
    assert.ok(shell !== undefined && 'description' in shell.parameters.properties);
    const outputs = last?.input.flatMap(({ output }) => output ?? []);
    assert.deepEqual(outputs?.length, 2);
    assert.match(outputs?.[0] ?? '', /^\[this result is no longer shown/);
    assert.match(outputs?.[1] ?? '', /^second/);
  });
});
