import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import type { HookPoint } from '../../../dist/agent/hooks/hook-point.js';
import { runHooks } from '../../../dist/agent/hooks/hooks.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { scratch } from '../scratch.js';

const now = new Date('2026-02-03T04:05:06Z');

async function verdictOf(
  t: TestContext,
  point: HookPoint,
  hook: object,
  event: object = {},
  folder?: string,
  home?: string,
) {
  const directory = folder ?? (await scratch(t));
  const builtin = { type: 'builtin', ...hook };
  const matched = 'tool_input' in event;
  const hooks = hooksSchema.parse({ [point]: matched ? { hooks: builtin } : builtin });
  const env = { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1' };
  const { signal } = new AbortController();
  return runHooks(
    hooks,
    { point, tool: { name: 'shell' }, event: { ...event }, signal },
    { directory, env, now, home },
  );
}

const git = (folder: string, ...args: readonly string[]): void =>
  void execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
    cwd: folder,
    stdio: 'pipe',
  });

async function repository(t: TestContext): Promise<string> {
  const folder = await scratch(t, { 'a.txt': 'one\n', 'b/c.txt': 'two\n', '.hidden': '' });
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', 'a.txt');
  git(folder, 'commit', '-q', '-m', 'First');
  git(folder, 'commit', '-q', '-m', 'Second', '--allow-empty');
  return folder;
}

