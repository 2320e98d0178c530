// Prepares the other scripts: checks the version of Node, installs the dependencies of the lockfile, and builds. It does only what is missing, so that it is
// fast when nothing is. Its messages go to standard error, so that `--json` output stays clean.
//
// `--demo`: prepares only the command line, with a fifth of the packages; no tests, bench or examples.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
// Imported as a whole: an old Node that lacks a named import would fail before this script can say so.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.turnwire-lockfile');
const buildFailed = 'The build failed: see the messages above.';
const demoOnly = process.argv.includes('--demo');
/** The workspaces that the demo needs; `scripts` has the compiler and the bundler. */
const ofDemo = ['packages/client', 'packages/emulator', 'packages/gateway', 'packages/turnwire', 'scripts'];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `turnwire needs Node.js 20.19 or newer; this is ${process.version}. Install a newer Node.js and run the command again.`,
  );
}
if (!dependenciesAreCurrent()) {
  say('Installing dependencies (npm ci) ...');
  const only = demoOnly ? ['--omit=dev', ...ofDemo.map((workspace) => `--workspace=${workspace}`)] : [];
  npm(['ci', ...only, '--no-audit', '--no-fund', '--loglevel=error']);
  fs.writeFileSync(stamp, stampOf(demoOnly));
}
// The other packages are compiled against the bundles, and run with them, as those of users do.
const { bundleLibraries, bundleSignIn } = await import('./bundle.mjs');
if (demoOnly) {
  say('Building (tsc) ...');
  for (const name of ['client', 'emulator', 'gateway', 'turnwire']) emit(join(root, 'packages', name));
  await bundle(['client', 'emulator', 'gateway'], { declarations: false });
} else {
  say('Building (tsc -b) ...');
  build(join(root, 'packages', 'client'), join(root, 'packages', 'emulator'));
  await bundle(['client', 'emulator']);
  build(join(root, 'packages', 'gateway'));
  await bundle(['gateway']);
  await bundleSignIn();
  build(root);
}
copyDemo();

async function bundle(folders, options) {
  await bundleLibraries(folders, options).catch((error) =>
    fail(
      `The libraries could not be bundled with Node.js ${process.version}; Rolldown needs 20.19 or newer, but not 21. ${error.message}`,
    ),
  );
}

/** True where the dependencies are installed. An installation of all of them is enough for the demo, too. */
function dependenciesAreCurrent() {
  const installed = fs.existsSync(stamp) ? fs.readFileSync(stamp, 'utf8') : '';
  return installed === stampOf(false) || (demoOnly && installed === stampOf(true));
}

/** The stamp of an installation: the hash of the lockfile, and not its date, because a checkout changes dates. */
function stampOf(forDemo) {
  const hash = createHash('sha256')
    .update(fs.readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return forDemo ? `${hash} demo` : hash;
}

function build(...projects) {
  run(process.execPath, [tsc(), '-b', ...projects], buildFailed);
}

/** Writes the JavaScript without checking types, which takes a fifth of the time. */
function emit(project) {
  const alone = ['--noCheck', '--declaration', 'false', '--composite', 'false', '--incremental', 'false'];
  run(process.execPath, [tsc(), '-p', project, ...alone, '--tsBuildInfoFile', 'null'], buildFailed);
}

function tsc() {
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}

/** Copies the example of the demo into the package, from which `turnwire demo` runs, too. */
function copyDemo() {
  const from = join(root, 'examples', 'agents', 'source-report');
  const to = join(root, 'packages', 'turnwire', 'dist', 'examples', 'source-report');
  if (!fs.existsSync(from)) fail(`The demo's agent is missing: ${from}. Restore it with "git checkout examples".`);
  fs.rmSync(to, { recursive: true, force: true });
  fs.cpSync(from, to, { recursive: true });
}

function npm(args) {
  const hint = 'npm could not install the dependencies: the first run needs the network (or a filled npm cache).';
  // npm sets this variable for its scripts to its own path. Running that file with this Node needs no shell on any platform.
  const cli = process.env['npm_execpath'];
  if (cli && /\.c?js$/.test(cli)) run(process.execPath, [cli, ...args], hint);
  else run('npm', args, hint, process.platform === 'win32');
}

function run(command, args, hint, shell = false) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell });
  if (error || status !== 0) fail(error ? `${hint} (${error.message})` : hint);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}
