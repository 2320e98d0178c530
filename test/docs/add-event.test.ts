// "How to add an event" of CONTRIBUTING.md, followed to the letter in a copy of the packages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { root, textOf } from './pages.js';
import type * as client from '@turnwire/client';
import type * as clientFetch from '@turnwire/client/fetch';
import type * as emulator from 'turnwire/emulator';

interface Step {
  file: string;
  /** The line that is in the file, and what goes before and after it. */
  line: string;
  before: string[];
  after: string[];
}

function steps(): Step[] {
  const section = /## How to add an event\n([\s\S]*?)\n## /.exec(textOf('CONTRIBUTING.md'))?.[1] ?? '';
  return [...section.matchAll(/^( *)```diff\n([\s\S]*?)^ *```$/gm)].map(([, indent = '', block = '']) => {
    const [file = '', ...lines] = block
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(indent.length));
    const at = lines.findIndex((line) => !line.startsWith('+'));
    const added = (from: number, to?: number): string[] => lines.slice(from, to).map((line) => line.slice(1));
    return { file, line: lines[at]?.slice(1) ?? '', before: added(0, at), after: added(at + 1) };
  });
}

function follow(folder: string, { file, line, before, after }: Step): void {
  const path = join(folder, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.indexOf(line);
  assert.ok(at !== -1 && !lines.includes(line, at + 1), `${file} has once: ${line}`);
  lines.splice(at, 1, ...before, line, ...after);
  writeFileSync(path, lines.join('\n'));
}

function compile(folder: string, name: string, ...more: string[]): string {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', join(folder, 'packages', name), ...more], {
    encoding: 'utf8',
  });
  return stdout;
}

test('an event that is added as CONTRIBUTING.md says is known: typed, sent, read over both transports', async (t) => {
  // Inside the repository, because that is where the packages' dependencies can be resolved from.
  mkdirSync(join(root, 'dist-test'), { recursive: true });
  const folder = mkdtempSync(join(root, 'dist-test', 'add-event-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  for (const name of ['client', 'emulator'])
    for (const part of ['src', 'package.json', 'tsconfig.json'])
      cpSync(join(root, 'packages', name, part), join(folder, 'packages', name, part), { recursive: true });

  const [type, member, row, ...rest] = steps();
  assert(type && member && row && rest.length === 1);
  follow(folder, type);
  follow(folder, member);
  // Who forgets the table is told by the compiler.
  assert.match(compile(folder, 'client', '--noEmit'), /event-types\.ts.*'"response\.paused"'/);
  for (const step of [row, ...rest]) follow(folder, step);
  for (const name of ['client', 'emulator']) assert.equal(compile(folder, name), '');

  const load = (path: string): Promise<unknown> => import(pathToFileURL(join(folder, 'packages', path)).href);
  const { createClient } = (await load('client/dist/index.js')) as typeof client;
  const { createFetch } = (await load('client/dist/fetch/index.js')) as typeof clientFetch;
  const { startEmulator } = (await load('emulator/dist/index.js')) as typeof emulator;
  const server = await startEmulator({});
  t.after(() => server.close());
  for (const transport of ['websocket', 'sse'] as const) {
    const one = createClient({ baseUrl: server.url, apiKey: 'none', transport });
    const turn = one.turn({ model: 'any', input: 'hi' });
    const phases = new Map<string, string>();
    for await (const event of turn) if (!phases.has(event.type)) phases.set(event.type, turn.report.phase);
    assert.deepEqual([...phases.keys()].slice(0, 3), ['response.created', 'response.in_progress', 'response.paused']);
    assert.notEqual(await turn.text(), '');
    await one.close();

    await using fetch = createFetch({ transport, onWarning: false });
    const answer = await fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: JSON.stringify({ model: 'any', input: 'hi', stream: true }),
    });
    assert.match(await answer.text(), /event: response\.paused\ndata: .*"reason":"an example"/);
  }

  // The row is what the engine goes by.
  const { traitsOf } = (await load('client/dist/protocol/event-types.js')) as {
    traitsOf: (type: string) => object;
  };
  assert.deepEqual(traitsOf('response.paused'), { inspected: true });
  assert.deepEqual(traitsOf('response.not_added'), { visible: true });
});
