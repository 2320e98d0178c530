// A10, A11: which proxy, for which address, by option and environment.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointOf } from '../../../dist/network/endpoint.js';
import { chooseProxy } from '../../../dist/network/connect/proxy.js';
import { proxyFor } from '../../../dist/proxy/index.js';
import type { Proxy } from '../../../dist/network/connect/proxy.js';

type Env = Record<string, string>;
const secure = 'https://api.example/v1';
const plain = 'http://api.example/v1';

function choose(baseUrl: string, env: Env, option?: string | false): Proxy | undefined {
  return chooseProxy(endpointOf(baseUrl, 'baseUrl'), option, env);
}

const choices: readonly [
  name: string,
  baseUrl: string,
  env: Env,
  option: string | false | undefined,
  origin?: string,
][] = [
  ['nothing', secure, {}, undefined],
  ['HTTPS_PROXY for https', secure, { HTTPS_PROXY: 'http://a:1' }, undefined, 'http://a:1'],
  ['https_proxy for https', secure, { https_proxy: 'http://a:1' }, undefined, 'http://a:1'],
  [
    'lower case before upper',
    secure,
    { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2' },
    undefined,
    'http://b:2',
  ],
  ['HTTPS_PROXY not for http', plain, { HTTPS_PROXY: 'http://a:1' }, undefined],
  ['HTTP_PROXY for http', plain, { HTTP_PROXY: 'http://a:1' }, undefined, 'http://a:1'],
  ['http_proxy for http', plain, { http_proxy: 'http://a:1' }, undefined, 'http://a:1'],
  ['HTTP_PROXY not for https', secure, { HTTP_PROXY: 'http://a:1' }, undefined],
  ['HTTP_PROXY not in a CGI program', plain, { HTTP_PROXY: 'http://a:1', REQUEST_METHOD: 'GET' }, undefined],
  ['ALL_PROXY', secure, { ALL_PROXY: 'http://a:1' }, undefined, 'http://a:1'],
  ['all_proxy', plain, { all_proxy: 'http://a:1' }, undefined, 'http://a:1'],
  ['its own before ALL_PROXY', secure, { ALL_PROXY: 'http://a:1', HTTPS_PROXY: 'http://b:2' }, undefined, 'http://b:2'],
  [
    'its own before a SOCKS ALL_PROXY',
    secure,
    { ALL_PROXY: 'socks5://a:1', HTTPS_PROXY: 'http://b:2' },
    undefined,
    'http://b:2',
  ],
  [
    'an empty one is none',
    secure,
    { https_proxy: '', HTTPS_PROXY: ' ', ALL_PROXY: 'http://a:1' },
    undefined,
    'http://a:1',
  ],
  ['an https proxy', secure, { HTTPS_PROXY: 'https://a:1' }, undefined, 'https://a:1'],
  ['without a scheme', secure, { HTTPS_PROXY: 'a:3128' }, undefined, 'http://a:3128'],
  ['localhost without a scheme', secure, { HTTPS_PROXY: 'localhost:3128' }, undefined, 'http://localhost:3128'],
  ['NO_PROXY', secure, { HTTPS_PROXY: 'http://a:1', NO_PROXY: 'api.example' }, undefined],
  ['no_proxy', secure, { HTTPS_PROXY: 'http://a:1', no_proxy: 'api.example' }, undefined],
  ['NO_PROXY of another', secure, { HTTPS_PROXY: 'http://a:1', NO_PROXY: 'b.example' }, undefined, 'http://a:1'],
  ['NO_PROXY before a SOCKS proxy', secure, { ALL_PROXY: 'socks5://a:1', NO_PROXY: '*' }, undefined],
  ['loopback', 'http://127.0.0.1:1/v1', { ALL_PROXY: 'http://a:1' }, undefined],
  ['localhost', 'https://localhost/v1', { ALL_PROXY: 'http://a:1' }, undefined],
  ['the option before the environment', secure, { HTTPS_PROXY: 'http://a:1' }, 'http://b:2', 'http://b:2'],
  ['the option before NO_PROXY', secure, { NO_PROXY: '*' }, 'http://b:2', 'http://b:2'],
  ['the option for loopback', 'http://127.0.0.1:1/v1', {}, 'http://b:2', 'http://b:2'],
  ['false', secure, { HTTPS_PROXY: 'http://a:1', ALL_PROXY: 'socks5://a' }, false],
];
describe('choice of a proxy', () => {
  for (const [name, baseUrl, env, option, origin] of choices) {
    test(`A10, ${name}: ${origin ?? 'directly'}`, () => {
      assert.equal(choose(baseUrl, env, option)?.origin, origin);
    });
  }

  test('the address of a proxy gives host, port, TLS and credentials', () => {
    assert.deepEqual(choose(secure, {}, 'http://us%40er:p%3Ass%C3%A9@[::1]/ignored'), {
      origin: 'http://[::1]',
      host: '::1',
      port: 80,
      secure: false,
      authorization: `Basic ${Buffer.from('us@er:p:ssé').toString('base64')}`,
    });
    assert.deepEqual(choose(secure, {}, 'https://Proxy.Example'), {
      origin: 'https://proxy.example',
      host: 'proxy.example',
      port: 443,
      secure: true,
      authorization: undefined,
    });
  });

  const lists: readonly (readonly [list: string, baseUrl: string, exempt: boolean])[] = [
    ['*', secure, true],
    ['api.example', secure, true],
    ['API.Example', secure, true],
    ['api.example.', secure, true],
    ['example', secure, true],
    ['.example', secure, true],
    ['*.example', secure, true],
    ['.api.example', secure, true],
    ['pi.example', secure, false],
    ['api', secure, false],
    ['api.example.com', secure, false],
    ['other.example', secure, false],
    ['other.example,api.example', secure, true],
    [' other.example , api.example ', secure, true],
    ['other.example api.example', secure, true],
    ['api.example:443', secure, true],
    ['api.example:80', secure, false],
    ['api.example:80', plain, true],
    ['.example:8443', 'https://api.example:8443/v1', true],
    ['api.example', 'https://api.example:8443/v1', true],
    ['api.example', 'https://api.example.:8443/v1', true],
    ['10.0.0.1', 'https://10.0.0.1/v1', true],
    ['10.0.0.1:443', 'https://10.0.0.1/v1', true],
    ['10.0.0.1:444', 'https://10.0.0.1/v1', false],
    ['10.0.0.1', 'https://10.0.0.10/v1', false],
    ['0.0.1', 'https://10.0.0.1/v1', false],
    ['10.0.0.0/8', 'https://10.200.3.4/v1', true],
    ['10.0.0.0/8', 'https://11.0.0.1/v1', false],
    ['192.168.1.128/25', 'https://192.168.1.127/v1', false],
    ['192.168.1.128/25', 'https://192.168.1.200/v1', true],
    ['0.0.0.0/0', 'https://192.168.1.200/v1', true],
    ['10.0.0.0/8', secure, false],
    ['10.0.0.0/', 'https://10.0.0.0/v1', false],
    ['10.0.0.0/33', 'https://10.0.0.0/v1', false],
    ['10.0.0.0/x', 'https://10.0.0.0/v1', false],
    ['2001:db8::1', 'https://[2001:db8::1]/v1', true],
    ['2001:db8:0::1', 'https://[2001:db8::1]/v1', true],
    ['[2001:db8::1]', 'https://[2001:db8::1]/v1', true],
    ['[2001:db8::1]:443', 'https://[2001:db8::1]/v1', true],
    ['[2001:db8::1]:444', 'https://[2001:db8::1]/v1', false],
    ['2001:db8::/32', 'https://[2001:db8:1::5]/v1', true],
    ['2001:db8::/32', 'https://[2001:db9::5]/v1', false],
    ['', secure, false],
    [',', secure, false],
    ['.', secure, false],
    ['*.', secure, false],
  ];
  for (const [list, baseUrl, exempt] of lists) {
    test(`A10, NO_PROXY=${JSON.stringify(list)}: ${baseUrl} goes ${exempt ? 'directly' : 'by the proxy'}`, () => {
      const proxy = choose(baseUrl, { ALL_PROXY: 'http://a:1', NO_PROXY: list });
      assert.equal(proxy === undefined, exempt);
    });
  }

  test('proxyFor: the proxy of the environment, its credentials apart from its address', () => {
    const env = { HTTPS_PROXY: 'http://user:p%40ss@proxy.example:3128', NO_PROXY: 'near.example' };
    assert.deepEqual(proxyFor('https://far.example/mcp', env), {
      url: 'http://proxy.example:3128',
      authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
    });
    for (const direct of ['https://near.example/', 'https://127.0.0.1:8443/', 'http://far.example/'])
      assert.equal(proxyFor(direct, env), undefined, direct);
  });
});
