import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { HookVerdict } from '../../../dist/agent/hooks/hook-verdict.js';
import { type HookCall, runHooks } from '../../../dist/agent/hooks/hooks.js';
import { type Hooks, hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { scratch } from '../scratch.js';

const skip = process.platform === 'win32' ? 'POSIX shell' : false;

interface Asked extends Partial<Omit<HookCall, 'signal'>> {
  hooks: unknown;
  signal?: AbortSignal;
  expand?: (values: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>;
}

async function verdictOf(t: TestContext, { hooks, expand, ...call }: Asked): Promise<HookVerdict & { folder: string }> {
  const folder = await scratch(t, { 'sub/x': '' });
  const parsed: Hooks = hooksSchema.parse(hooks);
  const verdict = await runHooks(
    parsed,
    {
      point: 'pre_tool_use',
      tool: { name: 'shell' },
      event: { tool_input: { cmd: 'ls' } },
      signal: new AbortController().signal,
      ...call,
    },
    { directory: folder, env: { PATH: process.env['PATH'] }, expand },
  );
  return { ...verdict, folder };
}

const command = (text: string, more: object = {}) => ({ type: 'command', command: text, ...more });
const before = (text: string, more: object = {}) => ({
  pre_tool_use: [{ matcher: 'shell', hooks: [command(text, more)] }],
});

describe('hooks of pre_tool_use: fail closed', { skip }, () => {
  /** How a hook ends, and what is said of it. */
  const ends: readonly (readonly [string, string, RegExp])[] = [
    ['status 1', 'echo broken >&2; exit 1', /^it ended with status 1: broken$/],
    ['status 2', 'echo policy >&2; exit 2', /^policy$/],
    ['status 2 with a reason in JSON', `echo '{"decision":"block","reason":"policy"}'; exit 2`, /^policy$/],
    ['status 3', 'exit 3', /^it ended with status 3$/],
    ['status 126, no permission', 'touch x; ./x', /^it ended with status 126/],
    ['status 127, no such command', './nothing-there', /^it ended with status 127/],
    ['a signal', 'kill -9 $$', /^it ended with signal SIGKILL$/],
    ['status 0 and half of JSON', `printf '{"continue": tr'`, /begins as JSON/],
    ['status 0 and two answers', `echo '{}'; echo '{"decision":"block"}'`, /begins as JSON/],
    ['status 0 and a remark before the answer', `echo checked; echo '{}'`, /no answer/],
    ['status 0 and a text', 'echo deny', /no answer/],
    ['status 0 and a wrong decision', `echo '{"decision":"deny"}'`, /"decision" must be block/],
    [
      'status 0 and an unsupported field',
      `echo '{"hookSpecificOutput":{}}'`,
      /hookSpecificOutput, which turnwire does not support/,
    ],
    ['status 0 and too much', `echo '{'; head -c 400000 /dev/zero | tr '\\0' ' '; echo '}'`, /more than 256 KiB/],
    ['block', `echo '{"decision":"block","reason":"policy"}'`, /^policy$/],
    ['continue: false', `echo '{"continue":false,"stop_reason":"enough"}'`, /^enough$/],
    [
      'deny',
      `echo '{"hook_specific_output":{"permission_decision":"deny","permission_decision_reason":"no"}}'`,
      /^no$/,
    ],
    [
      'an answer that comes late, from a process left behind',
      `(sleep 1; echo '{"decision":"block","reason":"late"}') &`,
      /^late$/,
    ],
  ];
  for (const [name, text, expected] of ends) {
    test(`${name} blocks the call`, async (t) => {
      const { blocked } = await verdictOf(t, { hooks: before(text) });
      assert.match(blocked?.reason ?? 'it ran', expected);
      assert.ok(text.startsWith(blocked?.by.replace(/…$/, '') ?? 'nobody'), blocked?.by);
    });
  }

  test('a timeout blocks the call, and ends the processes of the hook', async (t) => {
    const { blocked } = await verdictOf(t, { hooks: before('sleep 1000 & sleep 1000', { timeout: 1 }) });
    assert.equal(blocked?.reason, 'it took longer than 1 s');
  });

  test('a missing folder and a missing variable block the call', async (t) => {
    const { blocked } = await verdictOf(t, { hooks: before('true', { working_dir: 'nowhere' }) });
    assert.match(blocked?.reason ?? '', /^it cannot be started/);
    const expand = () => Promise.reject(new Error('TOKEN is not set'));
    const missing = await verdictOf(t, { hooks: before('true', { env: { T: '${env.TOKEN}' } }), expand });
    assert.equal(missing.blocked?.reason, 'TOKEN is not set');
  });

  test('on_error of a pre_tool_use hook lets no call pass', async (t) => {
    const { blocked } = await verdictOf(t, { hooks: before('exit 1', { on_error: 'ignore', name: 'guard' }) });
    assert.deepEqual(blocked, { by: 'guard', reason: 'it ended with status 1' });
  });

  for (const text of ['true', `echo '{}'`, `echo '{"continue":true}'`, 'cat > /dev/null']) {
    test(`${text} lets the call pass`, async (t) => {
      assert.equal((await verdictOf(t, { hooks: before(text) })).blocked, undefined);
    });
  }

  test('all hooks run, also after a refusal; the model is told the first one', async (t) => {
    const hooks = { pre_tool_use: [{ hooks: [command('exit 2'), command('touch asked'), command('exit 1')] }] };
    const { blocked, folder } = await verdictOf(t, { hooks });
    assert.deepEqual(blocked, { by: 'exit 2', reason: '' });
    assert.equal(await readFile(join(folder, 'asked'), 'utf8'), '');
  });

  test('a hook without a name is named by the first line of its command', async (t) => {
    const { blocked } = await verdictOf(t, { hooks: before('exit 2\necho never') });
    assert.equal(blocked?.by, 'exit 2…');
  });

  test('the end of a run ends its hooks, which then have no answer', async (t) => {
    const signal = AbortSignal.timeout(200);
    await assert.rejects(verdictOf(t, { hooks: before('sleep 1000'), signal }), { name: 'TimeoutError' });
  });
});

describe('hooks: input', { skip }, () => {
  test('arguments that a hook gives as they were are not changed', async (t) => {
    const same = `echo '{"hook_specific_output":{"updated_input":{"cmd":"ls"}}}'`;
    const event = { tool_input: { cmd: 'ls', cwd: 'sub' } };
    const { input, changedBy } = await verdictOf(t, { hooks: { pre_tool_use: { hooks: [command(same)] } }, event });
    assert.deepEqual([input, changedBy], [event.tool_input, undefined]);
  });

  test('changed arguments go to the next hook, and arguments that a hook does not name stay', async (t) => {
    const change = (input: object) => `echo '${JSON.stringify({ hook_specific_output: { updated_input: input } })}'`;
    const hooks = {
      pre_tool_use: {
        hooks: [
          command(change({ cmd: 'ls -h' })),
          command('cat > seen.json'),
          command(change({ timeout: 5 }), { name: 'limit' }),
        ],
      },
    };
    const { input, changedBy, folder } = await verdictOf(t, {
      hooks,
      event: { tool_input: { cmd: 'ls', cwd: 'sub' } },
    });
    assert.deepEqual([input, changedBy], [{ cmd: 'ls -h', cwd: 'sub', timeout: 5 }, 'limit']);
    const seen: unknown = JSON.parse(await readFile(join(folder, 'seen.json'), 'utf8'));
    assert.deepEqual(seen, {
      hook_event_name: 'pre_tool_use',
      cwd: folder,
      tool_name: 'shell',
      tool_input: { cmd: 'ls -h', cwd: 'sub' },
    });
  });

  test('a hook that hands its input on by echo gets a call of several lines, with quotes and backslashes, unchanged', async (t) => {
    const cmd = 'true\nrm -rf "x" \\ \t\r\b\f é \u0001 \\n';
    const text = 'INPUT=$(cat); echo "$INPUT" > seen.json; echo "$INPUT" | grep -q "rm -rf" && exit 2; exit 0';
    const { blocked, folder } = await verdictOf(t, { hooks: before(text), event: { tool_input: { cmd } } });
    assert.ok(blocked !== undefined);
    const seen = JSON.parse(await readFile(join(folder, 'seen.json'), 'utf8')) as { tool_input: unknown };
    assert.deepEqual(seen.tool_input, { cmd });
  });

  test('a hook has its own variables and its own folder', async (t) => {
    const hooks = {
      session_start: command('echo "$PROFILE $(basename "$PWD")"', { env: { PROFILE: 'dev' }, working_dir: 'sub' }),
    };
    const { context } = await verdictOf(t, { hooks, point: 'session_start', event: {} });
    assert.deepEqual(context, ['dev sub']);
  });
});

describe('hooks: matchers', { skip }, () => {
  const tool = { name: 'github_get_issue', alias: 'mcp:github:get_issue' };
  const job = { name: 'run_background_job', restrictedAs: 'shell', command: 'cmd' };
  /** A matcher, a tool, and the name that the hook is told; undefined: it is not asked. */
  const table: readonly (readonly [string, NonNullable<HookCall['tool']>, string | undefined])[] = [
    ['*', tool, 'github_get_issue'],
    ['', tool, 'github_get_issue'],
    ['.*', job, 'run_background_job'],
    ['shell', { name: 'shell' }, 'shell'],
    ['shell|edit_file', { name: 'edit_file' }, 'edit_file'],
    ['shell', { name: 'shell_script' }, undefined],
    ['ell', { name: 'shell' }, undefined],
    ['SHELL', { name: 'shell' }, undefined],
    ['(?i)SHELL', { name: 'shell' }, 'shell'],
    ['shell', job, 'shell'],
    ['run_background_job', job, 'run_background_job'],
    ['mcp:.*', tool, 'mcp:github:get_issue'],
    ['mcp:github:get_.*', tool, 'mcp:github:get_issue'],
    ['mcp:gitlab:.*', tool, undefined],
    ['github_.*', tool, 'github_get_issue'],
    ['read_file', { name: 'read_multiple_files', restrictedAs: 'read_file' }, undefined],
  ];
  for (const [matcher, which, name] of table) {
    test(`"${matcher}" and ${which.name}: ${name ?? 'not asked'}`, async (t) => {
      const hooks = {
        pre_tool_use: [{ matcher, hooks: [command(`sed 's/.*"tool_name":"\\([^"]*\\)".*/\\1/' >&2; exit 2`)] }],
      };
      const { blocked } = await verdictOf(t, { hooks, tool: which });
      assert.equal(blocked?.reason, name);
    });
  }

  for (const matcher of ['(', 'a)|(b', '\\Ashell\\z', '[[:alpha:]]+', '(?P<n>x)', '\\Qshell\\E']) {
    test(`${matcher} is refused, because its hooks would never run`, () => {
      assert.throws(() => hooksSchema.parse({ pre_tool_use: [{ matcher, hooks: [] }] }), /a regular expression/);
    });
  }
});

describe('hooks at other points: a refusal and a failure are reported, and end nothing', { skip }, () => {
  const no = `echo '{"decision":"block","reason":"no"}'`;
  for (const point of ['session_start', 'session_end', 'on_user_input', 'stop', 'notification'] as const) {
    test(point, async (t) => {
      const hooks = {
        [point]: [
          command(no),
          command('exit 1', { name: 'one' }),
          command('exit 2'),
          command('exit 1', { on_error: 'ignore' }),
        ],
      };
      const { blocked, warnings } = await verdictOf(t, { hooks, point, tool: undefined, event: {} });
      assert.equal(blocked, undefined);
      assert.deepEqual(warnings, [
        `the hook ${no} says no, which ends nothing here: no`,
        'the hook one failed: it ended with status 1',
        'the hook exit 2 says no, which ends nothing here',
      ]);
    });
  }

  test('post_tool_use: a no ends the run, a failure only with on_error: block', async (t) => {
    const at = async (entry: object) => {
      const hooks = { post_tool_use: { hooks: entry } };
      const { blocked, warnings } = await verdictOf(t, { hooks, point: 'post_tool_use' });
      return [blocked?.reason, warnings];
    };
    assert.deepEqual(await at(command(no)), ['no', []]);
    assert.deepEqual(await at(command('exit 2')), ['', []]);
    assert.deepEqual(await at(command('exit 1')), [undefined, ['the hook exit 1 failed: it ended with status 1']]);
    assert.deepEqual(await at(command('exit 1', { on_error: 'block' })), ['it ended with status 1', []]);
  });

  test('the model gets plain text of session_start, post_tool_use and stop only, and additional_context of these too', async (t) => {
    const said = `echo '{"hook_specific_output":{"additional_context":"more"}}'`;
    for (const point of [
      'session_start',
      'post_tool_use',
      'stop',
      'session_end',
      'on_user_input',
      'notification',
    ] as const) {
      const list = [command('echo " a text "'), command(said, { name: 'words' })];
      const hooks = { [point]: point === 'post_tool_use' ? [{ hooks: list }] : list };
      const { context, warnings } = await verdictOf(t, { hooks, point });
      const takes = point === 'session_start' || point === 'post_tool_use' || point === 'stop';
      assert.deepEqual(context, takes ? ['a text', 'more'] : []);
      assert.deepEqual(
        warnings,
        takes ? [] : [`the hook words failed: it answered with additional_context, which is not supported at ${point}`],
      );
    }
  });

  test('an unsupported field is reported, and the supported ones beside it count', async (t) => {
    const hooks = { session_start: command(`echo '{"system_message":"hello","suppress":1}'`, { name: 'x' }) };
    const { warnings } = await verdictOf(t, { hooks, point: 'session_start', event: {} });
    assert.deepEqual(warnings, [
      'the hook x failed: it answered with suppress, which turnwire does not support',
      'hello',
    ]);
  });

  test('a process that a hook leaves running is not waited for', async (t) => {
    const began = performance.now();
    await verdictOf(t, { hooks: { stop: command('sleep 50 &') }, point: 'stop', event: {} });
    assert.ok(performance.now() - began < 30_000);
  });
});
