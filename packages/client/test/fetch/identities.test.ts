import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Identities, identityIdleMs, mostIdentities } from '../../dist/fetch/identities.js';
import { settingsFor } from '../../dist/fetch/settings.js';
import { FakeClock } from '../fake-clock.js';

const url = 'https://api.example.com/v1/responses';

function setUp(): { identities: Identities; clock: FakeClock } {
  const clock = new FakeClock();
  const settings: ConstructorParameters<typeof Identities>[0]['settings'] = (identity) =>
    settingsFor(identity, { options: {}, ordinary: fetch });
  return { clock, identities: new Identities({ settings, clock, maxChainBytes: 1000 }) };
}

test('the same identity has the same client, and another one another', () => {
  const { identities } = setUp();
  const take = (to: string, key: string) => identities.take({ url: to, headers: { authorization: key } }).client;
  const first = take(url, 'a');
  assert.equal(take(url, 'a'), first);
  assert.notEqual(take(url, 'b'), first);
  assert.notEqual(take(`${url}?api-version=2`, 'a'), first);
  assert.equal(identities.size, 3);
  const program = { 'user-agent': 'another' };
  assert.equal(identities.take({ url, headers: { authorization: 'a' }, program }).client, first);
});

test('X21: beyond their number the one that was not used for longest goes, but none that is in use', () => {
  const { identities } = setUp();
  const take = (key: number) => identities.take({ url, headers: { authorization: String(key) } });
  const running = take(0);
  const oldest = take(1);
  oldest.release();
  for (let key = 2; key < mostIdentities; key += 1) take(key).release();
  take(mostIdentities).release();
  assert.equal(identities.size, mostIdentities);
  assert.equal(take(0).client, running.client);
  assert.notEqual(take(1).client, oldest.client);
});

test('one that is idle for an hour goes; one that is used again stays', () => {
  const { identities, clock } = setUp();
  identities.take({ url, headers: {} }).release();
  clock.advance(identityIdleMs - 1);
  const lease = identities.take({ url, headers: {} });
  clock.advance(2 * identityIdleMs);
  assert.equal(identities.size, 1);
  lease.release();
  lease.release();
  clock.advance(identityIdleMs);
  assert.equal(identities.size, 0);
});

test('closed, it gives out none', async () => {
  const { identities } = setUp();
  identities.take({ url, headers: {} }).release();
  await identities.close();
  assert.equal(identities.size, 0);
  assert.throws(() => identities.take({ url, headers: {} }), { code: 'client_closed' });
});

test('W8: no key and no organization of the environment gets into the settings', () => {
  const before = { ...process.env };
  Object.assign(process.env, { OPENAI_API_KEY: 'sk-env', OPENAI_ORG_ID: 'o', OPENAI_PROJECT_ID: 'p' });
  try {
    const { identity } = settingsFor(
      { url: 'https://api.openai.com/v1/responses', headers: {} },
      { options: {}, ordinary: fetch },
    );
    assert.deepEqual(identity, { apiKey: undefined, headers: {}, organization: undefined, project: undefined });
  } finally {
    process.env = before;
  }
});
