// The small tools: what they return, and what they refuse.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { calculate } from '../../../dist/agent/tools/everyday/arithmetic.js';
import { datetimeToolset } from '../../../dist/agent/tools/everyday/datetime.js';
import { gitToolset } from '../../../dist/agent/tools/everyday/git.js';
import { randomToolset } from '../../../dist/agent/tools/everyday/random.js';
import { tasksToolset } from '../../../dist/agent/tools/everyday/tasks.js';
import { memoryFileFor } from '../../../dist/agent/tools/notes/memory-file.js';
import { outputText } from '../../../dist/agent/tools/output.js';
import { openWorkspace } from '../../../dist/agent/tools/files/workspace.js';
import type { OpenToolset } from '../../../dist/agent/tools/toolset.js';
import { scratch } from '../scratch.js';

const signal = new AbortController().signal;
const run = async ({ tools }: OpenToolset, name: string, args: object = {}): Promise<string> => {
  const tool = tools.find((each) => each.name === name);
  assert.ok(tool, name);
  tool.check(args);
  return outputText(await tool.run(args, { signal }));
};

describe('calculator', () => {
  for (const [expression, value] of [
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['2 ** -1', 0.5],
    ['10 % 4 - 1', 1],
    ['max(1, 2 + 3, 4) / sqrt(25)', 1],
    ['1.5e3 + .5', 1500.5],
    ['round(pi)', 3],
    ['--3', 3],
  ] as const) {
    test(`${expression} is ${value}`, () => assert.equal(calculate(expression), value));
  }
  for (const [expression, said] of [
    ['1 +', /ends too early/],
    ['1 / 0', /divides by zero/],
    ['2 3', /"3" stands in the wrong place/],
    ['process(1)', /there is no process/],
    ['(1', /"\)" is missing at the end/],
    ['1 $ 2', /"\$" means nothing here/],
    ['('.repeat(500), /nested too deeply/],
    ['10 ^ 400', /no finite value/],
  ] as const) {
    test(`${expression.slice(0, 20)} is refused`, () => assert.throws(() => calculate(expression), said));
  }
});

describe('datetime', () => {
  const toolset = datetimeToolset(() => new Date('2026-03-01T23:30:00Z'));
  test('tells the time of a zone, with the day there', async () => {
    const said = await run(toolset, 'current_datetime', { timezone: 'Europe/Berlin' });
    assert.equal(said, '2026-03-02T00:30:00+01:00 (Monday, Europe/Berlin)');
  });
  test('converts a time to another zone, and refuses an unknown zone', async () => {
    const moment = { datetime: '2026-07-01T12:00:00+02:00', timezone: 'America/New_York' };
    assert.equal(
      await run(toolset, 'convert_datetime', moment),
      '2026-07-01T06:00:00-04:00 (Wednesday, America/New_York)',
    );
    await assert.rejects(run(toolset, 'current_datetime', { timezone: 'Mars' }), /no name of a time zone/);
  });
});

