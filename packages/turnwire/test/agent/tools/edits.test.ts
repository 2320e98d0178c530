import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { replaceOnce } from '../../../dist/agent/tools/files/edit.js';
import { toolsOf } from './tools.js';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('an edit', () => {
  const cases: Readonly<Record<string, [content: string, oldText: string, newText: string, expected: string]>> = {
    'finds \\n where the file has \\r\\n, and writes \\r\\n': [
      'a\r\nb\r\nc\r\n',
      'a\nb',
      'a\nx\ny',
      'a\r\nx\r\ny\r\nc\r\n',
    ],
    'finds \\r\\n where the file has \\n, and writes \\n': ['a\nb\nc\n', 'a\r\nb', 'x\r\ny', 'x\ny\nc\n'],
    'takes the ends of the file where the place has none': ['a\r\nb\r\nc', 'b', 'x\ny', 'a\r\nx\r\ny\r\nc'],
    'leaves ends of lines alone that it does not touch': ['a\nb\r\nc\nd\r\n', 'c\nd', 'x\ny', 'a\nb\r\nx\ny\r\n'],
    'keeps the ends of a text in one line': ['a b', 'b', 'x\r\ny', 'a x\r\ny'],
    'takes $ as it is': ['a', 'a', "$& $1 $'", "$& $1 $'"],
    'finds the end of a line alone': ['a\r\n\r\nb', 'a\n\n', 'a\n', 'a\r\nb'],
  };
  for (const [what, [content, oldText, newText, expected]] of Object.entries(cases)) {
    test(what, () => assert.equal(replaceOnce(content, { oldText, newText }, 1), expected));
  }

  test('finds occurrences with either line end', () => {
    const edit = { oldText: 'a\nb', newText: '' };
    assert.throws(() => replaceOnce('a\nb a\r\nb', edit, 2), /edit 2: the oldText occurs more than once/);
    assert.throws(() => replaceOnce('a b', edit, 3), /edit 3: the oldText is not in the file/);
  });
});

describe('filesystem: the byte order mark', () => {
  test('stays when a file is written or edited, and is left out when it is read and searched', async (t) => {
    const { call, directory } = await toolsOf(t, [{ type: 'filesystem' }]);
    const place = join(directory, 'f.txt');
    await writeFile(place, '\uFEFFone\r\ntwo\r\n');
    assert.equal(await call('read_file', { path: 'f.txt' }), 'one\r\ntwo\r\n');
    assert.equal(await call('search_files_content', { query: '^one', is_regex: true }), 'f.txt:1: one');
    await call('edit_file', { path: 'f.txt', edits: [{ oldText: 'one\ntwo', newText: '1\n2' }] });
    assert.equal(await readFile(place, 'utf8'), '\uFEFF1\r\n2\r\n');
    await call('edit_file', { path: 'f.txt', edits: [{ oldText: '\uFEFF1', newText: 'one' }] });
    assert.equal(await readFile(place, 'utf8'), '\uFEFFone\r\n2\r\n');
    await call('write_file', { path: 'f.txt', content: 'new' });
    assert.equal(await readFile(place, 'utf8'), '\uFEFFnew');
    await call('write_file', { path: 'g.txt', content: 'new' });
    assert.equal(await readFile(join(directory, 'g.txt'), 'utf8'), 'new');
  });
});

