import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identityIdleMs, maxIdentities, maxSingleTurnIdentities, singleTurnIdleMs } from '../../dist/base/bounds.js';
import { IdentityClients } from '../../dist/fetch/identity-clients.js';
import { settingsFor } from '../../dist/fetch/settings.js';
import { FakeClock } from '../base/fake-clock.js';
import type { ClientLease } from '../../dist/fetch/identity-clients.js';

const url = 'https://api.example.com/v1/responses';

function setUp(): { identities: IdentityClients; clock: FakeClock; suspects: string[] } {
  const clock = new FakeClock();
  const suspects: string[] = [];
  const settings: ConstructorParameters<typeof IdentityClients>[0]['settings'] = (identity) =>
    settingsFor(identity, { options: {}, ordinary: fetch, warned: new Set() });
  const onSuspect = (name: string): void => void suspects.push(name);
  return { clock, suspects, identities: new IdentityClients({ settings, clock, maxChainBytes: 1000, onSuspect }) };
}

test('the same identity gets the same client, and another identity another client', () => {
  const { identities } = setUp();
  const take = (to: string, key: string) => identities.acquire({ url: to, headers: { authorization: key } }).client;
  const first = take(url, 'a');
  assert.equal(take(url, 'a'), first);
  assert.notEqual(take(url, 'b'), first);
  assert.notEqual(take(`${url}?api-version=2`, 'a'), first);
  assert.equal(identities.size, 3);
  const program = { 'user-agent': 'another' };
  assert.equal(identities.acquire({ url, headers: { authorization: 'a' }, program }).client, first);
});

test('X21: beyond the maximum of identities the client that was not used for longest is closed, but none in use', () => {
  const { identities } = setUp();
  const take = (key: number) => identities.acquire({ url, headers: { authorization: String(key) } });
  // One that carries a second turn is kept.
  const twice = (key: number): ClientLease => {
    take(key).release();
    const lease = take(key);
    lease.release();
    return lease;
  };
  const running = take(0);
  const oldest = twice(1);
  for (let key = 2; key < maxIdentities; key += 1) twice(key);
  twice(maxIdentities);
  assert.equal(identities.size, maxIdentities);
  assert.equal(take(0).client, running.client);
  assert.notEqual(take(1).client, oldest.client);
});

test('a client that is idle for an hour is closed; a client that is used again stays', () => {
  const { identities, clock } = setUp();
  identities.acquire({ url, headers: {} }).release();
  clock.advance(identityIdleMs - 1);
  const lease = identities.acquire({ url, headers: {} });
  clock.advance(2 * identityIdleMs);
  assert.equal(identities.size, 1);
  lease.release();
  lease.release();
  clock.advance(identityIdleMs);
  assert.equal(identities.size, 0);
});

test('after close() no client is given out', async () => {
  const { identities } = setUp();
  identities.acquire({ url, headers: {} }).release();
  await identities.close();
  assert.equal(identities.size, 0);
  assert.throws(() => identities.acquire({ url, headers: {} }), { code: 'client_closed' });
});

test('W8: no key and no organization of the environment gets into the settings', () => {
  const before = { ...process.env };
  Object.assign(process.env, { OPENAI_API_KEY: 'sk-env', OPENAI_ORG_ID: 'o', OPENAI_PROJECT_ID: 'p' });
  try {
    const { identity } = settingsFor(
      { url: 'https://api.openai.com/v1/responses', headers: {} },
      { options: {}, ordinary: fetch, warned: new Set() },
    );
    assert.deepEqual(identity, { apiKey: undefined, headers: {}, organization: undefined, project: undefined });
  } finally {
    process.env = before;
  }
});

describe('identities that carried one turn', () => {
  const once = ({ identities }: ReturnType<typeof setUp>, value: number, name = 'x-request'): ClientLease => {
    const lease = identities.acquire({ url, headers: { authorization: 'a', [name]: String(value) } });
    lease.release();
    return lease;
  };

  test('four identities with one turn are kept; the oldest goes first, and an identity that runs or ran again stays', () => {
    const all = setUp();
    const { identities } = all;
    const running = identities.acquire({ url, headers: { authorization: 'runs' } });
    const again = once(all, 0);
    assert.equal(once(all, 0).client, again.client);
    const leases = Array.from({ length: 10 }, (_, value) => once(all, value + 1));
    assert.equal(identities.size, 2 + maxSingleTurnIdentities);
    assert.equal(maxSingleTurnIdentities, 4);
    for (const [value, lease] of leases.entries())
      if (value >= 6) assert.equal(once(all, value + 1).client, lease.client);
    assert.equal(identities.acquire({ url, headers: { authorization: 'runs' } }).client, running.client);
    assert.equal(once(all, 0).client, again.client);
  });

  test('an identity with one turn goes within a minute if there is another; with a second turn it stays', () => {
    const all = setUp();
    const { identities, clock } = all;
    once(all, 1);
    once(all, 2);
    once(all, 2);
    assert.equal(identities.size, 2);
    clock.advance(singleTurnIdleMs);
    assert.equal(singleTurnIdleMs, 60_000);
    assert.equal(identities.size, 1);
    clock.advance(identityIdleMs);
    assert.equal(identities.size, 0);
  });

  test('an identity with one turn that is the only one stays for an hour', () => {
    const all = setUp();
    const { identities, clock } = all;
    once(all, 1);
    for (let ms = 0; ms < identityIdleMs - singleTurnIdleMs; ms += singleTurnIdleMs) clock.advance(singleTurnIdleMs);
    assert.equal(identities.size, 1);
    clock.advance(singleTurnIdleMs);
    assert.equal(identities.size, 0);
  });

  test('the third identity that differs in one header alone brings a warning with its name; credentials and other addresses do not', () => {
    const all = setUp();
    for (let value = 0; value < 2; value += 1) once(all, value);
    assert.deepEqual(all.suspects, []);
    once(all, 2);
    assert.deepEqual(all.suspects, ['x-request']);

    const tenants = setUp();
    for (let value = 0; value < 9; value += 1) once(tenants, value, 'authorization');
    for (let value = 0; value < 9; value += 1)
      tenants.identities.acquire({ url: `${url}?${value}`, headers: { 'x-request': String(value) } }).release();
    for (let value = 0; value < 9; value += 1)
      tenants.identities.acquire({ url, headers: { 'x-a': String(value), 'x-b': String(value) } }).release();
    assert.deepEqual(tenants.suspects, []);
  });
});
