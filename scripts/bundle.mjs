// Bundles the published libraries out of the modules that tsc -b built. A few modules in place of a hundred make the import fast (docs/performance.md).
// Comments are removed, but names and lines stay, so that stack traces can be read and debuggers can follow. The public declarations are bundled with their
// docs and without `@internal`. Each library has ESM and CommonJS, with declarations for both.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withEmptySpreads } from './object-spread.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The libraries to bundle.
 *
 * `esm: 'native'`: ES modules beside the CommonJS ones; bundlers can read both. `esm: 'wrapper'`: ES modules that only
 * export what the CommonJS ones export, so that a process has one copy, and Node loads `ws` and `yaml` in half the time.
 *
 * `inline`: dependencies whose code becomes part of the bundle, with their licence beside it. Of zod's hundred files most are messages in other
 * languages: without them an emulator starts in two thirds of the time. It stays a dependency, because the declarations of scripts name its types.
 *
 * `chunk`: modules of one file. Otherwise modules that another entry also needs get a file of their own, and each file adds half a millisecond to an import.
 */
const libraries = [
  {
    folder: 'client',
    entries: ['index', 'fetch/index', 'proxy/index', 'relay/index'],
    esm: 'native',
    chunk: { name: 'client', test: /[\\/]dist[\\/](?!fetch[\\/]|relay[\\/]|index\.js)/, minShareCount: 2 },
  },
  { folder: 'emulator', entries: ['index'], inline: ['zod'], esm: 'wrapper' },
  { folder: 'gateway', entries: ['index'], inline: ['zod'], esm: 'wrapper' },
];

/**
 * Makes those of these folders anew whose sources have changed since. Throws where one cannot be made.
 *
 * `declarations: false` leaves out the types: what only runs needs none, and they take most of the time.
 */
export async function bundleLibraries(folders, { declarations = true } = {}) {
  for (const library of libraries.filter(({ folder }) => folders.includes(folder))) {
    const folder = join(root, 'packages', library.folder);
    const bundle = join(folder, 'bundle');
    // A bundle with types also counts where none are needed.
    const stamps = declarations ? ['made'] : ['made', 'made-without-types'];
    const made = newest(stamps.map((name) => join(bundle, name)));
    const sources = ['src', 'package.json', 'tsconfig.json', 'tsconfig.bundle.json'].map((name) => join(folder, name));
    // The lockfile counts, because another version of the bundler makes another bundle.
    const others = [
      'package-lock.json',
      'tsconfig.base.json',
      join('scripts', 'bundle.mjs'),
      join('scripts', 'object-spread.mjs'),
    ].map((name) => join(root, name));
    if (made > newest([...sources, ...others])) continue;
    rmSync(bundle, { recursive: true, force: true });
    await bundleModules(library, folder, bundle);
    if (declarations) bundleDeclarations(library, folder, bundle);
    writeFileSync(join(bundle, declarations ? 'made' : 'made-without-types'), '');
  }
}

/**
 * Puts the one module of the MCP project's SDK that `turnwire` uses, and what it is made of, into `packages/turnwire/bundle/`: the SDK has servers, too,
 * and would bring a hundred packages along.
 */
export async function bundleSignIn() {
  const folder = join(root, 'packages', 'turnwire');
  const bundle = join(folder, 'bundle');
  if (newest([join(bundle, 'made')]) > newest([join(root, 'package-lock.json'), join(root, 'scripts', 'bundle.mjs')]))
    return;
  rmSync(bundle, { recursive: true, force: true });
  const { rolldown } = await import('rolldown');
  const input = createRequire(join(folder, 'package.json')).resolve('@modelcontextprotocol/sdk/client/auth.js');
  const build = await rolldown({
    // The SDK's package has both kinds of modules; the ES modules are taken.
    input: { 'mcp-auth': input.replace(`${sep}cjs${sep}`, `${sep}esm${sep}`) },
    platform: 'node',
    external: /^zod($|\/)/,
  });
  await build.write({ dir: bundle, format: 'esm', entryFileNames: '[name].js', comments: false });
  await build.close();
  for (const name of ['@modelcontextprotocol/sdk', 'pkce-challenge'])
    copyFileSync(join(root, 'node_modules', name, 'LICENSE'), join(bundle, `LICENSE.${name.replace(/^@|\/.*$/g, '')}`));
  writeFileSync(join(bundle, 'made'), '');
}

