import assert from 'node:assert/strict';
import { access, mkdir, readFile, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Approver } from '../../../dist/agent/calls/approval.js';
import { Permissions } from '../../../dist/agent/permissions/permissions.js';
import { outputText } from '../../../dist/agent/tools/output.js';
import { permissionsSchema } from '../../../dist/config/schema/agents/permissions.js';
import { scratch } from '../scratch.js';
import { toolsOf, type Toolsets } from './tools.js';

type Filesystem = Omit<Extract<Toolsets[number], { type: 'filesystem' }>, 'type'>;

/** A working directory beside a folder with a secret, and a file toolset in it. */
async function setting(t: TestContext, more: (outside: string) => Filesystem = () => ({})) {
  const outside = await scratch(t, { 'secret.txt': 'secret', 'deep/er.txt': 'deeper secret' });
  const folder = await scratch(t, { 'in.txt': 'in', 'own/.keys/k.txt': 'key', 'own/plain.txt': 'plain' });
  await symlink(outside, join(folder, 'link'));
  const tools = await toolsOf(t, [{ type: 'filesystem', ...more(outside) }], { directory: folder });
  return { outside, folder, ...tools };
}

const reading = (path: string): [string, unknown][] => [
  ['read_file', { path }],
  ['read_multiple_files', { paths: [path] }],
  ['list_directory', { path }],
  ['directory_tree', { path }],
  ['search_files_content', { path, query: 'secret' }],
];
const writing = (path: string): [string, unknown][] => [
  ['write_file', { path, content: 'x' }],
  ['edit_file', { path, edits: [{ oldText: 'secret', newText: 'x' }] }],
  ['create_directory', { paths: [path] }],
  ['remove_directory', { paths: [path], recursive: true }],
];

describe('allow_list', () => {
  test('opens the folders that it names, also for writing, and no others', async (t) => {
    const { outside, folder, call } = await setting(t, (outside) => ({ allow_list: [outside] }));
    assert.equal(await call('read_file', { path: join(outside, 'secret.txt') }), 'secret');
    assert.equal(await call('read_file', { path: 'link/secret.txt' }), 'secret');
    assert.match(
      await call('search_files_content', { path: outside, query: 'deeper' }),
      new RegExp(`^${outside}/deep/er\\.txt:1:`),
    );
    await call('write_file', { path: join(outside, 'new.txt'), content: 'x' });
    assert.equal(await readFile(join(outside, 'new.txt'), 'utf8'), 'x');
    for (const path of ['in.txt', '.', folder, `${outside}-sibling`, join(outside, '..'), '/etc'])
      for (const [name, args] of [...reading(path), ...writing(path)])
        if (name === 'read_multiple_files') assert.match(await call(name, args), /outside of what the "allow_list"/);
        else
          await assert.rejects(
            call(name, args),
            /outside of what the "allow_list" of the file names/,
            `${name} ${path}`,
          );
  });

  test('a link in an allowed folder does not lead out of it', async (t) => {
    const { folder, call } = await setting(t, () => ({ allow_list: ['.'] }));
    assert.equal(await call('read_file', { path: 'in.txt' }), 'in');
    for (const [name, args] of writing('link/secret.txt'))
      await assert.rejects(call(name, args), /outside of what the "allow_list"/, name);
    await assert.rejects(call('read_file', { path: join(folder, 'link', 'secret.txt') }), /"allow_list"/);
  });
});

describe('deny_list', () => {
  const closed = () => ({ deny_list: ['own/.keys', '~/nowhere-at-all'] });

  test('closes folders for reading and writing, whatever path leads there', async (t) => {
    const { folder, call } = await setting(t, closed);
    await symlink(join(folder, 'own', '.keys'), join(folder, 'inner'));
    for (const path of [
      'own/.keys',
      'own/.keys/k.txt',
      'own/../own/.keys/k.txt',
      'inner/k.txt',
      join(folder, 'own/.keys/new.txt'),
    ])
      for (const [name, args] of [...reading(path), ...writing(path)])
        if (name === 'read_multiple_files') assert.match(await call(name, args), /not to be reached: the "deny_list"/);
        else
          await assert.rejects(
            call(name, args),
            /not to be reached: the "deny_list" of the file names it/,
            `${name} ${path}`,
          );
    assert.equal(await call('read_file', { path: 'own/plain.txt' }), 'plain');
  });

  test('keeps closed folders out of walks, and out of changes to a folder above them', async (t) => {
    const { folder, call } = await setting(t, closed);
    assert.equal(await call('search_files_content', { path: '.', query: 'key' }), 'No matches.');
    assert.doesNotMatch(await call('directory_tree', { path: '.' }), /k\.txt|\.keys/);
    await assert.rejects(
      call('remove_directory', { paths: ['own'], recursive: true }),
      /which the "deny_list" of the file names/,
    );
    await access(join(folder, 'own', '.keys', 'k.txt'));
  });

  test('counts more than allow_list, and takes ~ for the home folder', async (t) => {
    const { call } = await setting(t, (outside) => ({
      allow_list: ['.', '~', outside],
      deny_list: ['~/nowhere-at-all', outside],
    }));
    await assert.rejects(call('read_file', { path: '~/nowhere-at-all/x' }), /"deny_list"/);
    await assert.rejects(call('read_file', { path: join(homedir(), 'nowhere-at-all', 'x') }), /"deny_list"/);
    await assert.rejects(call('read_file', { path: 'link/secret.txt' }), /"deny_list"/);
  });

  test('a folder that is a link is closed under both names', async (t) => {
    const { folder, outside, call } = await setting(t, () => ({ deny_list: ['link'] }));
    await mkdir(join(folder, 'x'));
    await assert.rejects(call('read_file', { path: 'link/secret.txt' }), /"deny_list"/);
    await assert.rejects(call('read_file', { path: join(outside, 'secret.txt') }), /"deny_list"/);
  });
});

