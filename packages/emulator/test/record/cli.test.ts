import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { json, post } from '../wire.js';

const bin = fileURLToPath(new URL('../../../turnwire/bin/turnwire.js', import.meta.url));
const CREATE = { model: 'm', input: 'one two three' };

/** Starts a command that serves. Returns its address and its process. */
async function serve(t: TestContext, ...args: string[]): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { url: json(String(line))['url'], child };
}

async function stop(child: ChildProcess): Promise<unknown> {
  child.kill('SIGINT');
  const [status] = await once(child, 'exit');
  return status;
}

async function refused(...args: string[]): Promise<{ status: unknown; said: string; printed: string }> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, printed] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
  const [status] = await once(child, 'close');
  return { status, said, printed };
}

test(
  'turnwire record writes a recording that turnwire emulate --replay serves, with --loose and --speed',
  { timeout: 60_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'turnwire-cli-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'run.jsonl');
    const emulator = await serve(t, 'emulate', '--json');
    const recorder = await serve(t, 'record', '--json', '--to', file, '--', emulator.url);
    const recorded = await (await post(recorder.url, CREATE)).text();
    assert.equal(await stop(recorder.child), 0);
    assert.equal(json((await readFile(file, 'utf8')).split('\n')[0] ?? '')['upstream'], emulator.url);

    const strict = await serve(t, 'emulate', '--json', '--replay', file, '--speed', 'at-once');
    assert.equal((await post(strict.url, { model: 'x', input: 'y' })).status, 400);
    assert.equal(await (await post(strict.url, CREATE)).text(), recorded);
    const loose = await serve(t, 'emulate', '--json', '--replay', file, '--loose', '--speed', '10');
    assert.equal(await (await post(loose.url, { model: 'x', input: 'y' })).text(), recorded);
  },
);

test('turnwire emulate --faults reads a file of fault rules', { timeout: 60_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'faults.yaml');
  await writeFile(file, 'faults:\n  - { on: { turn: 1 }, do: error status=503 }\n');
  const { url } = await serve(t, 'emulate', '--json', '--faults', file);
  assert.equal((await post(url, CREATE)).status, 503);
  assert.equal((await post(url, CREATE)).status, 200);
});

test('turnwire record and emulate answer wrong usage with one sentence and status 2', { timeout: 60_000 }, async () => {
  for (const [args, sentence] of [
    [['record', 'http://127.0.0.1:1/v1'], /^there is no file to write: name one with --to FILE\n$/],
    [['record', '--to', 'x.jsonl', '--', 'nonsense'], /must be a base URL such as .* not "nonsense"\.\n$/],
    [['emulate', '--loose'], /name it with --replay FILE\n$/],
    [['emulate', '--replay', 'no-such-file'], /there is no such file\.\n$/],
    [['emulate', '--replay', 'x', '--speed', '0'], /Give a number above 0, or "at-once"\.\n$/],
  ] as const) {
    const { status, said } = await refused(...args);
    assert.equal(status, 2, said);
    assert.match(said, sentence);
  }
});

test('turnwire emulate --check says whether a script is valid, and exits', { timeout: 60_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const [good, bad] = [join(folder, 'good.yaml'), join(folder, 'bad.yaml')];
  await writeFile(good, 'turns:\n  - text: Hello.\n');
  await writeFile(bad, 'turns:\n  - txt: Hello.\n');
  assert.equal((await refused('emulate', '--check', good)).status, 0);
  const { status, said } = await refused('emulate', '--check', bad);
  assert.equal(status, 2);
  assert.match(said, /bad\.yaml:2:5: .*did you mean "text"/);
  await writeFile(bad, 'turns:\n  - txt: Hello.\n  - text: 5\nafer: echo\nfaults:\n  - do: clse\n');
  assert.deepEqual((await refused('emulate', '--check', bad)).said.match(/bad\.yaml:\d+:\d+/g), [
    'bad.yaml:2:5',
    'bad.yaml:3:11',
    'bad.yaml:4:1',
    'bad.yaml:6:9',
  ]);
  const asJson = await refused('emulate', '--check', '--json', bad);
  const { valid, problems } = json(asJson.printed);
  assert.deepEqual([asJson.status, valid, problems.length], [2, false, 4]);
  assert.match((await refused('emulate', '--check')).said, /--check takes something to check/);
});

test(
  'turnwire emulate --verbose prints a line for each turn, and exits with status 0 after a call of its control API',
  { timeout: 60_000 },
  async (t) => {
    const child = spawn(process.execPath, [bin, 'emulate', '--json', '--verbose'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    const { url } = json(String(line));
    await (await post(url, CREATE)).text();
    const exited = once(child, 'close');
    await fetch(url.replace(/v1$/, 'emulator/end'), { method: 'POST' });
    assert.deepEqual((await exited)[0], 0);
    assert.match(said, /^turn 1 json full completed$/m);
  },
);
