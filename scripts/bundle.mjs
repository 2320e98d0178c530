// Makes what @turnwire/client publishes out of what tsc -b built: one module instead of a hundred, which is what importing it costs
// (docs/performance.md), without comments but with every name, so that a stack trace can be read and a debugger can follow; and the
// declarations of the public API, with their docs, without what is `@internal`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const client = join(root, 'packages', 'client');
const bundle = join(client, 'bundle');
const entries = ['index', 'fetch/index', 'proxy/index'];

/** Does nothing where nothing has changed since. Throws where it cannot be made. */
export async function bundleClient() {
  const made = newest([join(bundle, 'made')]);
  const sources = ['src', 'package.json', 'tsconfig.json', 'tsconfig.bundle.json'].map((name) => join(client, name));
  // The lockfile, because another bundler makes another bundle.
  const others = ['package-lock.json', 'tsconfig.base.json', join('scripts', 'bundle.mjs')].map((name) =>
    join(root, name),
  );
  if (made > newest([...sources, ...others])) return;
  rmSync(bundle, { recursive: true, force: true });
  await bundleModules();
  bundleDeclarations();
  writeFileSync(join(bundle, 'made'), '');
}

async function bundleModules() {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(client, 'dist', `${entry}.js`)])),
    platform: 'node',
    onLog(level, { message }) {
      if (level === 'warn') throw new Error(message);
    },
  });
  await build.write({
    dir: bundle,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'client.js',
    comments: false,
  });
  await build.close();
}

/** tsc writes one for each module; those stay that a user can reach. */
function bundleDeclarations() {
  const declarations = join(bundle, 'declarations');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, error } = spawnSync(
    process.execPath,
    [tsc, '-p', join(client, 'tsconfig.bundle.json'), '--outDir', declarations],
    { stdio: ['ignore', 2, 2] },
  );
  if (error || status !== 0) throw error ?? new Error('tsc could not write the declarations.');
  const reached = new Set();
  const reach = (name) => {
    if (reached.has(name)) return;
    reached.add(name);
    const text = readFileSync(join(declarations, name), 'utf8');
    mkdirSync(dirname(join(bundle, name)), { recursive: true });
    writeFileSync(join(bundle, name), text);
    for (const [, path] of text.matchAll(/(?:from |import\()'(\.[^']*)\.js'/g)) {
      reach(join(dirname(name), `${path}.d.ts`));
    }
  };
  for (const entry of entries) reach(`${entry}.d.ts`);
  rmSync(declarations, { recursive: true });
}

/** When the youngest file in or at one of these was written; 0 where there is none. */
function newest(paths) {
  return Math.max(
    0,
    ...paths.map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return 0;
      return stat.isDirectory() ? newest(readdirSync(path).map((name) => resolve(path, name))) : stat.mtimeMs;
    }),
  );
}