describe('builtin hooks: context for the model', () => {
  test('add_date: the date of the run', async (t) => {
    const { context } = await verdictOf(t, 'turn_start', { command: 'add_date' });
    assert.deepEqual(context, ['Today is 2026-02-03.']);
  });

  test('add_environment_info: the working directory and the system', async (t) => {
    const folder = await repository(t);
    const { context } = await verdictOf(t, 'session_start', { command: 'add_environment_info' }, {}, folder);
    assert.match(context.join(), new RegExp(`${process.platform} \\(${process.arch}\\)`));
    assert.ok(context.join().includes(`${folder}, and it is in a git repository`));
  });

  test('add_prompt_files: the existing files, and a failure for one that is too large', async (t) => {
    const folder = await scratch(t, { 'A.md': 'first', 'C.md': 'x'.repeat(300_000) });
    const args = ['A.md', 'NOWHERE.md'];
    const { context } = await verdictOf(t, 'turn_start', { command: 'add_prompt_files', args }, {}, folder);
    assert.deepEqual(context, ['From A.md:\n\nfirst']);
    const deep = await scratch(t, { 'A.md': 'first', 'x/A.md': '', 'x/y/A.md': '' });
    const below = { command: 'add_prompt_files', args: ['--depth=1', 'A.md'] };
    assert.match((await verdictOf(t, 'turn_start', below, {}, deep)).context.join(), /first\n\n.*:\n- x\/A\.md$/);
    const large = await verdictOf(t, 'turn_start', { command: 'add_prompt_files', args: ['C.md'] }, {}, folder);
    assert.match(large.warnings.join(), /the hook add_prompt_files failed: C\.md, .* is larger than 256 KiB/);
  });

  test('add_git_status, add_git_diff and add_recent_commits: the output of git', async (t) => {
    const folder = await repository(t);
    execFileSync('sh', ['-c', 'echo changed > a.txt'], { cwd: folder });
    const said = async (command: string, args?: string[]) =>
      (await verdictOf(t, 'turn_start', { command, args }, {}, folder)).context.join();
    assert.match(await said('add_git_status'), /## main\n M a\.txt/);
    assert.match(await said('add_git_diff'), /a\.txt \| 2 \+-/);
    assert.match(await said('add_git_diff', ['full']), /-one\n\+changed/);
    assert.match(await said('add_recent_commits'), /^The last 10 commits:\n\w+ Second\n\w+ First$/);
    assert.match(await said('add_recent_commits', ['1']), /^The last 1 commits:\n\w+ Second$/);
  });

  test('git hooks add nothing outside of a repository, and run no program that a repository names', async (t) => {
    for (const command of ['add_git_status', 'add_git_diff', 'add_recent_commits'])
      assert.deepEqual((await verdictOf(t, 'turn_start', { command })).context, []);
    const folder = await repository(t);
    execFileSync('sh', ['-c', 'echo changed > a.txt'], { cwd: folder });
    for (const [name, value] of [
      ['diff.external', 'touch ran; true'],
      ['core.fsmonitor', 'touch ran; true'],
      ['core.pager', 'touch ran; cat'],
    ] as const)
      git(folder, 'config', name, value);
    for (const args of [undefined, ['full']])
      await verdictOf(t, 'turn_start', { command: 'add_git_diff', args }, {}, folder);
    await verdictOf(t, 'turn_start', { command: 'add_git_status' }, {}, folder);
    const { context } = await verdictOf(t, 'session_start', { command: 'add_directory_listing' }, {}, folder);
    assert.deepEqual(context, ['The working directory has:\na.txt\nb/']);
  });

  test('add_directory_listing: a hundred entries, and how many more', async (t) => {
    const names = Array.from({ length: 103 }, (_, index) => `f${String(index).padStart(3, '0')}`);
    const folder = await scratch(t, Object.fromEntries(names.map((name) => [name, ''])));
    const { context } = await verdictOf(t, 'session_start', { command: 'add_directory_listing' }, {}, folder);
    const lines = context.join().split('\n');
    assert.deepEqual([lines.length, lines.at(-2), lines.at(-1)], [102, 'f099', 'and 3 more']);
  });

  test('add_user_info: the name of the user and of the host', async (t) => {
    const { context } = await verdictOf(t, 'session_start', { command: 'add_user_info' });
    assert.ok(context.join().includes(userInfo().username) && context.join().includes(hostname()));
  });
});

describe('builtin hooks: effects', () => {
  test('max_iterations: ends the run after its number of turns', async (t) => {
    const at = async (iteration: number) =>
      (await verdictOf(t, 'before_llm_call', { command: 'max_iterations', args: ['2'] }, { iteration })).blocked;
    assert.deepEqual([await at(1), await at(2)], [undefined, undefined]);
    assert.deepEqual(await at(3), { by: 'max_iterations', reason: 'the run is not done after 2 turns' });
  });

  test('redact_secrets: changes arguments and results that hold a secret, and nothing else', async (t) => {
    const secret = `ghp_${'a1B'.repeat(12)}`;
    const redact = { command: 'redact_secrets' };
    const input = { tool_input: { cmd: `curl -u ${secret}`, cwd: '.' } };
    for (const point of ['pre_tool_use', 'tool_input_transform'] as const) {
      const changed = await verdictOf(t, point, redact, input);
      assert.deepEqual([changed.input, changed.changedBy], [{ cmd: 'curl -u [REDACTED]', cwd: '.' }, 'redact_secrets']);
      assert.equal((await verdictOf(t, point, redact, { tool_input: { cmd: 'ls' } })).changedBy, undefined);
    }
    const result = (text: string) =>
      verdictOf(t, 'tool_response_transform', redact, { tool_input: {}, tool_response: text });
    assert.equal((await result(`token: ${secret}`)).response, 'token: [REDACTED]');
    assert.equal((await result('nothing')).response, undefined);
  });

  test('add_context: a text with fields of the hook’s input; an unsupported template is refused with the file', async (t) => {
    const args = ['Said by {{ .AgentName }}:', '{{.Prompt}}{{ .Nothing }}'];
    const { context } = await verdictOf(
      t,
      'user_prompt_submit',
      { command: 'add_context', args },
      { agent_name: 'root', prompt: 'Go.' },
    );
    assert.deepEqual(context, ['Said by root:\nGo.']);
    const hooks = { turn_start: { type: 'builtin', command: 'add_context', args: ['{{ if .Prompt }}x{{ end }}'] } };
    assert.match(String(hooksSchema.safeParse(hooks).error), /and no other \{\{…\}\}/);
  });

  test('http_post: sends its text, and fails after a refusal or a timeout', async (t) => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => seen.push(`${request.method} ${request.url} ${body}`));
      if (request.url !== '/slow') response.writeHead(request.url === '/no' ? 403 : 204).end();
    }).listen(0, '127.0.0.1');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const post = (path: string, timeout = 60) =>
      verdictOf(
        t,
        'stop',
        { command: 'http_post', args: [base + path, '{"text": "{{ .StopResponse }}"}'], timeout },
        { stop_response: 'Done.' },
      );
    assert.deepEqual((await post('/hook')).warnings, []);
    assert.deepEqual(seen, ['POST /hook {"text": "Done."}']);
    assert.match((await post('/no')).warnings.join(), /the hook http_post failed: .* refused it \(status 403\)/);
    assert.match((await post('/slow', 1)).warnings.join(), /the hook http_post failed: it took longer than 1 s/);
  });

  test('limit_large_tool_results: the end of a large result, and all of it in a file until the session ends', async (t) => {
    const event = (name: string, lines: number) => ({
      tool_input: {},
      tool_name: name,
      session_id: `s-${process.pid}`,
      tool_response: Array.from({ length: lines }, (_, index) => `line ${index}`).join('\n'),
    });
    const limit = { command: 'limit_large_tool_results' };
    assert.equal((await verdictOf(t, 'tool_response_transform', limit, event('shell', 2000))).response, undefined);
    const { response = '' } = await verdictOf(t, 'tool_response_transform', limit, event('shell', 3000));
    assert.match(
      response,
      /^This result was too large \(\d+ bytes\)\. All of it is in .*\. Its end:\n\nline 1000\n[^]*line 2999$/,
    );
    const [, file = ''] = /All of it is in (.*)\. Its end/.exec(response) ?? [];
    assert.equal((await readFile(file, 'utf8')).split('\n').length, 3000);
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
    await verdictOf(t, 'session_end', limit, { session_id: `s-${process.pid}` });
    assert.equal(existsSync(file), false);
  });

  test('safer_shell: the user is asked about commands that may destroy something', async (t) => {
    const asked = async (cmd: string) =>
      (await verdictOf(t, 'pre_tool_use', { command: 'safer_shell' }, { tool_input: { cmd } })).ask;
    assert.equal(await asked('ls -l'), undefined);
    assert.deepEqual(await asked('cd x && rm -rf y'), { by: 'safer_shell', reason: 'it deletes files' });
  });

  test('snapshot: saves each state once, without ignored and large files, and leaves the repository unchanged', async (t) => {
    const [folder, home] = [await repository(t), await scratch(t)];
    await writeFile(join(folder, '.gitignore'), 'secret\n');
    await writeFile(join(folder, 'secret'), 'x');
    await writeFile(join(folder, 'large#1 [x].bin'), Buffer.alloc(3 * 1024 * 1024));
    const refs = () => execFileSync('git', ['for-each-ref'], { cwd: folder, encoding: 'utf8' });
    const before = refs();
    const take = (point: HookPoint) => verdictOf(t, point, { command: 'snapshot' }, { session_id: 's' }, folder, home);
    for (const point of ['turn_start', 'turn_end'] as const) assert.deepEqual((await take(point)).warnings, []);
    await writeFile(join(folder, 'a.txt'), 'two\n');
    for (const point of ['turn_end', 'session_end'] as const) assert.deepEqual((await take(point)).warnings, []);
    const [name = ''] = await readdir(join(home, 'snapshots'));
    const kept = (...args: readonly string[]) =>
      execFileSync('git', [`--git-dir=${join(home, 'snapshots', name)}`, ...args], { encoding: 'utf8' });
    assert.equal(kept('log', '--format=%s', 'snapshots'), 'turn_end of s\nturn_start of s\n');
    assert.equal(kept('ls-tree', '-r', '--name-only', 'snapshots'), '.gitignore\n.hidden\na.txt\nb/c.txt\n');
    assert.equal(kept('show', 'snapshots~1:a.txt'), 'one\n');
    assert.equal(refs(), before);
    const outside = await verdictOf(
      t,
      'turn_start',
      { command: 'snapshot' },
      { session_id: 's' },
      await scratch(t),
      home,
    );
    assert.deepEqual(outside.warnings, []);
  });
});

