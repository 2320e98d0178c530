import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { outputText } from '../../../dist/agent/tools/output.js';
import type { Tool } from '../../../dist/agent/tools/tool.js';
import { openTools } from '../../../dist/agent/tools/toolsets.js';
import { scratch } from '../scratch.js';

async function toolbox(directory: string) {
  const { tools } = await openTools([{ type: 'filesystem' }], { directory, env: {} });
  return async (name: string, args: unknown, signal = new AbortController().signal): Promise<string> => {
    const tool = tools.find((candidate): candidate is Tool => candidate.name === name);
    assert.ok(tool !== undefined, name);
    return outputText(await tool.run(args, { signal }));
  };
}

describe('filesystem toolset', () => {
  test('the toolset has the tools of docker-agent, and only tools that change nothing are read-only', async (t) => {
    const { tools } = await openTools([{ type: 'filesystem' }, { type: 'filesystem' }], {
      directory: await scratch(t),
      env: {},
    });
    const names = (readOnly: boolean) => tools.filter((tool) => tool.readOnly === readOnly).map(({ name }) => name);
    assert.deepEqual(names(true).sort(), [
      'directory_tree',
      'list_directory',
      'read_file',
      'read_multiple_files',
      'search_files_content',
    ]);
    assert.deepEqual(names(false).sort(), ['create_directory', 'edit_file', 'remove_directory', 'write_file']);
    const read = tools.find(({ name }) => name === 'read_file');
    assert.deepEqual(read?.parameters['required'], ['path']);
    assert.equal(read?.parameters['type'], 'object');
  });

  test('reads, writes and edits', async (t) => {
    const folder = await scratch(t, { 'a.txt': 'one\ntwo\n' });
    const call = await toolbox(folder);
    assert.equal(await call('read_file', { path: 'a.txt' }), 'one\ntwo\n');
    assert.equal(await call('read_file', { path: join(folder, 'a.txt') }), 'one\ntwo\n');
    await call('write_file', { path: 'new/deep/b.txt', content: 'grüße' });
    assert.equal(await readFile(join(folder, 'new/deep/b.txt'), 'utf8'), 'grüße');
    await call('edit_file', {
      path: 'a.txt',
      edits: [
        { oldText: 'one', newText: '$& and $1' },
        { oldText: 'two', newText: '' },
      ],
    });
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), '$& and $1\n\n');
  });

  test('an edit that cannot be made leaves the file as it was', async (t) => {
    const folder = await scratch(t, { 'a.txt': 'x y x' });
    const call = await toolbox(folder);
    const edit = (...edits: [string, string][]) =>
      call('edit_file', { path: 'a.txt', edits: edits.map(([oldText, newText]) => ({ oldText, newText })) });
    await assert.rejects(edit(['y', 'z'], ['missing', '']), /edit 2: the oldText is not in the file/);
    await assert.rejects(edit(['x', 'z']), /edit 1: the oldText occurs more than once/);
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'x y x');
  });

  test('no path leads out of the working directory', async (t) => {
    const outside = await scratch(t, { 'secret.txt': 'secret' });
    const folder = await scratch(t, { 'in.txt': 'in' });
    await symlink(outside, join(folder, 'link'));
    await symlink(join(outside, 'not-yet.txt'), join(folder, 'dangling'));
    await symlink(join(folder, 'in.txt'), join(folder, 'inner'));
    const call = await toolbox(folder);
    for (const path of [
      '../x',
      join(outside, 'secret.txt'),
      'link/secret.txt',
      'link',
      '/etc/passwd',
      'a/../../x',
      `${folder}-sibling`,
    ]) {
      await assert.rejects(call('read_file', { path }), /outside the working directory/, path);
      await assert.rejects(call('write_file', { path, content: 'x' }), /outside the working directory/, path);
      await assert.rejects(call('list_directory', { path }), /outside the working directory/, path);
      await assert.rejects(call('create_directory', { paths: [path] }), /outside the working directory/, path);
      await assert.rejects(
        call('remove_directory', { paths: [path], recursive: true }),
        /outside the working directory/,
        path,
      );
      await assert.rejects(call('search_files_content', { path, query: 's' }), /outside the working directory/, path);
    }
    await assert.rejects(
      call('write_file', { path: 'dangling', content: 'x' }),
      /symbolic link to something that does not exist/,
    );
    await assert.rejects(access(join(outside, 'not-yet.txt')));
    assert.equal(await readFile(join(outside, 'secret.txt'), 'utf8'), 'secret');
    assert.equal(await call('read_file', { path: 'inner' }), 'in');
  });

  test('failures are sentences with the path as it was given', async (t) => {
    const folder = await scratch(t, {
      'a.txt': 'x',
      bin: new Uint8Array([1, 0, 2]),
      latin: new Uint8Array([0x61, 0xe4, 0x61]),
    });
    const call = await toolbox(folder);
    await assert.rejects(call('read_file', { path: 'nope.txt' }), { message: 'nope.txt does not exist' });
    await assert.rejects(call('read_file', { path: '.' }), { message: '. is a directory' });
    await assert.rejects(call('read_file', { path: 'bin' }), { message: 'bin is binary (3 bytes), not UTF-8 text' });
    await assert.rejects(call('read_file', { path: 'latin' }), /latin is binary/);
    await assert.rejects(call('list_directory', { path: 'a.txt' }), /a\.txt is not a directory/);
    await assert.rejects(
      call('write_file', { path: 'a.txt/b', content: '' }),
      /a\.txt\/b (is not a directory|already exists)/,
    );
    await assert.rejects(call('read_file', { path: 'a\0b' }), /NUL/);
    await assert.rejects(call('read_file', { path: 5 }), /wrong arguments for read_file: path: /);
  });

  test('a pipe is refused, not waited for', { skip: process.platform === 'win32' }, async (t) => {
    const folder = await scratch(t);
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
    await assert.rejects((await toolbox(folder))('read_file', { path: 'pipe' }), {
      message: 'pipe is not a regular file',
    });
  });

  test('a large file is cut at 256 KiB, between characters, with a note about the rest', async (t) => {
    const text = `x${'ä'.repeat(200_000)}`;
    const folder = await scratch(t, { 'large.txt': text });
    const result = await (await toolbox(folder))('read_file', { path: 'large.txt' });
    const [content = '', note = ''] = result.split('\n');
    assert.equal(content, text.slice(0, content.length));
    assert.equal(content.length, 1 + Math.floor((256 * 1024 - 1) / 2));
    assert.equal(note, `[cut: the last ${400_001 - 256 * 1024} of 400001 bytes of large.txt are not shown]`);
  });

  test('several files: each gets an equal share, and a failure does not hide the others', async (t) => {
    const folder = await scratch(t, { a: 'A', large: 'x'.repeat(300_000) });
    const result = await (await toolbox(folder))('read_multiple_files', { paths: ['a', 'gone', 'large'] });
    assert.match(result, /^=== a ===\nA\n=== gone ===\nError: gone does not exist\n=== large ===\nx+\n\[cut: /);
    assert.ok(result.length < 256 * 1024);
  });

  test('lists and trees are sorted, marked and bounded', async (t) => {
    const folder = await scratch(t, {
      'b/c.txt': '',
      'a.txt': '',
      '.hidden': '',
      'node_modules/x/y.js': '',
      '.git/config': '',
    });
    await symlink('a.txt', join(folder, 'link'));
    await mkdir(join(folder, 'empty'));
    const call = await toolbox(folder);
    assert.equal(
      await call('list_directory', { path: '.' }),
      '.git/\n.hidden\na.txt\nb/\nempty/\nlink@\nnode_modules/',
    );
    assert.equal(await call('directory_tree', { path: '.' }), '.hidden\na.txt\nb/\n  c.txt\nempty/\nlink@');
    assert.equal(await call('directory_tree', { path: '.', max_depth: 1 }), '.hidden\na.txt\nb/\nempty/\nlink@');
    assert.equal(await call('list_directory', { path: 'empty' }), 'empty is empty.');
    await Promise.all(Array.from({ length: 2100 }, (_, index) => writeFile(join(folder, 'empty', `f${index}`), '')));
    const lines = (await call('directory_tree', { path: 'empty' })).split('\n');
    assert.equal(lines.length, 2001);
    assert.equal(lines.at(-1), '[cut after 2000 entries]');
  });

  test('searches texts and expressions, in order', async (t) => {
    const folder = await scratch(t, {
      'b.js': 'let x = 1;\nlet y = 2;\r\n',
      'a/a.js': 'x.y',
      bin: new Uint8Array([120, 0]),
      'node_modules/z.js': 'x',
    });
    const call = await toolbox(folder);
    assert.equal(await call('search_files_content', { query: 'x' }), 'a/a.js:1: x.y\nb.js:1: let x = 1;');
    assert.equal(await call('search_files_content', { query: 'x.y' }), 'a/a.js:1: x.y');
    assert.equal(
      await call('search_files_content', { path: 'b.js', query: '^let .*\\d;$', is_regex: true }),
      'b.js:1: let x = 1;\nb.js:2: let y = 2;',
    );
    assert.equal(await call('search_files_content', { query: 'nowhere' }), 'No matches.');
    await assert.rejects(call('search_files_content', { query: '(', is_regex: true }), /not a regular expression/);
  });

  test('an expression that backtracks without end is interrupted', async (t) => {
    const folder = await scratch(t, { 'a.txt': `${'a'.repeat(60)}b` });
    await assert.rejects(
      (await toolbox(folder))('search_files_content', { query: '^(a+)+$', is_regex: true }),
      /takes too long on a\.txt/,
    );
  });

  test('more matches than 200 are cut', async (t) => {
    const folder = await scratch(t, { 'a.txt': 'x\n'.repeat(500) });
    const lines = (await (await toolbox(folder))('search_files_content', { query: 'x' })).split('\n');
    assert.equal(lines.length, 201);
  });

  test('folders are made and removed, never the working directory and never through a link', async (t) => {
    const folder = await scratch(t, { 'full/a': 'x', file: 'x' });
    await symlink('full', join(folder, 'link'));
    const call = await toolbox(folder);
    await call('create_directory', { paths: ['a/b', 'a/b', 'c'] });
    await call('remove_directory', { paths: ['a/b', 'c'] });
    await assert.rejects(access(join(folder, 'a/b')));
    await assert.rejects(call('remove_directory', { paths: ['full'] }), { message: 'full is not empty' });
    await assert.rejects(call('remove_directory', { paths: ['link'], recursive: true }), /is a symbolic link/);
    await assert.rejects(call('remove_directory', { paths: ['file'], recursive: true }), {
      message: 'file is not a directory',
    });
    await assert.rejects(call('remove_directory', { paths: ['.'], recursive: true }), /the working directory itself/);
    await assert.rejects(call('remove_directory', { paths: ['gone'] }), { message: 'gone does not exist' });
    await call('remove_directory', { paths: ['full'], recursive: true });
    await assert.rejects(access(join(folder, 'full')));
  });

  test('an aborted search ends', async (t) => {
    const folder = await scratch(t, { 'a/b': 'x' });
    await assert.rejects((await toolbox(folder))('search_files_content', { query: 'x' }, AbortSignal.abort()), {
      name: 'AbortError',
    });
  });
});
