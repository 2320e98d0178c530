import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { turnwire } from '../console.js';
import { emulated, scratch } from '../scratch.js';

const file = `
providers:
  house:
    base_url: https://llm.example.com/v1
    token_key: HOUSE_KEY
    provider_opts: { http_headers: { X-Team: topsecret-header, X-Trace: "id \${env.TRACE}" } }
agents:
  root:
    model: house/big
    instruction: Be brief.
    commands: { fix: Fix it. }
    toolsets:
      - type: mcp
        command: npx
        args: [server, --token, topsecret-argument]
        env: { TOKEN: topsecret-variable }
      - type: mcp
        remote: { url: "https://me:topsecret-user@mcp.example/x?key=topsecret-query", headers: { A: topsecret-remote } }
      - type: script
        shell: { lint: { cmd: npm run lint, env: { B: topsecret-script } } }
      - type: shell
        env: { C: topsecret-shell }
      - type: background_jobs
        env: { D: topsecret-jobs }
      - type: open_url
        url: https://example.com/board?key=topsecret-board
      - type: mcp
        ref: docker:wiki
        config: { token: topsecret-setting }
    hooks:
      turn_end: { type: builtin, command: http_post, args: ["https://hooks.example.com/topsecret-path", "{{ .Reason }}"] }
permissions: { deny: ["shell:cmd=sudo*"] }
`;

const env = { HOUSE_KEY: 'topsecret-key', TRACE: 'topsecret-trace' };

describe('turnwire config', () => {
  for (const [format, flags, read] of [
    ['YAML', [], (text: string): unknown => parse(text)],
    ['JSON', ['--json'], (text: string): unknown => JSON.parse(text)],
  ] as const) {
    test(`prints the configuration as ${format}, with all defaults and without secrets`, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': file });
      const { status, stdout, stderr } = await turnwire(['config', join(folder, 'agent.yaml'), ...flags], { env });
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      assert.doesNotMatch(stdout, /topsecret/);
      const shown = read(stdout) as Record<string, Record<string, Record<string, unknown>>> & { starts_with: string };
      assert.equal(shown.starts_with, 'root');
      const model = shown['models']?.['house/big'];
      assert.equal(model?.['base_url'], 'https://llm.example.com/v1');
      assert.deepEqual(model?.['key'], { names: ['HOUSE_KEY'], found_in: 'the environment' });
      assert.deepEqual(model?.['http_headers'], { 'X-Team': 'hidden', 'X-Trace': 'hidden, with TRACE' });
      const root = shown['agents']?.['root'];
      assert.equal(root?.['instruction'], 'Be brief.');
      assert.equal(root?.['max_consecutive_tool_calls'], 5);
      assert.deepEqual(root?.['toolsets'], [
        { type: 'mcp', command: 'npx', args: '3 hidden', env: { TOKEN: 'hidden' } },
        { type: 'mcp', remote: { url: 'https://mcp.example/x?hidden', headers: { A: 'hidden' } } },
        { type: 'script', shell: { lint: { cmd: 'npm run lint', env: { B: 'hidden' } } } },
        { type: 'shell', env: { C: 'hidden' } },
        { type: 'background_jobs', env: { D: 'hidden' } },
        { type: 'open_url', url: 'https://example.com/board?hidden' },
        { type: 'mcp', ref: 'docker:wiki', command: 'docker', args: '5 hidden', config: { token: 'hidden' } },
      ]);
      assert.deepEqual(root?.['hooks'], {
        turn_end: [{ type: 'builtin', command: 'http_post', args: '2 hidden', timeout: 60, on_error: 'warn' }],
      });
      assert.deepEqual(shown['permissions']?.['deny'], ['shell:cmd=sudo*']);
    });
  }

  test('a missing key is reported, and is no failure: the file is right', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': file });
    const { status, stdout } = await turnwire(['config', join(folder, 'agent.yaml'), '--json']);
    assert.equal(status, 0);
    const { models } = JSON.parse(stdout) as { models: Record<string, { key: unknown }> };
    assert.deepEqual(models['house/big']?.key, { names: ['HOUSE_KEY'], found_in: null });
  });

  test('a wrong file gets a line for each problem, and status 2', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': file.replace('commands', 'comands').replace('deny', 'dney') });
    const { status, stdout, stderr } = await turnwire(['config', join(folder, 'agent.yaml')]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /agent\.yaml:11:5: unknown key "comands"; did you mean "commands"\?\n.*:32:16: unknown key "dney"/,
    );
  });

  test('--env-from-file: gives keys to config and to run, the first file first; a file that is not there is refused', async (t) => {
    const folder = await scratch(t, {
      'agent.yaml': emulated
        .replace('agents:', 'models: { big: { provider: emulator, model: any, token_key: MY_KEY } }\nagents:')
        .replace('emulator/scripted', 'big'),
      'a.env': '# nothing\n',
      'b.env': 'MY_KEY=topsecret\n',
      'wrong.env': 'topsecret\n',
    });
    const agent = join(folder, 'agent.yaml');
    const files = ['--env-from-file', 'a.env', '--env-from-file', 'b.env'];
    const shown = await turnwire(['config', agent, '--json', ...files], { cwd: folder });
    const { models } = JSON.parse(shown.stdout) as { models: Record<string, { key: unknown }> };
    assert.deepEqual(models['big']?.key, { names: ['MY_KEY'], found_in: 'b.env' });
    assert.equal((await turnwire(['run', agent, 'Go.', ...files], { cwd: folder })).status, 0);
    const wrong = await turnwire(['run', agent, 'Go.', '--env-from-file', 'wrong.env'], { cwd: folder });
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /MY_KEY is not set/);
    for (const verb of [
      ['config', agent],
      ['run', agent, 'Go.'],
    ]) {
      const missing = await turnwire([...verb, '--env-from-file', 'nope.env'], { cwd: folder });
      assert.deepEqual([missing.status, missing.stdout], [2, '']);
      assert.match(missing.stderr, /^nope\.env: there is no such file; check --env-from-file/);
    }
    const upwards = await turnwire(['run', agent, 'Go.', '--env-from-file', '../x.env'], { cwd: folder });
    assert.equal(upwards.status, 2);
    assert.match(upwards.stderr, /^--env-from-file \.\.\/x\.env: a path with "\.\." is not taken/);
    assert.doesNotMatch(shown.stdout + wrong.stderr, /topsecret/);
  });

  test('max_iterations ends a run', async (t) => {
    const folder = await scratch(t, {
      'agent.yaml': 'agents: { root: { model: emulator/x, max_iterations: 2, toolsets: [{ type: filesystem }] } }\n',
      'script.yaml': `turns:\n${'  - calls: [{ name: list_directory, arguments: { path: . } }]\n'.repeat(4)}`,
    });
    const argv = [
      'run',
      join(folder, 'agent.yaml'),
      'Go.',
      '--script',
      join(folder, 'script.yaml'),
      '--working-dir',
      folder,
    ];
    const { status, stderr } = await turnwire(argv);
    assert.equal(status, 1);
    assert.match(stderr, /not done after 2 turns/);
  });
});
