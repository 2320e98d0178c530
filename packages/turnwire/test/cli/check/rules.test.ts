import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { startEmulator } from '@turnwire/emulator';
import { rules } from '../../../dist/cli/check/rules.js';
import { turnwire } from '../console.js';
import { DeviatingServer } from './deviating-server.js';
import { deviations, longTurns } from './deviations.js';
import type { Ended } from '../console.js';

interface Report {
  passed: number;
  failed: number;
  skipped: number;
  rules: { id: string; verdict: string; reason?: string; frames?: string[]; repeat?: string }[];
}

const env = { KEY: 'sk-own-key-1', OTHER: 'sk-other-key-2' };
const keys = ['--key-from', 'KEY', '--second-key-from', 'OTHER'];

function check(url: string, ...args: readonly string[]): Promise<Ended> {
  return turnwire(['check', url, '--model', 'gpt-6', '--yes', '--json', ...keys, ...args], { env });
}

describe('turnwire check: each rule', { concurrency: 4 }, () => {
  test('has a deviating server of its own', () => {
    assert.deepEqual(Object.keys(deviations).sort(), rules.map(({ id }) => id).sort());
  });

  test('has a chapter and an id of its own, and cites rules of docs/protocol.md', async () => {
    const page = await readFile(new URL('../../../../../docs/protocol.md', import.meta.url), 'utf8');
    const ids = rules.map(({ id }) => id);
    assert.deepEqual([...new Set(ids)], ids);
    for (const { id, protocol, title } of rules) {
      assert.match(id, /^[a-z]+\/[a-z-]+$/);
      assert.match(title, /^[a-z]/);
      for (const rule of protocol) assert.ok(page.includes(`<a id="${rule.toLowerCase()}"></a>`), `${id}: ${rule}`);
    }
  });

  test('stands in docs/check.md with its title, which lists no other rule', async () => {
    const page = await readFile(new URL('../../../../../docs/check.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z]+\/[a-z-]+)` \| ([^|]+) \|/gm)].map(([, id, title]) => [id, title]);
    assert.deepEqual(
      rows,
      rules.map(({ id, title }) => [id, title]),
    );
  });

  for (const [id, { emulator = {}, server, profile, timeout = 1, says }] of Object.entries(deviations))
    test(`${id} fails where a server deviates`, async () => {
      await using started = await startEmulator(emulator);
      await using deviating = server && (await DeviatingServer.start(started.url, server));
      const { url } = deviating ?? started;
      const dialect = profile ?? emulator.dialect ?? 'openai';
      const args = ['--only', id, '--profile', dialect, '--timeout', String(timeout)];
      const { status, stdout, stderr } = await check(url, ...args);
      assert.equal(status, 1, stdout + stderr);
      const [result] = (JSON.parse(stdout) as Report).rules;
      assert.equal(result?.verdict, 'failed');
      assert.match(result.reason ?? '', says);
      assert.ok((result.frames ?? []).length > 0, 'it shows what passed');
      assert.match(result.repeat ?? '', /^(?:curl|turnwire check) /);
      assert.ok(!stdout.includes('sk-o'), 'no key is shown');
    });
});

describe('turnwire check: the emulator passes every rule', { concurrency: true }, () => {
  // What cannot be told of a server that answers at once, and what a profile is not held to.
  const untold = /^(?:sse\/prompt)$/;
  for (const dialect of ['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt'] as const)
    test(`in the dialect ${dialect}`, async () => {
      await using emulator = await startEmulator({ dialect, script: longTurns });
      await using server = await DeviatingServer.start(emulator.url, { keys: Object.values(env) });
      const { status, stdout, stderr } = await check(server.url, '--profile', dialect, '--timeout', '30');
      const report = JSON.parse(stdout) as Report;
      assert.deepEqual(
        report.rules.filter(({ verdict }) => verdict === 'failed'),
        [],
      );
      assert.equal(status, 0, stderr);
      const held = new Set(
        rules
          .filter(({ only, except }) => (only?.includes(dialect) ?? true) && except?.[dialect] === undefined)
          .map(({ id }) => id),
      );
      const skipped = report.rules.filter(
        ({ id, verdict }) => verdict === 'skipped' && held.has(id) && !untold.test(id),
      );
      assert.deepEqual(skipped, []);
    });
});
