// H4, N3: which handshakes are the same.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointOf } from '../../dist/network/endpoint.js';
import { createNetwork } from '../../dist/network/network.js';

const { identityOf } = createNetwork(endpointOf('https://api.example/v1', 'baseUrl'), () => Promise.resolve({}));
const base = { authorization: 'Bearer sk-sentinel', 'openai-project': 'p' };

describe('identity of a handshake', () => {
  test('N3: the order of headers is no difference', () => {
    assert.equal(identityOf(base), identityOf({ 'openai-project': 'p', authorization: 'Bearer sk-sentinel' }));
    const other = createNetwork(endpointOf('https://other.example', 'baseUrl'), () => Promise.resolve({}));
    assert.equal(identityOf(base), other.identityOf(base));
  });

  const others: Record<string, Record<string, string>> = {
    'another key': { ...base, authorization: 'Bearer sk-other' },
    'another project': { ...base, 'openai-project': 'q' },
    'no project': { authorization: base.authorization },
    'an empty project': { ...base, 'openai-project': '' },
    'one header more': { ...base, 'openai-organization': 'o' },
    'name and value put together otherwise': { authorization: 'Bearer sk-sentinel","openai-project":"p' },
    none: {},
  };
  for (const [name, headers] of Object.entries(others))
    test(`N3: ${name} is a difference`, () => assert.notEqual(identityOf(headers), identityOf(base)));

  test('N1: a fingerprint tells nothing', () => assert.match(identityOf(base), /^[0-9a-f]{64}$/));
});
