import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as gateway from '@turnwire/gateway';
import type { GatewayPackage } from '../../packages/turnwire/dist/cli/gateway-package.js';

const folder = fileURLToPath(new URL('../../packages/gateway', import.meta.url));

describe('@turnwire/gateway as a package', () => {
  test('has the types that turnwire serve uses', () => {
    const used: GatewayPackage = gateway;
    assert.equal(typeof used.startGateway, 'function');
  });

  test('contains its bundle, declarations for both kinds of modules, the schema, its page, and nothing else', () => {
    const cli = process.env['npm_execpath'];
    const [command, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]];
    const args = [...first, 'pack', '--json', '--dry-run', '--ignore-scripts'];
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 120_000 });
    assert.equal(status, 0, stderr);
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    const declarations = paths.filter((path) => path.endsWith('.d.ts'));
    for (const path of declarations) assert(paths.includes(path.replace(/ts$/, 'cts')), path);
    const rest = paths.filter((path) => !/\.d\.c?ts$/.test(path));
    assert.deepEqual(rest.toSorted(), [
      'LICENSE',
      'README.md',
      'bundle/LICENSE.zod',
      'bundle/index.cjs',
      'bundle/index.js',
      'package.json',
      'page/icon.svg',
      'page/index.html',
      'page/page.css',
      'page/page.js',
      'schema/gateway.schema.json',
    ]);
  });

  test('uses the installed client, and contains no copy of it', () => {
    const bundle = readFileSync(join(folder, 'bundle', 'index.cjs'), 'utf8');
    assert.match(bundle, /require\("@turnwire\/client\/relay"\)/);
    assert.doesNotMatch(bundle, /class TurnwireError/);
  });
});
