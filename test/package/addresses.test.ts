// Where the packages say that they come from: one field of the root package.json, which is set for a release.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = readdirSync(join(root, 'packages'));
const fields = new Set(['repository', 'homepage', 'bugs']);

type Manifest = Record<string, unknown>;
const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

describe('the address of the repository', () => {
  test('is in no package and no README while the root has none', () => {
    const { repository } = manifestOf(root);
    for (const name of packages) {
      const folder = join(root, 'packages', name);
      const given = Object.keys(manifestOf(folder)).filter((key) => fields.has(key));
      assert.deepEqual(given, repository === undefined ? [] : ['homepage', 'bugs', 'repository'], name);
    }
  });

  for (const [what, repository, status] of [
    ['is refused where it is none', 'git@example.com:owner/turnwire.git', 1],
    ['is asked for where it is missing', undefined, 1],
    ['is written into manifests and links', 'https://example.com/owner/turnwire', 0],
  ] as const)
    test(what, (t) => {
      const copy = mkdtempSync(join(tmpdir(), 'turnwire addresses '));
      t.after(() => rmSync(copy, { recursive: true, force: true }));
      writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...manifestOf(root), repository }));
      for (const name of packages)
        for (const file of ['package.json', 'README.md'])
          cpSync(join(root, 'packages', name, file), join(copy, 'packages', name, file));
      const script = join(root, 'scripts', 'generate', 'addresses.mjs');
      const ended = spawnSync(process.execPath, [script, copy], { encoding: 'utf8' });
      assert.equal(ended.status, status, ended.stderr);
      if (status !== 0) return assert.match(ended.stderr, /"repository".*https:\/\/HOST\/OWNER\/NAME/);
      for (const name of packages) {
        const { homepage, bugs, repository: given, ...rest } = manifestOf(join(copy, 'packages', name));
        const directory = `packages/${name}`;
        assert.deepEqual(given, { type: 'git', url: `git+${repository}.git`, directory });
        assert.deepEqual([homepage, bugs], [`${repository}/tree/main/${directory}#readme`, `${repository}/issues`]);
        assert.deepEqual(rest, manifestOf(join(root, directory)));
        const readme = readFileSync(join(copy, directory, 'README.md'), 'utf8');
        assert.doesNotMatch(readme, /\]\(\.\.\//);
        assert.match(readme, /\]\(https:\/\/example\.com\/owner\/turnwire\/blob\/main\/docs\/\w+\.md\)/);
      }
    });
});
