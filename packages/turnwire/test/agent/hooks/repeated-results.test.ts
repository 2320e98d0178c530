import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession } from '../../../dist/agent/session.js';
import { openTools } from '../../../dist/agent/tools/toolsets.js';
import type { Agent } from '../../../dist/config/agent.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { agent } from '../agent.js';
import { scratch } from '../scratch.js';
import { call, say, scriptedClient } from '../scripted-client.js';

const elide = { hooks: { type: 'builtin', command: 'elide_repeated_tool_results' } };
const marker = /^\[the tool ran, and returned the same \d+ bytes as your last call of it with these arguments;/;
const long = 'a line of notes\n'.repeat(20);

/** The results of these calls, one a turn, that the model gets. */
async function results(
  t: TestContext,
  calls: readonly (readonly [name: string, args: object])[],
  { more = {}, before = [], at = () => Promise.resolve() }: Setting = {},
): Promise<string[]> {
  const directory = await scratch(t, { 'notes.md': long, 'other.md': long, 'short.md': 'x' });
  const toolbox = await openTools([{ type: 'filesystem' }, { type: 'shell' }], {
    directory,
    env: { PATH: process.env['PATH'] },
  });
  t.after(toolbox.close);
  const turns = calls.map(([name, args], index) => ({ output: [call(String(index), name, args)] }));
  const session = createSession({
    client: scriptedClient([...turns, { output: [say('Done.')] }]),
    agent: { ...agent, hooks: hooksSchema.parse({ tool_response_transform: [...before, elide] }), ...more },
    tools: toolbox.tools,
    hooksIn: { directory, env: { PATH: process.env['PATH'] } },
    approval: 'yolo',
  });
  const seen: string[] = [];
  for await (const event of session.run('Go.') as AsyncIterable<AgentEvent>) {
    if (event.type !== 'tool_call_response') continue;
    seen.push(event.response);
    await at(directory, seen.length);
  }
  return seen;
}

interface Setting {
  more?: Partial<Agent>;
  /** Hooks that stand before it. */
  before?: readonly object[];
  /** Called after each result. */
  at?: (directory: string, count: number) => Promise<void>;
}

const read = (path: string) => ['read_file', { path }] as const;

describe('elide_repeated_tool_results', () => {
  test('a result that the model has already is not repeated; a call that asks once more gets it whole', async (t) => {
    const [first = '', second = '', third, fourth = ''] = await results(t, Array(4).fill(read('notes.md')));
    assert.match(first, /a line of notes/);
    assert.match(second, marker);
    assert.equal(third, first);
    assert.match(fourth, marker);
  });

  test('a file that has changed is told whole', async (t) => {
    const changed = `${long}and one more\n`;
    const at = (directory: string, count: number) =>
      count === 1 ? writeFile(join(directory, 'notes.md'), changed) : Promise.resolve();
    const [, second = '', third = ''] = await results(t, Array(3).fill(read('notes.md')), { at });
    assert.match(second, /and one more/);
    assert.match(third, marker);
  });

  test('other arguments, short results, failures and commands are never shortened', async (t) => {
    const calls = [
      read('notes.md'),
      read('other.md'),
      read('short.md'),
      read('short.md'),
      read('none.md'),
      read('none.md'),
    ];
    const echo = ['shell', { cmd: `echo ${'x'.repeat(400)}` }] as const;
    for (const result of await results(t, [...calls, echo, echo])) assert.doesNotMatch(result, marker);
  });

  test('a result that the model is no longer sent is told whole', async (t) => {
    const gone = { more: { maxOldToolCallTokens: 10 } };
    for (const result of await results(t, [read('notes.md'), read('notes.md')], gone))
      assert.doesNotMatch(result, marker);
  });

  test('compares what other hooks have left of a result', async (t) => {
    const before = [{ hooks: { type: 'builtin', command: 'redact_secrets' } }];
    const at = (directory: string, count: number) =>
      writeFile(join(directory, 'notes.md'), `${long}ghp_${String(count).repeat(36)}\n`);
    const [, second = '', third = ''] = await results(t, Array(3).fill(read('notes.md')), { before, at });
    assert.match(second, /\[REDACTED\]/);
    assert.match(third, marker);
  });
});