async function bundleModules({ entries, inline = [], esm, chunk }, folder, bundle) {
  const { rolldown } = await import('rolldown');
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const outside = Object.keys(dependencies).filter((name) => !inline.includes(name));
  const build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(folder, 'dist', `${entry}.js`)])),
    platform: 'node',
    external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog(level, { message }) {
      if (level === 'warn') throw new Error(message);
    },
  });
  const common = { dir: bundle, comments: false, ...(chunk && { codeSplitting: { groups: [chunk] } }) };
  const cjs = await write(build, {
    ...common,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    // `require` in Jest has no `import()` beside it.
    dynamicImportInCjs: false,
  });
  if (esm === 'native') {
    await write(build, { ...common, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' });
  } else {
    for (const { name, isEntry, exports } of cjs.output) {
      if (isEntry) writeFileSync(join(bundle, `${name}.js`), wrapperOf(`./${posix.basename(name)}.cjs`, exports));
    }
  }
  for (const name of inline) {
    copyFileSync(join(root, 'node_modules', name, 'LICENSE'), join(bundle, `LICENSE.${name}`));
  }
  await build.close();
}

/** Writes a bundle. Its literals are rewritten last, because the bundler would take out again what they get. */
async function write(build, options) {
  const written = await build.write(options);
  for (const { type, fileName, code } of written.output)
    if (type === 'chunk') writeFileSync(join(options.dir, fileName), withEmptySpreads(code));
  return written;
}

/**
 * Writes an ES module that exports what a CommonJS module exports. It uses `require`, because an `import` of a CommonJS module reads the file twice, the
 * first time for the names of its exports.
 */
function wrapperOf(path, names) {
  return `import { createRequire } from 'node:module';\nexport const { ${names.join(', ')} } = createRequire(import.meta.url)('${path}');\n`;
}

/** Writes the declarations. tsc writes one for each module; those that a user can reach stay, once for each kind of module. */
function bundleDeclarations({ entries }, folder, bundle) {
  const declarations = join(bundle, 'declarations');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, error } = spawnSync(
    process.execPath,
    [tsc, '-p', join(folder, 'tsconfig.bundle.json'), '--outDir', declarations],
    { stdio: ['ignore', 2, 2] },
  );
  if (error || status !== 0) throw error ?? new Error('tsc could not write the declarations.');
  const relativeImport = /((?:from |import\()'\.[^']*)\.js'/g;
  // The ids of rules are for readers of the sources, and are removed for users of the package.
  const citation = / \([A-Z]\d{1,3}(?:(?:, |–)[A-Z]\d{1,3})*\)|, [A-Z]\d{1,3}(?=\))/g;
  const reached = new Set();
  const reach = (name) => {
    if (reached.has(name)) return;
    reached.add(name);
    const text = readFileSync(join(declarations, `${name}.d.ts`), 'utf8').replaceAll(citation, '');
    mkdirSync(dirname(join(bundle, name)), { recursive: true });
    writeFileSync(join(bundle, `${name}.d.ts`), text);
    writeFileSync(join(bundle, `${name}.d.cts`), text.replaceAll(relativeImport, "$1.cjs'"));
    for (const [, start] of text.matchAll(relativeImport)) {
      reach(posix.join(posix.dirname(name), start.slice(start.indexOf("'") + 1)));
    }
  };
  for (const entry of entries) reach(entry);
  rmSync(declarations, { recursive: true });
}

/** The latest time at which a file in these folders was written; 0 where there is none. */
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
