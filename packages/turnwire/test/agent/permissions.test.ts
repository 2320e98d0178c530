import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Permissions } from '../../dist/agent/approval.js';
import { shellToolset } from '../../dist/agent/tools/shell.js';
import { defineTool } from '../../dist/agent/tools/tool.js';
import { openWorkspace } from '../../dist/agent/tools/workspace.js';
import { permissionsSchema } from '../../dist/config/schema/permissions.js';

const tool = (name: string, readOnly: boolean, command?: string) =>
  defineTool({
    name,
    description: '',
    readOnly,
    ...(command === undefined ? {} : { command }),
    input: z.looseObject({}),
    run: () => Promise.resolve(''),
  });

const shell = tool('shell', false, 'cmd');
const read = tool('read_file', true);
const rules = permissionsSchema.parse({
  deny: ['shell:cmd=sudo*', 'shell:cmd=rm -rf*'],
  allow: ['shell:cmd=git status*', 'write_file:path=src/*', 'mcp:github:get_*'],
  ask: ['read_file:path=*.env'],
});
const approver = { approve: () => 'no' as const };
const needs = (approval: 'yolo' | typeof approver, which: typeof shell, args: unknown): string =>
  new Permissions(approval, rules).needs('root', which, args).kind;

test('rules decide in their order: deny, allow, ask, then what only reads', () => {
  assert.equal(needs(approver, shell, { cmd: 'sudo ls' }), 'refused');
  assert.equal(needs('yolo', shell, { cmd: 'sudo ls' }), 'refused');
  assert.equal(needs('yolo', shell, { cmd: 'ls' }), 'nothing');
  assert.equal(needs(approver, shell, { cmd: 'git status -s' }), 'nothing');
  assert.equal(needs(approver, shell, { cmd: 'git push' }), 'answer');
  assert.equal(needs(approver, read, { path: 'a' }), 'nothing');
  assert.equal(needs(approver, read, { path: 'x/.env' }), 'answer');
  assert.equal(needs(approver, tool('write_file', false), { path: 'src/a' }), 'nothing');
  assert.equal(needs(approver, tool('write_file', false), { path: 'a' }), 'answer');
  assert.equal(needs(approver, { ...tool('github_get_issue', false), alias: 'mcp:github:get_issue' }, {}), 'nothing');
});

for (const cmd of [
  'git status; rm x',
  'git status && rm x',
  'git status\nrm x',
  'git status $(rm x)',
  'git status `rm x`',
  'git status > x',
  'git status | sh',
]) {
  test(`an allowed command does not let another one pass: ${JSON.stringify(cmd)}`, () => {
    assert.equal(needs(approver, shell, { cmd }), 'answer');
  });
}

for (const cmd of ['ls; sudo ls', 'ls && rm -rf /', '(sudo ls)', 'echo $(sudo ls)', 'true\nsudo ls', '  sudo ls']) {
  test(`a denied command is found within another: ${JSON.stringify(cmd)}`, () => {
    assert.equal(needs('yolo', shell, { cmd }), 'refused');
  });
}

test('an answer "always" holds for its tool, of its agent, in this session, and not over what is denied', () => {
  const permissions = new Permissions(approver, rules);
  assert.equal(permissions.allows('root', shell, 'always'), true);
  assert.equal(permissions.needs('root', shell, { cmd: 'ls' }).kind, 'nothing');
  assert.equal(permissions.needs('root', shell, { cmd: 'sudo ls' }).kind, 'refused');
  assert.equal(permissions.needs('root', tool('other', false), {}).kind, 'answer');
  // Another agent's shell, and another server's tool that came to the same name.
  assert.equal(permissions.needs('helper', shell, { cmd: 'ls' }).kind, 'answer');
  assert.equal(permissions.needs('root', { ...shell, alias: 'mcp:x:shell' }, { cmd: 'ls' }).kind, 'answer');
});

test('what is denied and asked for of the shell, is of a command in the background, too; what is allowed is not', () => {
  const job = { ...tool('run_background_job', false, 'cmd'), restrictedAs: 'shell' };
  assert.equal(needs('yolo', job, { cmd: 'ls; sudo ls' }), 'refused');
  assert.equal(needs(approver, job, { cmd: 'git status' }), 'answer');
  const asking = permissionsSchema.parse({ allow: [], deny: [], ask: ['shell:cmd=git*'] });
  const reading = { ...job, readOnly: true };
  assert.equal(new Permissions(approver, asking).needs('root', reading, { cmd: 'git push' }).kind, 'answer');
  const { tools } = shellToolset({ workspace: openWorkspace('.'), env: {} });
  const started = tools.find(({ name }) => name === 'run_background_job');
  assert.ok(started !== undefined);
  assert.equal(needs('yolo', started, { cmd: 'sudo ls', cwd: '.' }), 'refused');
});
