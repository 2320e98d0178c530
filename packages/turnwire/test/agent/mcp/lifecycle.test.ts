import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { planOf } from '../../../dist/agent/tools/mcp/lifecycle.js';
import { lifecycleSchema } from '../../../dist/config/schema/lifecycle.js';
import { scratch } from '../scratch.js';
import { toolsOf } from '../tools/tools.js';

const program = fileURLToPath(new URL('./servers/sdk-server-command.js', import.meta.url));
const lifecycle = (written: object) => lifecycleSchema.parse(written);
const plan = (written: object) => planOf(lifecycle(written), () => 1);

describe('lifecycle of an MCP server: settings', () => {
  test('a profile gives the settings that the file leaves out', () => {
    const facts = (written: object) => [plan(written).required, plan(written).restarts];
    assert.deepEqual(facts({}), [false, 5]);
    assert.deepEqual(facts({ profile: 'strict' }), [true, 0]);
    assert.deepEqual(facts({ profile: 'best-effort' }), [false, 0]);
    assert.deepEqual(facts({ profile: 'strict', required: false, restart: 'always' }), [false, 5]);
    assert.deepEqual(facts({ restart: 'never', max_restarts: 3 }), [false, 0]);
    assert.deepEqual(facts({ max_restarts: -1 }), [false, Infinity]);
    assert.deepEqual(facts({ max_restarts: 2 }), [false, 2]);
  });

  test('waits grow up to the longest, with a random part', () => {
    const { waitMs } = plan({ backoff: { initial: '500ms', max: '3s', multiplier: 2 } });
    assert.deepEqual([0, 1, 2, 3, 4, 9].map(waitMs), [0, 500, 1000, 2000, 3000, 3000]);
    assert.equal(plan({ backoff: { initial: '1s', jitter: 0.5 } }).waitMs(1), 1500);
  });

  test('invalid settings are refused', () => {
    for (const written of [
      { profile: 'best' },
      { restart: 'no' },
      { max_restarts: -2 },
      { backoff: { jitter: 2 } },
      { call_timeout: 5 },
    ])
      assert.throws(() => lifecycle(written), JSON.stringify(written));
  });
});

describe('lifecycle of an MCP server: starts and restarts', () => {
  /** A server that begins as often as its folder says, and then fails to. */
  async function failing(t: TestContext, starts: number, written: object) {
    const directory = await scratch(t);
    const file = join(directory, 'starts.cjs');
    await writeFile(join(directory, 'left'), '.'.repeat(starts));
    await writeFile(
      file,
      `const fs = require('node:fs');
const left = fs.readFileSync('left', 'utf8');
fs.appendFileSync('begun', '.');
if (left === '') process.exit(7);
fs.writeFileSync('left', left.slice(1));
import(${JSON.stringify(program)});
`,
    );
    const settings = { type: 'mcp' as const, command: process.execPath, args: [file], lifecycle: lifecycle(written) };
    const warnings: string[] = [];
    const tools = await toolsOf(t, [settings], { directory, warn: (message) => warnings.push(message) });
    return { ...tools, warnings };
  }

  test('a required server that cannot be used ends the start; for another one there is a warning', async (t) => {
    await assert.rejects(
      failing(t, 0, { profile: 'strict' }),
      /the MCP server .* cannot be used: it ended with status 7/,
    );
    const { box, warnings } = await failing(t, 0, { profile: 'best-effort' });
    assert.deepEqual([box.tools.length, warnings.length], [0, 1]);
  });

  test('a server with restart: never stays ended', async (t) => {
    const { call } = await failing(t, 9, { restart: 'never' });
    assert.equal(await call('add', { a: 1, b: 1 }), '2');
    await assert.rejects(call('exit'));
    await assert.rejects(
      call('add', { a: 1, b: 1 }),
      /has ended, and its "lifecycle" does not have it started anew; the call did not run/,
    );
  });

  test('max_restarts: the server is given up after this many failures in a row', async (t) => {
    const { call } = await failing(t, 1, { max_restarts: 2, backoff: { initial: '1ms' } });
    await assert.rejects(call('exit'));
    for (const expected of [/status 7/, /status 7/, /could not be started anew 2 times in a row/])
      await assert.rejects(call('add', { a: 1, b: 1 }), expected);
  });

  test('a server that has started again may fail max_restarts times again', async (t) => {
    const { call } = await failing(t, 3, { max_restarts: 1, backoff: { initial: '1ms' } });
    for (let times = 0; times < 2; times += 1) {
      await assert.rejects(call('exit'));
      assert.equal(await call('add', { a: 1, b: 1 }), '2');
    }
  });

  test('call_timeout and startup_timeout end what takes longer', async (t) => {
    const { call } = await failing(t, 9, { call_timeout: '300ms' });
    await assert.rejects(call('hang'), /did not answer within 300 ms; the call may have had effects/);
    const silent = { type: 'mcp' as const, command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] };
    await assert.rejects(
      toolsOf(t, [{ ...silent, lifecycle: lifecycle({ startup_timeout: '300ms', required: true }) }], {
        warn: () => undefined,
      }),
      /did not answer within 300 ms/,
    );
  });
});