test('random: numbers within their bounds, and one of the choices', async () => {
  const toolset = randomToolset();
  const numbers = (await run(toolset, 'random_number', { min: 3, max: 5, count: 200 })).split(', ').map(Number);
  assert.deepEqual(
    [...new Set(numbers)].sort((a, b) => a - b),
    [3, 4, 5],
  );
  assert.ok(['a', 'b'].includes(await run(toolset, 'random_choice', { options: ['a', 'b'] })));
  assert.match(await run(toolset, 'random_uuid'), /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  await assert.rejects(run(toolset, 'random_number', { min: 5, max: 3 }), /max is at least min/);
});

describe('tasks', () => {
  const idOf = (line: string): string => line.split(' ', 1)[0] ?? '';
  const open = async (t: TestContext) => tasksToolset(join(await scratch(t), 'tasks.json'));

  test('a task that depends on another one is blocked until that one is done', async (t) => {
    const toolset = await open(t);
    const first = idOf(await run(toolset, 'create_task', { title: 'First', priority: 'low' }));
    const second = idOf(
      await run(toolset, 'create_task', { title: 'Second', priority: 'critical', dependencies: [first] }),
    );
    assert.match(await run(toolset, 'next_task'), /First/);
    assert.match(
      await run(toolset, 'list_tasks', { status: 'blocked' }),
      new RegExp(`^${second} \\[blocked, waits for ${first}\\]`),
    );
    await run(toolset, 'update_task', { id: first, status: 'done' });
    assert.match(await run(toolset, 'next_task'), /Second/);
    await run(toolset, 'update_task', { id: second, status: 'done' });
    assert.equal(await run(toolset, 'next_task'), 'Nothing can be done now.');
  });

  test('a circle of dependencies and an unknown id are refused and change nothing', async (t) => {
    const toolset = await open(t);
    const a = idOf(await run(toolset, 'create_task', { title: 'A' }));
    const b = idOf(await run(toolset, 'create_task', { title: 'B', dependencies: [a] }));
    await assert.rejects(run(toolset, 'add_dependency', { taskId: a, dependsOnId: b }), /would wait for itself/);
    await assert.rejects(run(toolset, 'add_dependency', { taskId: a, dependsOnId: 'x' }), /there is no task x/);
    assert.doesNotMatch(await run(toolset, 'list_tasks'), new RegExp(`${a} \\[blocked`));
    await run(toolset, 'delete_task', { id: a });
    assert.doesNotMatch(await run(toolset, 'get_task', { id: b }), /waits/);
  });

  test('a file without tasks is refused and left unchanged', async (t) => {
    const file = join(await scratch(t), 'x.json');
    await writeFile(file, '{"mine":1}');
    await assert.rejects(run(tasksToolset(file), 'create_task', { title: 'A' }), /holds no tasks of turnwire/);
    assert.equal(await readFile(file, 'utf8'), '{"mine":1}');
  });
});

const noGit = spawnSync('git', ['--version']).status === 0 ? false : 'no git here';
test(
  'git: reads a repository, stays in the folder, and refuses an option in place of a revision',
  { skip: noGit },
  async (t) => {
    const folder = await scratch(t);
    const git = (...args: string[]): void =>
      void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: folder });
    git('init', '-q', '-b', 'main');
    await writeFile(join(folder, 'a.txt'), 'one\n');
    git('add', '.');
    git('commit', '-qm', 'Begin');
    await writeFile(join(folder, 'a.txt'), 'two\n');
    const toolset = gitToolset({ workspace: openWorkspace(folder), env: { PATH: process.env['PATH'], HOME: folder } });
    assert.match(await run(toolset, 'git_status'), /^## main\n M a\.txt$/);
    assert.match(await run(toolset, 'git_diff'), /-one\n\+two/);
    assert.match(await run(toolset, 'git_log', { path: 'a.txt' }), /t: Begin$/);
    assert.match(await run(toolset, 'git_show', {}), /\+one/);
    assert.match(await run(toolset, 'git_blame', { path: 'a.txt' }), /two/);
    assert.match(await run(toolset, 'git_branches'), /\* main/);
    await assert.rejects(run(toolset, 'git_show', { revision: '--output=x' }), /no revision/);
    await assert.rejects(run(toolset, 'git_log', { path: '../x' }), /outside the working directory/);
  },
);

describe('memory that docker-agent keeps in SQLite', () => {
  test('goes into a file beside the database, which is named in a warning and not changed', async (t) => {
    const path = join(await scratch(t), 'dev.db');
    await writeFile(path, 'SQLite format 3\0and more');
    const said: string[] = [];
    assert.equal(await memoryFileFor(path, (message) => said.push(message)), `${path}.json`);
    assert.match(
      said.join(),
      /dev\.db are a SQLite database of docker-agent, and are not read; new ones are kept in .*dev\.db\.json/,
    );
    assert.equal(await readFile(path, 'utf8'), 'SQLite format 3\0and more');
  });

  test('writes no JSON under the name of a database, and moves a list of earlier versions', async (t) => {
    const folder = await scratch(t);
    assert.equal(await memoryFileFor(join(folder, 'new.sqlite'), undefined), join(folder, 'new.sqlite.json'));
    assert.equal(await memoryFileFor(join(folder, 'notes.json'), undefined), join(folder, 'notes.json'));
    await writeFile(join(folder, 'old.db'), '[]');
    assert.equal(await memoryFileFor(join(folder, 'old.db'), undefined), join(folder, 'old.db.json'));
    assert.equal(await readFile(join(folder, 'old.db.json'), 'utf8'), '[]');
    await mkdir(join(folder, 'dir.db'));
    assert.equal(await memoryFileFor(join(folder, 'dir.db'), undefined), join(folder, 'dir.db.json'));
  });
});
