// What CONTRIBUTING.md says of the code against the code.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root, textOf } from './pages.js';

const page = textOf('CONTRIBUTING.md');

describe('CONTRIBUTING.md', () => {
  test('each name is in the file that the page names for it', () => {
    const named = [...page.matchAll(/`(\w+)` in\s+\[(?:`[^`]+`|the same file)\]\(([^)]+)\)/g)];
    assert.ok(named.length >= 12, `only ${named.length} were found`);
    const missing = named.filter(
      ([, name = '', file = '']) =>
        !new RegExp(String.raw`^export (?:const|function|class|interface|type) ${name}\b`, 'm').test(
          readFileSync(join(root, file), 'utf8'),
        ),
    );
    assert.deepEqual(
      missing.map(([text]) => text),
      [],
    );
  });

  test('each folder of the tree exists, and each folder of the client is in the tree', () => {
    const [, tree = ''] = /```text\n(.*?)\n```/s.exec(page) ?? [];
    let parent = '';
    const folders = tree.split('\n').flatMap((line) => {
      const [, indent = '', names = ''] = /^( *)((?:[\w/-]+\/ *)+)/.exec(line) ?? [];
      const found = names.trim().split(/ +/);
      if (indent === '') [parent = ''] = found;
      return found.map((name) => (indent === '' ? name : `${parent}${name}`));
    });
    assert.ok(folders.length > 20);
    for (const folder of folders)
      assert.ok(existsSync(join(root, folder)) && statSync(join(root, folder)).isDirectory(), folder);
  });

  test('each dependency of a package has its reason', () => {
    const [, reasons = ''] = page.split('\n## Dependencies, and why\n');
    for (const name of readdirSync(join(root, 'packages'))) {
      const { dependencies = {} } = JSON.parse(textOf(`packages/${name}/package.json`)) as {
        dependencies?: Record<string, string>;
      };
      for (const library of Object.keys(dependencies))
        if (!library.startsWith('@turnwire/')) assert.ok(reasons.includes(`[\`${library}\`]`), library);
    }
  });
});