describe('the builtin transform_json', () => {
  const transformed = (t: TestContext, response: unknown, more: object = {}) =>
    verdictOf(
      t,
      'tool_response_transform',
      { command: 'transform_json', args: ['id', 'tags', 'none'] },
      {
        tool_input: {},
        tool_response: response,
        ...more,
      },
    );

  test('keeps the named keys, and each value as it is written', async (t) => {
    const written = '{ "secret": "x", "tags" : ["a", {"b": 1}], "id": 12345678901234567890, "s": "}" }';
    const { response, blocked } = await transformed(t, written);
    assert.equal(blocked, undefined);
    assert.equal(response, '{"id":12345678901234567890,"tags":["a", {"b": 1}]}');
  });

  test('makes an object without any of these keys empty', async (t) =>
    assert.equal((await transformed(t, '{"a":1}')).response, '{}'));

  test('withholds a result that is no JSON object', async (t) => {
    for (const response of ['some text', '[1]', 'null', '"x"'])
      assert.ok((await transformed(t, response)).blocked !== undefined, response);
  });

  test('keeps the message of a failed call', async (t) => {
    const { response, blocked } = await transformed(t, 'no such file', { tool_error: true });
    assert.deepEqual([response, blocked], [undefined, undefined], 'it is not changed');
  });
});
