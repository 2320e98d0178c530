import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { turnwire } from './console.js';

interface Result {
  link: { simulated: boolean; rtt_ms: number; uplink_bits_per_second: number };
  runs: {
    id: string;
    turns: number;
    deltas: number;
    wall_ms: number;
    sent_bytes: number;
    median_first_event_ms: number;
    connections: number;
  }[];
  identical: boolean;
  proofs: { what: string; same: boolean; sha256: string[] }[];
  note: string;
}

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('turnwire demo', () => {
  test('four runs of one program have the same result in fewer bytes, and their report matches the files', async (t) => {
    const svg = join(await temporary(t), 'demo.svg');
    const options = ['--rtt', '0', '--uplink', '0', '--json', '--keep', '--svg', svg];
    const { status, stdout, stderr } = await turnwire(['demo', ...options]);
    assert.equal(status, 0, stderr);
    const { link, runs, identical, proofs, note } = JSON.parse(stdout) as Result;
    const [, folder = ''] = /^The sources and the reports are in (\/.*)$/m.exec(stderr) ?? [];
    assert.notEqual(folder, '', stderr);
    t.after(() => rm(folder, { recursive: true, force: true }));

    assert.deepEqual(link, { simulated: false, rtt_ms: 0, uplink_bits_per_second: 0 });
    assert.match(note, /nothing simulated/);
    assert.deepEqual(
      runs.map(({ id, deltas, connections }) => [id, deltas, connections]),
      [
        ['fetch', 0, 1],
        ['turnwire', 24, 1],
        // The turn whose request was cut went up in full, over a connection of its own.
        ['turnwire-cut', 23, 2],
        ...(hasPython ? [['serve', 24, 1]] : []),
      ],
    );
    for (const run of runs) {
      assert.equal(run.turns, 25);
      assert(run.wall_ms > 0 && run.median_first_event_ms > 0);
    }
    const [ordinary, saved, cut, served = saved] = runs.map(({ sent_bytes }) => sent_bytes);
    assert(ordinary !== undefined && saved !== undefined && cut !== undefined && served !== undefined);
    assert(saved < ordinary / 5 && saved < cut && cut < ordinary / 3, `${ordinary}, ${saved}, ${cut} bytes`);
    assert(served < ordinary / 5, `${ordinary}, ${served} bytes`);

    assert.equal(identical, true);
    assert.equal(proofs.length, 3);
    for (const { same, sha256 } of proofs) {
      assert.equal(same, true);
      assert.equal(sha256.length, runs.length);
      assert.equal(new Set(sha256).size, 1);
    }

    const picture = await readFile(svg, 'utf8');
    // A turn of each run that went up in full: all of the first, the first of the second, and of the third also the one that was cut.
    assert.deepEqual(
      [occurrences(picture, 'fill="#e8590c"><animate'), occurrences(picture, 'fill="#0b7285"><animate')],
      hasPython ? [29, 71] : [28, 47],
    );

    for (const { id } of runs) await assertReport(folder, `report-${id}.md`);
  });

  function occurrences(text: string, part: string): number {
    return text.split(part).length - 1;
  }

  /** An environment with what the tools of the agent need, and no Python. */
  function withoutPython(t: TestContext): Record<string, string> {
    const folder = mkdtempSync(join(tmpdir(), 'turnwire-path-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const name of [
      'sh',
      'find',
      'wc',
      'sort',
      'head',
      'tail',
      'cat',
      'ls',
      'awk',
      'sed',
      'grep',
      'xargs',
      'stat',
    ]) {
      const path = ['/bin', '/usr/bin'].map((place) => join(place, name)).find((one) => existsSync(one));
      if (path !== undefined) symlinkSync(path, join(folder, name));
    }
    return { PATH: folder };
  }

  async function temporary(t: TestContext): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'turnwire-test-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** What the report says, against what is on the disk. */
  async function assertReport(folder: string, name: string): Promise<void> {
    const names = await readdir(join(folder, 'project'), { recursive: true });
    const paths = names.filter((name) => name.endsWith('.js')).map((name) => `project/${name}`);
    const files = await Promise.all(paths.map(async (path) => ({ path, ...(await measured(join(folder, path))) })));
    assert(files.length >= 24);
    const report = await readFile(join(folder, name), 'utf8');
    assert(report.includes(`${files.length} source files`));

    const rows = [...report.matchAll(/^\| (\d+) \| `(.+)` \| \d+ \|$/gm)];
    assert.equal(rows.length, 3);
    const sizes = files.map(({ size }) => size).sort((a, b) => b - a);
    for (const [index, [, bytes, path]] of rows.entries()) {
      assert.equal(Number(bytes), sizes[index]);
      assert.equal(files.find((file) => file.path === path)?.size, sizes[index]);
    }
    const oldest = /^1\. `(.+)`, which begins `(.*)`$/m.exec(report);
    const named = files.find(({ path }) => path === oldest?.[1]);
    assert.equal(
      named?.mtime,
      files.map(({ mtime }) => mtime).reduce((a, b) => (a < b ? a : b)),
    );
    assert((await readFile(join(folder, named?.path ?? ''), 'utf8')).startsWith(oldest?.[2] ?? '?'));
  }

  async function measured(path: string): Promise<{ size: number; mtime: bigint }> {
    const { size, mtimeNs } = await stat(path, { bigint: true });
    return { size: Number(size), mtime: mtimeNs };
  }

  test('without a terminal it prints plain lines, a table, the proof, and what is simulated; without Python, what is left out', async (t) => {
    const { status, stdout, stderr } = await turnwire(['demo', '--rtt', '2', '--uplink', '50'], {
      env: withoutPython(t),
    });
    assert.equal(status, 0);
    assert.equal(stderr, '');
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f█░]/);
    assert.match(stdout, /a round trip of 2 ms, [^.]* and an uplink of 50 Mbit\/s are simulated/);
    for (const [title, deltas, connections] of [
      ['the ordinary fetch', 0, 1],
      ['createFetch()', 24, 1],
      ['createFetch(), cut', 23, 2],
    ]) {
      const name = String(title).replace('()', '\\(\\)');
      assert(stdout.includes(`${title}: running ...\n`));
      assert.match(stdout, new RegExp(`^${name}: 25 turns in [\\d.]+ s$`, 'm'));
      assert.match(
        stdout,
        new RegExp(`^${name} +25 +${deltas} +[\\d.]+ kB +[\\d.]+ ms +${connections} +[\\d.]+ s$`, 'm'),
      );
    }
    assert.match(stdout, /program +turns +deltas +bytes sent +median first event +connections +wall time/);
    assert.equal(stdout.match(/^identical {2}/gm)?.length, 3);
    assert.match(stdout, /are real\. .*scripted.*simulated.*A real provider adds/);
    assert.match(
      stdout,
      /^Where Python 3 is installed, the demo runs a client in Python through turnwire serve, too\.$/m,
    );
    assert.match(stdout, /^ {2}new OpenAI\(\{ fetch: createFetch\(\) \}\)$/m);
    assert.match(stdout, /^ {2}npx turnwire serve --upstream https:\/\/api\.openai\.com\/v1$/m);
  });

  test('on a terminal it draws a bar for each run, in lines that fit', async () => {
    const { status, stdout } = await turnwire(['demo', '--rtt', '0', '--uplink', '0'], {
      terminals: ['stdout', 'stderr'],
      columns: 72,
      env: { NO_COLOR: '1' },
    });
    assert.equal(status, 0);
    assert.doesNotMatch(stdout, /running \.\.\./);
    const drawn = stdout.split('\n').filter((line) => line.includes('█'));
    assert.equal(drawn.length, hasPython ? 4 : 3);
    for (const line of drawn) {
      const frames = line.split('\r').slice(1);
      assert(frames.length >= 24);
      for (const frame of frames) assert(frame.length < 72, frame);
      assert.match(frames.at(-1) ?? '', /█{5,}$/);
      assert.match(frames[0] ?? '', /░$/);
    }
    assert.match(stdout, /nothing simulated/);
  });
});