describe('reading outside of the working directory', () => {
  const approver: Approver = { approve: () => 'no' };
  const rules = (written: { allow?: string[]; deny?: string[]; ask?: string[] }) => permissionsSchema.parse(written);

  async function asking(
    t: TestContext,
    written: Parameters<typeof rules>[0] = {},
    approval: 'yolo' | Approver = approver,
  ) {
    const { outside, folder, box } = await setting(t);
    const permissions = new Permissions(approval, { rules: rules(written), tools: box.tools });
    const tool = (name: string) => box.tools.find((each) => each.name === name) ?? assert.fail(name);
    const need = (name: string, args: unknown) => permissions.needs('root', tool(name), args);
    const run = async (name: string, args: unknown) => {
      const limits = permissions.limits('root', tool(name), await need(name, args));
      return outputText(await tool(name).run(args, { signal: new AbortController().signal, ...limits }));
    };
    return { outside, folder, permissions, need, run, tool };
  }

  test('needs one question for each folder, and a yes holds for everything in it', async (t) => {
    const { outside, permissions, need, run, tool } = await asking(t);
    for (const [name, args] of reading(outside)) {
      const asked = await need(name, args);
      assert.equal(asked.kind, 'answer', name);
      assert.match(
        (asked.kind === 'answer' && asked.reason) || '',
        /^it reads outside of the working directory; a yes holds for all that is in /,
      );
      await assert.rejects(async () => {
        const said = await run(name, args);
        if (name === 'read_multiple_files') throw new Error(said);
      }, /outside the working directory/);
    }
    const asked = await need('read_file', { path: 'link/secret.txt' });
    assert.deepEqual(asked.kind === 'answer' ? asked.folders : [], [outside]);
    if (asked.kind !== 'answer') return;
    permissions.allows('root', tool('read_file'), 'no', asked);
    assert.equal((await need('read_file', { path: 'link/secret.txt' })).kind, 'answer');
    permissions.allows('root', tool('read_file'), 'yes', asked);
    for (const path of ['link/secret.txt', join(outside, 'deep/er.txt'), outside])
      assert.equal((await need('read_file', { path })).kind, 'nothing', path);
    assert.equal(await run('read_file', { path: join(outside, 'deep/er.txt') }), 'deeper secret');
    assert.equal((await need('list_directory', { path: join(outside, '..') })).kind, 'answer');
  });

  test('still needs the question after an answer "always", and with a rule for the tool as such', async (t) => {
    const { outside, permissions, need, tool } = await asking(t, { allow: ['read_file', 'list_directory:path=*'] });
    permissions.allows('root', tool('read_file'), 'always', { addresses: [], folders: [] });
    assert.equal((await need('read_file', { path: 'in.txt' })).kind, 'nothing');
    assert.equal((await need('read_file', { path: join(outside, 'secret.txt') })).kind, 'answer');
    assert.equal((await need('list_directory', { path: outside })).kind, 'answer');
  });

  test('needs no question with a rule that names the path, or under yolo', async (t) => {
    const named = await asking(t, { allow: ['read_file:path=/**'] });
    assert.equal((await named.need('read_file', { path: join(named.outside, 'secret.txt') })).kind, 'nothing');
    assert.equal(await named.run('read_file', { path: join(named.outside, 'secret.txt') }), 'secret');
    const free = await asking(t, {}, 'yolo');
    assert.equal(await free.run('read_file', { path: join(free.outside, 'secret.txt') }), 'secret');
    const denied = await asking(t, { deny: ['read_file:path=/**/secret.txt'] }, 'yolo');
    assert.equal((await denied.need('read_file', { path: join(denied.outside, 'secret.txt') })).kind, 'refused');
    assert.equal((await denied.need('read_file', { path: 'link/secret.txt' })).kind, 'refused');
  });

  test('grants no writing there, not even under yolo', async (t) => {
    const { outside, permissions, run, tool } = await asking(t, {}, 'yolo');
    permissions.allows('root', tool('read_file'), 'yes', { addresses: [], folders: [outside] });
    for (const [name, args] of writing(join(outside, 'secret.txt')))
      await assert.rejects(run(name, args), /outside the working directory/, name);
    assert.equal(await readFile(join(outside, 'secret.txt'), 'utf8'), 'secret');
  });
});
