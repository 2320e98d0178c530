import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { resumeHint } from '../../../dist/cli/run/resume-hint.js';
import { Console, type Ended } from '../console.js';
import { scratch } from '../scratch.js';

const skip = process.platform === 'win32' ? 'POSIX shell' : false;

/** A repository with one commit and an agent file, and a run in it. */
async function repository(t: TestContext, hooks = '') {
  const folder = await realpath(await scratch(t));
  const source = join(folder, 'project');
  await mkdir(source);
  await writeFile(join(source, 'kept.txt'), 'kept\n');
  await writeFile(
    join(source, 'agent.yaml'),
    `agents:\n  root:\n    model: emulator/any\n    toolsets: [{ type: shell }]\n${hooks}`,
  );
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: source,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('add', 'kept.txt');
  git('commit', '--quiet', '-m', 'one');
  await writeFile(
    join(folder, 'script.yaml'),
    `turns:\n  - calls: [{ name: shell, arguments: { cmd: 'echo new > made.txt' } }]\n  - output: [{ text: done }]\n`,
  );
  const run = (...args: string[]): Promise<Ended> =>
    new Console(
      [
        'run',
        ...args.map((each) => (each === 'agent.yaml' ? join(source, each) : each)),
        '--yolo',
        '--script',
        join(folder, 'script.yaml'),
      ],
      {
        cwd: source,
        env: { TURNWIRE_HOME: join(folder, 'home'), HOME: folder },
      },
    ).ended;
  return { folder, source, git, run };
}

/** The worktree that a run tells of at its end. */
function told({ stderr }: Ended): { path: string; branch: string } {
  const [, path = '', branch = ''] = /The work is in (.*), on the branch (\S+)\.$/m.exec(stderr) ?? [];
  return { path, branch };
}

const hooksOf = (command: string): string =>
  `    hooks:\n      worktree_create:\n        - type: command\n          command: |\n            ${command}\n`;

describe('run --worktree', { skip }, () => {
  test('the tools work in a new worktree of the last commit, on a branch of its own', async (t) => {
    const { folder, source, git, run } = await repository(t);
    const ended = await run('--worktree', 'agent.yaml', 'go');
    const { path, branch } = told(ended);
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(branch, /^worktree-[0-9a-f]{8}$/);
    assert.equal(dirname(dirname(path)), join(folder, 'home/worktrees'));
    assert.equal(await readFile(join(path, 'made.txt'), 'utf8'), 'new\n');
    assert.equal(await readFile(join(path, 'kept.txt'), 'utf8'), 'kept\n');
    assert.ok(!existsSync(join(source, 'made.txt')), 'the checkout of the user was written to');
    assert.ok(git('worktree', 'list').includes(`[${branch}]`));
  });

  test('a name is that of the folder and of the branch; a second time there is none of that name', async (t) => {
    const { run } = await repository(t);
    assert.equal(told(await run('agent.yaml', '--worktree=login', 'go')).branch, 'worktree-login');
    const again = await run('agent.yaml', '--worktree=login', 'go');
    assert.equal(again.status, 2);
    assert.match(again.stderr, /--worktree: no worktree can be made of .*worktree-login.* already exists/);
  });

  test('hooks prepare it: they run in it, are told where it is from, and what they print goes to the user', async (t) => {
    const command = 'cat > told.json; cp "$(pwd)/kept.txt" copy.txt; echo prepared';
    const { source, run } = await repository(t, hooksOf(command));
    const ended = await run('--worktree=x', 'agent.yaml', 'go');
    const { path } = told(ended);
    assert.match(ended.stderr, /^turnwire: prepared$/m);
    assert.equal(await readFile(join(path, 'copy.txt'), 'utf8'), 'kept\n');
    const { hook_event_name, cwd, worktree_path, worktree_branch, worktree_source_dir, agent_name } = JSON.parse(
      await readFile(join(path, 'told.json'), 'utf8'),
    ) as Record<string, string>;
    assert.deepEqual(
      { hook_event_name, cwd, worktree_path, worktree_branch, worktree_source_dir, agent_name },
      {
        hook_event_name: 'worktree_create',
        cwd: path,
        worktree_path: path,
        worktree_branch: 'worktree-x',
        worktree_source_dir: source,
        agent_name: 'root',
      },
    );
  });

  for (const [what, command] of [
    ['by its status', 'echo "npm install failed" >&2; exit 2'],
    ['by its answer', `echo '{"continue": false, "stop_reason": "npm install failed"}'`],
  ] as const)
    test(`a hook that says no ends the run before its first turn: ${what}`, async (t) => {
      const { run } = await repository(t, hooksOf(command));
      const ended = await run('--worktree=x', 'agent.yaml', 'go');
      assert.equal(ended.status, 1, ended.stderr);
      assert.match(ended.stderr, /ended the run: npm install failed/);
      assert.match(ended.stderr, /to remove it: git worktree remove --force/);
      assert.equal(ended.stdout, '');
    });

  test('a conversation goes on in the worktree that it began in', () => {
    const hint = 'To go on with this conversation: turnwire run';
    assert.equal(resumeHint('agent.yaml', 'id', undefined), `${hint} agent.yaml --session id`);
    assert.equal(
      resumeHint('my agent.yaml', 'id', '/home/me/w'),
      `${hint} 'my agent.yaml' --session id --working-dir /home/me/w`,
    );
  });

  test('without --worktree such hooks do not run', async (t) => {
    const { source, run } = await repository(t, hooksOf('touch ran; exit 2'));
    assert.equal((await run('agent.yaml', 'go')).status, 0);
    assert.ok(!existsSync(join(source, 'ran')));
  });

  test('a name and a folder that cannot become a worktree are refused in a sentence', async (t) => {
    const { folder, run } = await repository(t);
    assert.match((await run('agent.yaml', '--worktree=../x', 'go')).stderr, /the name must be letters, digits/);
    await writeFile(join(folder, 'agent.yaml'), 'agents: { root: { model: emulator/any } }');
    const ended = await new Console(['run', '--worktree', join(folder, 'agent.yaml'), 'go'], {
      cwd: folder,
      env: { TURNWIRE_HOME: join(folder, 'home'), GIT_CEILING_DIRECTORIES: dirname(folder) },
    }).ended;
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, /^--worktree: no worktree can be made of .*: not a git repository/m);
  });

  test('a hook that asks a model is refused: none can be asked yet', async (t) => {
    const { run } = await repository(
      t,
      '    hooks: { worktree_create: [{ type: model, model: emulator/x, prompt: ok?, schema: guard_decision }] }\n',
    );
    const ended = await run('agent.yaml', '--worktree', 'go');
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, /command or builtin: at worktree_create no model can be asked yet/);
  });
});
