import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import * as client from '@turnwire/client';
import * as clientFetch from '@turnwire/client/fetch';
import * as clientProxy from '@turnwire/client/proxy';
import * as clientRelay from '@turnwire/client/relay';
import * as emulator from '@turnwire/emulator';
import * as gateway from '@turnwire/gateway';
import * as emulatorOfTools from 'turnwire/emulator';

// Written by hand: a name that appears or disappears here is a change of the public API.
const pinned = {
  '@turnwire/client': [client, ['TurnwireError', 'createClient', 'errorCodes']],
  '@turnwire/client/fetch': [clientFetch, ['TurnwireError', 'createFetch']],
  '@turnwire/client/proxy': [clientProxy, ['proxyFor']],
  '@turnwire/client/relay': [
    clientRelay,
    ['ContextDigests', 'RelayBodies', 'bodyText', 'createRelay', 'memberOf', 'sseText', 'withStreamId'],
  ],
  '@turnwire/emulator': [
    emulator,
    [
      'EmulatorError',
      'ManualClock',
      'ScriptError',
      'createTestAuthority',
      'isPublicAddress',
      'scriptFromRecording',
      'startEmulator',
      'startLink',
      'startRecorder',
      'summarizeRecording',
      'useEmulator',
    ],
  ],
  '@turnwire/gateway': [gateway, ['GatewayConfigError', 'checkConfig', 'hashKey', 'limitHeapGrowth', 'startGateway']],
} as const;
describe('public exports', () => {
  for (const [name, [module, names]] of Object.entries(pinned)) {
    test(`${name} exports these names and no others`, () => {
      assert.deepEqual(Object.keys(module).sort(), names);
    });
  }

  test('turnwire/emulator is @turnwire/emulator', () => {
    assert.deepEqual({ ...emulatorOfTools }, { ...emulator });
  });

  test('the packages have one version, which the client exports', async () => {
    const read = async (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
    const manifest = async (name: string) =>
      JSON.parse(await read(`packages/${name}/package.json`)) as {
        version: string;
        dependencies: Record<string, string>;
      };
    const { version } = await manifest('client');
    const tools = await manifest('turnwire');
    assert.equal(tools.version, version);
    assert.equal((await manifest('emulator')).version, version);
    assert.equal((await manifest('gateway')).version, version);
    assert.equal((await manifest('gateway')).dependencies['@turnwire/client'], version);
    assert.equal(tools.dependencies['@turnwire/client'], version);
    assert.equal(tools.dependencies['@turnwire/emulator'], version);
    assert.match(
      await read('packages/client/src/version.ts'),
      new RegExp(`version = '${version.replaceAll('.', '\\.')}';`),
    );
    const [newest = ''] = /^## .*$/m.exec(await read('CHANGELOG.md')) ?? [];
    assert(newest === '## Unreleased' || newest.includes(version), newest);
  });
});
