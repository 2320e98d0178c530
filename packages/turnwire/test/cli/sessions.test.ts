import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Console, turnwire, typing, type ConsoleOptions } from './console.js';
import { scratch } from './scratch.js';

async function agentIn(t: TestContext, agent: string, script: string) {
  const folder = await scratch(t, { 'agent.yaml': agent, 'script.yaml': script });
  const home = join(folder, 'home');
  const argv = (prompt: string | undefined, ...flags: string[]): string[] => [
    'run',
    join(folder, 'agent.yaml'),
    ...(prompt === undefined ? [] : [prompt]),
    '--script',
    join(folder, 'script.yaml'),
    ...flags,
  ];
  const options = { cwd: folder, env: { TURNWIRE_HOME: home } };
  const run = (prompt: string, ...flags: string[]) => turnwire(argv(prompt, ...flags), options);
  const open = (more: ConsoleOptions) => new Console(argv(undefined), { ...options, ...more });
  return { folder, run, open, sessions: (...flags: string[]) => turnwire(['sessions', ...flags], options) };
}

const plain = `
models: { m: { provider: emulator, model: x, cost: { input: 1000, output: 0 } } }
agents: { root: { model: m, instruction: Be brief. } }
`;

describe('turnwire run --session', () => {
  test('a session goes on where it was left, by its id and as the last one, and is listed', async (t) => {
    const { run, sessions } = await agentIn(t, plain, 'turns: [{ text: One. }, { text: Two. }, { text: Three. }]\n');
    assert.equal((await run('First.')).stdout, 'One.\n');
    assert.equal((await run('Second.', '--session', '-1')).stdout, 'Two.\n');
    const [listed] = JSON.parse((await sessions('--json')).stdout) as {
      id: string;
      items: number;
      prompt: string;
      cost: number;
    }[];
    assert.equal(listed?.items, 4);
    assert.equal(listed?.prompt, 'First.');
    assert.ok((listed?.cost ?? 0) > 0);
    const third = await run('Third.', '--session', listed?.id ?? '');
    assert.equal(third.stdout, 'Three.\n', third.stderr);
    assert.equal((await run('Anew.')).stdout, 'One.\n');
    const { stdout } = await sessions();
    assert.match(
      stdout,
      /^-1 \S+ .* root 2 items, \d+ tokens, \$\d+\.\d{4} Anew\.\n-2 \S+ .* root 6 items, .* First\.\n$/,
    );
  });

  test('an unknown session gets one sentence, and status 2', async (t) => {
    const { run } = await agentIn(t, plain, 'turns: [{ text: One. }]\n');
    for (const reference of ['-1', 'none', '../x']) {
      const { status, stderr } = await run('Go.', '--session', reference);
      assert.equal(status, 2);
      assert.match(stderr, /^there is no session [^\n]*"turnwire sessions" lists them\n$/);
    }
  });

  test('without a home folder no session is kept, and --session is refused', async (t) => {
    const { folder } = await agentIn(t, plain, 'turns: [{ text: One. }]\n');
    const argv = ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')];
    assert.equal((await turnwire(argv, { cwd: folder })).status, 0);
    assert.match((await turnwire([...argv, '--session', '-1'])).stderr, /TURNWIRE_HOME/);
    assert.equal((await turnwire(['sessions'])).status, 2);
  });

  test('the welcome is shown before the first prompt; /name runs a command of the file, and a misspelt one gets a suggestion', async (t) => {
    const agent = `
agents:
  root:
    model: emulator/x
    welcome_message: What shall it be?
    commands: { tea: Make tea. }
`;
    const { open, run } = await agentIn(
      t,
      agent,
      'rules: [{ match: { input: Make tea. }, reply: { text: Tea. } }]\nafter: echo\n',
    );
    const stdin = typing();
    const console = open({ stdin, terminals: ['stdin'] });
    await console.shows('stderr', 'What shall it be?\n> ');
    stdin.write('/tae\n');
    await console.shows('stderr', 'there is no command /tae; did you mean /tea?');
    stdin.write('/tea with milk\n');
    await console.shows('stdout', 'Tea.');
    stdin.end();
    assert.equal((await console.ended).status, 0);
    assert.equal((await run('/tea')).stdout, 'Tea.\n');
    assert.equal((await run('/coffee')).status, 2);
  });

  const scripted = `
agents:
  root:
    model: emulator/x
    toolsets: [{ type: script, shell: { deploy: { cmd: "echo \\"deployed to $where\\"", args: { where: { type: string } } } } }]
`;

  test(
    'the question shows the command of a tool of the file, with misleading characters as escapes',
    { skip: process.platform === 'win32' },
    async (t) => {
      const { open } = await agentIn(
        t,
        scripted,
        'turns: [{ calls: [{ name: deploy, arguments: "{\\"where\\":\\"a\\u202eb\\u200b\\"}" }] }, { text: Done. }]\n',
      );
      const stdin = typing();
      const console = open({ stdin, terminals: ['stdin'] });
      await console.shows('stderr', '> ');
      stdin.write('Go.\n');
      await console.shows(
        'stderr',
        'Run deploy for root with {"where":"a\\u{202e}b\\u{200b}"}\nIt runs echo "deployed to $where"\n[y]es',
      );
      stdin.end();
      await console.ended;
    },
  );

  test('the session of an agent that the file no longer has is refused', async (t) => {
    const { folder, run } = await agentIn(t, plain, 'turns: [{ text: One. }, { text: Two. }]\n');
    await run('First.');
    await writeFile(join(folder, 'agent.yaml'), plain.replace('root:', 'other:'));
    const { status, stderr } = await run('Second.', '--session', '-1');
    assert.equal(status, 2);
    assert.match(stderr, /the session belongs to the agent root, and .*agent\.yaml has no such agent\n$/);
  });
});
