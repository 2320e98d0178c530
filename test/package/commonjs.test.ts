import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as client from '@turnwire/client';
import * as emulator from '@turnwire/emulator';

const root = fileURLToPath(new URL('../../', import.meta.url));
const load = createRequire(import.meta.url);
const entries = [
  '@turnwire/client',
  '@turnwire/client/fetch',
  '@turnwire/client/proxy',
  '@turnwire/emulator',
  'turnwire/emulator',
];

describe('the CommonJS builds', () => {
  for (const name of entries) {
    test(`require('${name}') has the same exports as its import`, async () => {
      const [required, imported] = [load(name) as object, (await import(name)) as object];
      assert.deepEqual(Object.keys(required).toSorted(), Object.keys(imported).toSorted());
    });
  }

  test('a turn runs where require cannot load ES modules', () => {
    const program = `
      const { createClient } = require('@turnwire/client');
      const { createFetch } = require('@turnwire/client/fetch');
      const { startEmulator } = require('turnwire/emulator');
      (async () => {
        const emulator = await startEmulator({ script: { turns: [{ text: 'It works.' }, { text: 'Again.' }] } });
        const client = createClient({ baseUrl: emulator.url, transport: 'websocket' });
        console.log(await client.turn({ model: 'any', input: 'Go.' }).text());
        await client.close();
        const fetch = createFetch({ transport: 'websocket' });
        const body = JSON.stringify({ model: 'any', input: 'Go.' });
        const headers = { 'content-type': 'application/json', authorization: 'Bearer key' };
        const answer = await fetch(emulator.url + '/responses', { method: 'POST', headers, body });
        console.log(answer.status, (await answer.json()).status);
        await fetch.close();
        await emulator.close();
      })();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-experimental-require-module', '-e', program], {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(stdout, 'It works.\n200 completed\n', stderr);
  });

  test('emulator: require and import give one module', () => {
    const required = load('@turnwire/emulator') as typeof emulator;
    assert.equal(required.startEmulator, emulator.startEmulator);
    assert.equal(required.EmulatorError, emulator.EmulatorError);
  });

  test('client: an error of one copy is an instance of the other copy’s TurnwireError, and of no subclass', () => {
    const required = load('@turnwire/client') as typeof client;
    class Derived extends client.TurnwireError {}
    const errors = [new client.TurnwireError('aborted', 'x'), new required.TurnwireError('aborted', 'x')];
    for (const error of errors) {
      assert.ok(error instanceof client.TurnwireError);
      assert.ok(error instanceof required.TurnwireError);
      assert.ok(!(error instanceof Derived));
    }
    assert.ok(new Derived('aborted', 'x') instanceof required.TurnwireError);
    assert.ok(!(new Error('x') instanceof client.TurnwireError));
    assert.ok(!((Object.create(null) as unknown) instanceof client.TurnwireError));
  });
});
