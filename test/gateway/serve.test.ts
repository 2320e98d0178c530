import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hashKey } from '@turnwire/gateway';
import { startEmulator } from 'turnwire/emulator';
import type { TestContext } from 'node:test';

const bin = fileURLToPath(new URL('../../packages/turnwire/bin/turnwire.js', import.meta.url));

/** The command as a process: its lines as they come, and its end. */
function turnwire(t: TestContext, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([status]) => status as number | null);
  const linesOf = (stream: NodeJS.ReadableStream): (() => Promise<string>) => {
    const iterator = createInterface({ input: stream })[Symbol.asyncIterator]();
    return async () => {
      const next = await iterator.next();
      if (next.done === true) throw new Error('it has ended');
      return next.value;
    };
  };
  return { child, ended, line: linesOf(child.stdout), errorLine: linesOf(child.stderr) };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-serve-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('turnwire serve', () => {
  test('prints its addresses and a line for each turn, and ends with status 0 on SIGTERM', async (t) => {
    const emulator = await startEmulator();
    t.after(() => emulator.close());
    const { child, ended, line } = turnwire(t, [
      'serve',
      '--upstream',
      emulator.url,
      '--port',
      '0',
      '--admin-port',
      '0',
      '--json',
    ]);
    const { url, admin_url: page } = JSON.parse(await line()) as { url: string; admin_url: string };
    assert.match(await (await fetch(page)).text(), /<title>turnwire gateway<\/title>/);
    const response = await fetch(`${url}/responses`, { method: 'POST', body: '{"model":"m","input":"x"}' });
    assert.equal(response.status, 200);
    const turn = JSON.parse(await line()) as Record<string, unknown>;
    assert.deepEqual([turn['event'], turn['principal'], turn['model']], ['turn', 'anonymous', 'm']);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  });

  test(
    'reads the file again on SIGHUP, and keeps the former configuration where the new one is wrong',
    { skip: process.platform === 'win32' },
    async (t) => {
      const emulator = await startEmulator();
      t.after(() => emulator.close());
      const file = join(folderOf(t), 'gateway.yaml');
      const write = (key: string): void =>
        writeFileSync(
          file,
          `listen: { port: 0 }\nupstream: { base_url: "${emulator.url}", key: UPSTREAM_KEY }\nprincipals: [{ name: team, keys: ["${hashKey(key)}"] }]\n`,
        );
      write('one');
      const { child, line, errorLine } = turnwire(t, ['serve', '--config', file, '--json'], {
        UPSTREAM_KEY: 'sk-upstream',
      });
      const { url } = JSON.parse(await line()) as { url: string };
      const statusOf = async (key: string): Promise<number> =>
        (await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } })).status;
      assert.equal(await statusOf('one'), 200);
      write('two');
      child.kill('SIGHUP');
      assert.match(await errorLine(), /the new configuration is in force/);
      assert.deepEqual([await statusOf('one'), await statusOf('two')], [401, 200]);
      writeFileSync(file, `listen: 3\nupstream: { base_url: "${emulator.url}" }\n`);
      child.kill('SIGHUP');
      assert.match(await errorLine(), /stays in force/);
      assert.match(await errorLine(), /gateway\.yaml:1:9: listen/);
      assert.equal(await statusOf('two'), 200);
    },
  );

  test('reports every problem with its place with --check, and ends with status 2', async (t) => {
    const file = join(folderOf(t), 'gateway.yaml');
    writeFileSync(file, 'listen: { port: 99999 }\nupstream: { base_url: x }\n');
    const { ended, errorLine } = turnwire(t, ['serve', '--check', '--config', file]);
    assert.match(await errorLine(), /gateway\.yaml:1:17: listen\.port/);
    assert.match(await errorLine(), /gateway\.yaml:2:23: upstream\.base_url/);
    assert.equal(await ended, 2);
    writeFileSync(file, 'upstream: { base_url: "https://api.openai.com/v1" }\n');
    const valid = turnwire(t, ['serve', '--check', '--config', file]);
    assert.match(await valid.line(), /is valid/);
    assert.equal(await valid.ended, 0);
  });

  test('asks for --upstream or --config where both are missing', async (t) => {
    const { ended, errorLine } = turnwire(t, ['serve']);
    assert.match(await errorLine(), /--upstream https:\/\/api\.openai\.com\/v1, or a configuration with --config/);
    assert.equal(await ended, 2);
  });
});
