import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const packages = ['client', 'emulator', 'turnwire'] as const;

/** With the npm that started the tests, if one did: that file needs no shell, whatever the platform. */
function npm(args: readonly string[], cwd: string) {
  const cli = process.env['npm_execpath'];
  const [command, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]];
  return spawnSync(command, [...first, ...args], { cwd, encoding: 'utf8', timeout: 120_000 });
}

describe('the packages, packed and installed elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire packed '));
  const packed = new Map<string, string[]>();
  let tarballs: string[] = [];
  let installed = false;

  before(() => {
    tarballs = packages.map((name) => {
      const { status, stdout, stderr } = npm(
        ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
        join(root, 'packages', name),
      );
      assert.equal(status, 0, stderr);
      const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
      packed.set(
        name,
        files.map(({ path }) => path),
      );
      return join(folder, filename);
    });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=0'];
    installed = npm(['install', ...flags, ...tarballs], folder).status === 0;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const sourcesOf = (name: string): string[] =>
    readdirSync(join(root, 'packages', name, 'src'), { recursive: true })
      .map((path) => String(path).replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ts'))
      .map((path) => path.slice(0, -'.ts'.length));

  test('turnwire contains what its sources build to, and nothing else', () => {
    const built = sourcesOf('turnwire').flatMap((path) => [`dist/${path}.js`, `dist/${path}.d.ts`]);
    const expected = [
      'LICENSE',
      'README.md',
      'package.json',
      'bin/turnwire.js',
      'emulator/index.cjs',
      'emulator/index.d.cts',
      'emulator/index.d.ts',
      'emulator/index.js',
      'bundle/LICENSE.modelcontextprotocol',
      'bundle/LICENSE.pkce-challenge',
      'bundle/mcp-auth.js',
      'dist/examples/source-report/agent.yaml',
      'dist/examples/source-report/client.py',
      'dist/examples/source-report/script.yaml',
      'schema/agent.schema.json',
      ...built,
    ];
    // More than expected is what an older build left behind: "npm run clean" takes it away.
    const files = packed.get('turnwire') ?? [];
    assert.deepEqual(files.filter((path) => !path.endsWith('.map')).sort(), expected.sort());
  });

  test('emulator depends on three packages, which have no dependencies', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dependencies?: Record<string, string> } | undefined>;
    };
    const direct = Object.keys(lock.packages['packages/emulator']?.dependencies ?? {});
    assert.deepEqual(direct, ['ws', 'yaml', 'zod']);
    for (const name of direct) assert.deepEqual(lock.packages[`node_modules/${name}`]?.dependencies ?? {}, {}, name);
  });

  const client = ['client', 'error-response', 'fetch/index', 'index', 'proxy/index', 'relay/index'];
  const expected = {
    client: client.flatMap((name) => [`bundle/${name}.cjs`, `bundle/${name}.js`]),
    emulator: ['bundle/LICENSE.zod', 'bundle/index.js', 'schema/script.schema.json'],
  } as const;
  for (const name of ['client', 'emulator'] as const) {
    test(`${name} contains its bundle, the declarations that a user can reach, and nothing else`, () => {
      const files = packed.get(name) ?? [];
      const declarations = files.filter((path) => path.endsWith('.d.ts'));
      const rest = files.filter((path) => !/\.d\.c?ts$/.test(path) && !(name === 'emulator' && path.endsWith('.cjs')));
      assert.deepEqual(rest.toSorted(), ['LICENSE', 'README.md', ...expected[name], 'package.json'].toSorted());
      assert.deepEqual(
        files.filter((path) => path.endsWith('.d.cts')).toSorted(),
        declarations.map((path) => path.replace(/ts$/, 'cts')).toSorted(),
      );
      const sources = sourcesOf(name);
      for (const path of declarations) {
        assert.ok(sources.includes(path.slice('bundle/'.length, -'.d.ts'.length)), path);
        const text = readFileSync(join(root, 'packages', name, path), 'utf8');
        assert.doesNotMatch(text, /@internal/, path);
        // The rules of the wire, P1 and so on, are for who works on the sources.
        assert.doesNotMatch(text.replaceAll(/U\+\w+/g, ''), /(?<!\w)[A-Z]\d{1,3}(?!\w)/, path);
      }
      const engine = declarations.filter((path) => /bundle\/(?:network|pool|transport|websocket|http)\//.test(path));
      assert.deepEqual(engine, []);
    });
  }

  for (const name of packages) {
    test(`the source maps of ${name}, if it has any, have their sources`, () => {
      const maps = (packed.get(name) ?? []).filter((path) => path.endsWith('.map'));
      const hollow = maps.filter((path) => {
        const map = JSON.parse(readFileSync(join(root, 'packages', name, path), 'utf8')) as { sourcesContent?: [] };
        return map.sourcesContent === undefined;
      });
      assert.deepEqual(hollow, []);
    });
  }

  test('the packed packages can be imported, and a turn runs', (t) => {
    if (!installed) return t.skip('npm could not install the dependencies: no network, and no cache');
    writeFileSync(
      join(folder, 'turn.mjs'),
      `import { createClient } from '@turnwire/client';
       import { startEmulator } from 'turnwire/emulator';
       const emulator = await startEmulator({ script: { turns: [{ text: 'It works.' }] } });
       const client = createClient({ baseUrl: emulator.url, transport: 'websocket' });
       console.log(await client.turn({ model: 'any', input: 'Go.' }).text());
       await client.close();
       await emulator.close();`,
    );
    assert.equal(execFileSync(process.execPath, ['turn.mjs'], { cwd: folder, encoding: 'utf8' }), 'It works.\n');
  });

  test('a stack trace of the packed client names the functions of the sources', (t) => {
    if (!installed) return t.skip('npm could not install the dependencies: no network, and no cache');
    writeFileSync(
      join(folder, 'stack.mjs'),
      `import { createClient } from '@turnwire/client';
       try {
         createClient({ apiKey: 'key', transport: 'carrier pigeon' });
       } catch (error) {
         console.log(error.stack);
       }`,
    );
    const stack = execFileSync(process.execPath, ['stack.mjs'], { cwd: folder, encoding: 'utf8' });
    for (const name of ['TurnwireError', 'checkTransport', 'resolveOptions', 'createClient']) {
      assert.match(stack, new RegExp(`\\b${name}\\b`));
    }
  });

  test('the demo runs from the packed package', (t) => {
    if (!installed) return t.skip('npm could not install the dependencies: no network, and no cache');
    const { status, stdout, stderr } = npm(
      ['exec', '--offline', '--', 'turnwire', 'demo', '--rtt', '0', '--uplink', '0', '--json'],
      folder,
    );
    assert.equal(status, 0, stderr);
    const { identical, runs } = JSON.parse(stdout) as { identical: boolean; runs: { turns: number }[] };
    assert.equal(identical, true);
    assert(runs.every(({ turns }) => turns >= 24));
  });

  test('their types compile in a strict program', (t) => {
    if (!installed) return t.skip('npm could not install the dependencies: no network, and no cache');
    writeFileSync(
      join(folder, 'consumer.ts'),
      `import { createClient, TurnwireError, type Client, type ErrorCode, type Response } from '@turnwire/client';
       import { createFetch, type FetchOptions, type TurnwireFetch } from '@turnwire/client/fetch';
       import { startEmulator, type Emulator, type EmulatorOptions } from 'turnwire/emulator';
       const options: EmulatorOptions = { port: 0 };
       export const emulator: Emulator = await startEmulator(options);
       export const client: Client = createClient({ baseUrl: emulator.url });
       export const response: Response = await client.turn({ model: 'any', input: 'Go.' }).response();
       export const code = (error: unknown): ErrorCode | undefined =>
         error instanceof TurnwireError ? error.code : undefined;
       const fetchOptions: FetchOptions = { transport: 'sse' };
       export const turns: TurnwireFetch = createFetch(fetchOptions);
       export const ordinary: typeof globalThis.fetch = turns;
       // @ts-expect-error -- it is typed: there is no such option
       createClient({ transprot: 'sse' });
      `,
    );
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2023',
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
});
