import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAbout, readHosts } from '../../dist/config/hosts.js';

/** As docker-agent documents these entries: a name is about itself and what is below it, a dot in front about what is below it alone. */
const table: readonly (readonly [entry: string, about: readonly string[], not: readonly string[]])[] = [
  [
    'docker.com',
    ['docker.com', 'docs.docker.com', 'DOCS.Docker.com', 'docker.com.'],
    ['notdocker.com', 'docker.com.evil.com'],
  ],
  ['Docker.COM.', ['docker.com'], ['docker.co']],
  ['.github.com', ['api.github.com'], ['github.com', 'xgithub.com']],
  [
    '*.internal.example.com',
    ['a.internal.example.com', 'a.b.internal.example.com'],
    ['internal.example.com', 'xinternal.example.com'],
  ],
  ['api-*.example.com', ['api-1.example.com'], ['api.example.com', 'api-1.example.com.evil.com']],
  ['169.254.169.254', ['169.254.169.254', '[::ffff:a9fe:a9fe]'], ['169.254.169.253']],
  ['169.254.0.0/16', ['169.254.169.254', '169.254.0.1'], ['169.255.0.1', 'example.com']],
  ['10.0.0.0/8', ['10.1.2.3'], ['11.0.0.1']],
  ['2001:db8::/32', ['[2001:db8::1]'], ['[2001:db9::1]', '10.0.0.1']],
  ['[::1]', ['[::1]'], ['[::2]']],
  ['0x7f.1', ['127.0.0.1'], ['127.0.0.2']],
  ['münchen.example', ['xn--mnchen-3ya.example'], ['munchen.example']],
];

describe('hosts of allowed_domains and blocked_domains', () => {
  for (const [entry, about, not] of table)
    test(`${entry} is about ${about.join(' and ')}, and not about ${not.join(' or ')}`, () => {
      const hosts = readHosts(entry);
      assert.ok(hosts !== undefined);
      for (const host of about) assert.ok(isAbout(hosts, host, true), host);
      for (const host of not) assert.ok(!isAbout(hosts, host, true), host);
    });

  test('a list that blocks takes a dot in front for the name itself, too', () => {
    const hosts = readHosts('*.github.com');
    assert.ok(hosts !== undefined && isAbout(hosts, 'github.com', false));
  });

  for (const entry of [
    'https://example.com',
    'example.com/docs',
    'example.com:8080',
    '10.0.0.0/33',
    '10.0.0/8',
    'a b',
    '',
    '[x]',
    'user@example.com',
  ])
    test(`${JSON.stringify(entry)} can match no host`, () => assert.equal(readHosts(entry), undefined));
});