describe('filesystem: a file that another program changes', () => {
  const changed = /f\.txt has changed since you read it\. Nothing was written; read it again first/;

  test('is not overwritten before it is read again', async (t) => {
    const { call, directory } = await toolsOf(t, [{ type: 'filesystem' }]);
    const place = join(directory, 'f.txt');
    const write = (content: string): Promise<string> => call('write_file', { path: 'f.txt', content });
    await writeFile(place, 'one');
    await call('read_file', { path: 'f.txt' });
    await write('mine');
    await write('mine, too');
    await writeFile(place, 'theirs');
    await assert.rejects(write('mine again'), changed);
    assert.equal(await readFile(place, 'utf8'), 'theirs');
    await call('read_multiple_files', { paths: ['f.txt'] });
    await write('mine again');
    assert.equal(await readFile(place, 'utf8'), 'mine again');
    // As long as before.
    await writeFile(place, 'hers again');
    await assert.rejects(write('mine'), changed);
  });

  test('is edited in its present form, and the model is told', async (t) => {
    const { call, directory } = await toolsOf(t, [{ type: 'filesystem' }]);
    const place = join(directory, 'f.txt');
    await writeFile(place, 'one two');
    await call('read_file', { path: 'f.txt' });
    await writeFile(place, 'one 2');
    const edit = { path: 'f.txt', edits: [{ oldText: 'one', newText: '1' }] };
    assert.equal(
      await call('edit_file', edit),
      'Made 1 edit in f.txt. The file had changed since you read it, elsewhere: read it again.',
    );
    assert.equal(await readFile(place, 'utf8'), '1 2');
    await assert.rejects(call('write_file', { path: 'f.txt', content: 'x' }), changed);
  });

  test('counts as unchanged where only its times differ, or its content came back', async (t) => {
    const { call, directory } = await toolsOf(t, [{ type: 'filesystem' }]);
    const place = join(directory, 'f.txt');
    await writeFile(place, 'one');
    await call('read_file', { path: 'f.txt' });
    await utimes(place, 1, 1);
    await writeFile(place, 'two');
    await writeFile(place, 'one');
    assert.match(await call('write_file', { path: 'f.txt', content: 'mine' }), /^Wrote 4 bytes/);
  });

  test('is tracked for each agent separately', async (t) => {
    const one = await toolsOf(t, [{ type: 'filesystem' }]);
    const other = await toolsOf(t, [{ type: 'filesystem' }], { directory: one.directory });
    await one.call('write_file', { path: 'f.txt', content: 'one' });
    await other.call('read_file', { path: 'f.txt' });
    await one.call('write_file', { path: 'f.txt', content: 'two' });
    await assert.rejects(other.call('write_file', { path: 'f.txt', content: 'three' }), changed);
  });

  test(
    'is reported where a command after the edit has changed it',
    { skip: process.platform === 'win32' && 'sh' },
    async (t) => {
      const { call } = await toolsOf(t, [
        { type: 'filesystem', post_edit: [{ path: '*.txt', cmd: 'echo more >> "${file}"; test "$file" = "$path"' }] },
      ]);
      assert.match(await call('write_file', { path: 'f.txt', content: 'x\n' }), /has changed the file: read it before/);
      await assert.rejects(call('write_file', { path: 'f.txt', content: 'y' }), changed);
      assert.equal(await call('read_file', { path: 'f.txt' }), 'x\nmore\n');
    },
  );
});

describe('filesystem: pictures', () => {
  const shown = { type: 'input_image', image_url: `data:image/png;base64,${png.toString('base64')}` };

  test('are shown, whatever their names are', async (t) => {
    const { output, directory } = await toolsOf(t, [{ type: 'filesystem' }]);
    await writeFile(join(directory, 'i.dat'), png);
    await writeFile(join(directory, 'a.txt'), 'text');
    assert.deepEqual(await output('read_file', { path: 'i.dat' }), [shown]);
    assert.deepEqual(await output('read_multiple_files', { paths: ['a.txt', 'i.dat', 'none'] }), [
      { type: 'input_text', text: '=== a.txt ===\ntext\n=== i.dat ===' },
      shown,
      { type: 'input_text', text: '=== none ===\nError: none does not exist' },
    ]);
  });

  test('have a size limit, each and together', async (t) => {
    const { call, output, directory } = await toolsOf(t, [{ type: 'filesystem' }]);
    const large = (bytes: number): Buffer => Buffer.concat([png, Buffer.alloc(bytes - png.length)]);
    await writeFile(join(directory, 'large.png'), large(4 * 1024 * 1024 + 1));
    await writeFile(join(directory, 'fits.png'), large(4 * 1024 * 1024));
    await writeFile(join(directory, 'not.png'), Buffer.from([0x89, 0x50, 0]));
    await assert.rejects(call('read_file', { path: 'large.png' }), /a picture of 4\.0 MiB, and 4\.0 MiB can be shown/);
    await assert.rejects(call('read_file', { path: 'not.png' }), /not\.png is binary \(3 bytes\)/);
    const parts = await output('read_multiple_files', { paths: ['fits.png', 'fits.png', 'fits.png'] });
    assert.ok(Array.isArray(parts));
    assert.equal(parts.filter(({ type }) => type === 'input_image').length, 1);
    assert.match(JSON.stringify(parts), /the pictures before it are all that one call shows/);
  });
});
