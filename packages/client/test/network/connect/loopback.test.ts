// N5, N20: what this machine is, by its addresses and not by how they begin.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointOf } from '../../../dist/network/endpoint.js';
import { isLoopback } from '../../../dist/network/connect/loopback.js';

const hosts: readonly (readonly [host: string, loopback: boolean])[] = [
  ['127.0.0.1', true],
  ['127.0.0.2', true],
  ['127.255.255.254', true],
  ['127.1', true],
  ['2130706433', true],
  ['0x7f000001', true],
  ['0177.0.0.1', true],
  ['[::1]', true],
  ['[0:0:0:0:0:0:0:1]', true],
  ['[::ffff:127.0.0.1]', true],
  ['[::ffff:7f00:5]', true],
  ['localhost', true],
  ['LOCALHOST', true],
  ['localhost.', true],
  ['api.localhost', true],
  ['127.0.0.1.evil.example', false],
  ['127.evil.example', false],
  ['localhost.evil.example', false],
  ['notlocalhost', false],
  ['evil-localhost', false],
  ['126.255.255.255', false],
  ['128.0.0.1', false],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['169.254.169.254', false],
  ['[::]', false],
  ['[::2]', false],
  ['[fe80::1]', false],
  ['[::ffff:10.0.0.1]', false],
  ['[2001:db8::127.0.0.1]', false],
  ['ip6-localhost', false],
];
describe('loopback addresses', () => {
  for (const [host, loopback] of hosts) {
    test(`N5: ${host} is ${loopback ? '' : 'not '}this machine`, () => {
      assert.equal(isLoopback(endpointOf(`http://${host}:8080/v1`, 'baseUrl').host), loopback);
    });
  }
});
