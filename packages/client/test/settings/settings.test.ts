import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveOptions } from '../../dist/settings/settings.js';
import type { ClientOptions } from '../../dist/options.js';

type Env = Record<string, string | undefined>;
const key = { OPENAI_API_KEY: 'sk-env' };

/** Each nonsense, and what its sentence must name; credentials in an address among it (N11). */
const nonsense: readonly [options: unknown, env: Env, message: RegExp][] = [
  [null, key, /^the options must be an object, not null/],
  ['x', key, /^the options must be an object/],
  [[], key, /^the options must be an object, not an array/],
  [{ apikey: 'x' }, key, /^apikey is no option; did you mean "apiKey"\?$/],
  [{ base_url: 'x' }, key, /^base_url is no option; did you mean "baseUrl"\?$/],
  [{ dialMs: 1 }, key, /^dialMs is no option; did you mean "timeouts\.dialMs"\?$/],
  [{ transprt: 'sse' }, key, /^transprt is no option; did you mean "transport"\?$/],
  [{ pool: { pingms: 1 } }, key, /^pool\.pingms is no option; did you mean "pingMs"\?$/],
  [{ network: { prox: 'x' } }, key, /^network\.prox is no option; did you mean "proxy"\?$/],
  [{ maxConnections: 1 }, key, /did you mean "pool\.maxConnections"/],
  [{ nonsense: 1 }, key, /^nonsense is no option \(there are apiKey, /],
  [{ apiKey: '' }, {}, /^apiKey is empty$/],
  [{ apiKey: 5 }, {}, /^apiKey is number instead of a string$/],
  [{ apiKey: null }, {}, /^apiKey is null instead of a string$/],
  [{ apiKey: 'sk\n' }, {}, /^apiKey contains a line break/],
  [{ apiKey: ' sk' }, {}, /^apiKey begins or ends with white space$/],
  [{ apiKey: 'sk€' }, {}, /^apiKey contains characters/],
  [{}, {}, /^no key: set OPENAI_API_KEY, or give apiKey/],
  [{}, { OPENAI_API_KEY: '' }, /^no key: set OPENAI_API_KEY \(it is empty\)/],
  [{}, { OPENAI_API_KEY: 'sk\n' }, /^OPENAI_API_KEY contains a line break/],
  [{ baseUrl: '' }, key, /^baseUrl is not an address/],
  [{ baseUrl: 5 }, key, /^baseUrl must be a string, not 5$/],
  [{ baseUrl: 'localhost:8080/v1' }, key, /^baseUrl (is not an address|must begin with https: or http:)/],
  [{ baseUrl: 'example.com/v1' }, key, /did you mean "https:\/\/example\.com\/v1"\?$/],
  [{ baseUrl: 'wss://example.com/v1' }, key, /^baseUrl must begin with https: and not wss:/],
  [{ baseUrl: 'ws://example.com/v1' }, key, /^baseUrl must begin with http: and not ws:/],
  [{ baseUrl: 'ftp://example.com' }, key, /^baseUrl must begin with https: or http:/],
  [{ baseUrl: 'https://me:pw@example.com' }, key, /^baseUrl must not hold a user name/],
  [{}, { ...key, OPENAI_BASE_URL: 'nonsense' }, /^OPENAI_BASE_URL is not an address/],
  [{ transport: 'ws' }, key, /^transport must be .*, not "ws"; did you mean "websocket"\?$/],
  [{ transport: 'websokcet' }, key, /^transport must be .*; did you mean "websocket"\?$/],
  [{ transport: 'carrier pigeon' }, key, /^transport must be .*, not "carrier pigeon"$/],
  [{ transport: 'http' }, key, /did you mean "sse"\?$/],
  [{ transport: 'WebSocket' }, key, /did you mean "websocket"\?$/],
  [{ transport: null }, key, /^transport must be/],
  [{ transport: 'constructor' }, key, /^transport must be "auto", "websocket" or "sse", not "constructor"$/],
  [{ organization: 5 }, key, /^organization is number instead of a string$/],
  [{ organization: 'a\r\nb' }, key, /^organization contains characters that a header cannot hold$/],
  [{ project: 'a\nb' }, key, /^project contains characters/],
  [{}, { ...key, OPENAI_ORG_ID: 'a\nb' }, /^OPENAI_ORG_ID contains characters/],
  [{ headers: 'x' }, key, /^headers must be an object, not a string$/],
  [{ headers: ['x'] }, key, /^headers must be an object, not an array$/],
  [{ headers: { 'a b': 'x' } }, key, /^headers: "a b" is no header name$/],
  [{ headers: { 'Transfer-Encoding': 'chunked' } }, key, /^headers: Transfer-Encoding is about the connection, /],
  [{ headers: { 'sec-websocket-key': 'x' } }, key, /^headers: sec-websocket-key is about the connection, /],
  [{ headers: { 'x-a': 5 } }, key, /^headers: x-a is number instead of a string$/],
  [{ headers: { 'x-a': 'a\r\nb' } }, key, /^headers: x-a contains characters/],
  [{ onWarning: true }, key, /^onWarning must be a function, or false$/],
  [{ pool: 5 }, key, /^pool must be an object, not 5$/],
  [
    { pool: { max: 5 } },
    key,
    /^pool\.max is no option \(there are lanes, maxAgeMs, maxConnections, maxIdleMs, pingMs\)$/,
  ],
  ...[0, -1, 1.5, NaN, Infinity, '5'].map((value): [unknown, Env, RegExp] => [
    { pool: { maxConnections: value } },
    key,
    /^pool\.maxConnections must be a whole number/,
  ]),
  ...['dialMs', 'firstEventMs', 'idleMs', 'pongMs', 'queueMs', 'unreadMs'].flatMap((name) =>
    [0, -1, NaN, '5', null].map((value): [unknown, Env, RegExp] => [
      { timeouts: { [name]: value } },
      key,
      new RegExp(`^timeouts\\.${name} must be a number of milliseconds`),
    ]),
  ),
  [{ recovery: 'never' }, key, /^recovery must be an object, not a string$/],
  [
    { recovery: { retries: 3 } },
    key,
    /^recovery\.retries is no option \(there are replay, maxAttempts, budgetMs, refusals\)$/,
  ],
  [{ recovery: { budget: 5 } }, key, /^recovery\.budget is no option; did you mean "budgetMs"\?$/],
  ...['always', '', null, 5].flatMap((value): [unknown, Env, RegExp][] => [
    [{ recovery: { replay: value } }, key, /^recovery\.replay must be "never", "unsent" or "unanswered", not /],
    [{ recovery: { refusals: value } }, key, /^recovery\.refusals must be "retry" or "surface", not /],
  ]),
  ...[0, -1, 1.5, NaN, Infinity, '5', null].map((value): [unknown, Env, RegExp] => [
    { recovery: { maxAttempts: value } },
    key,
    /^recovery\.maxAttempts must be a whole number from 1 on/,
  ]),
  ...[0, -1, NaN, '5', null].map((value): [unknown, Env, RegExp] => [
    { recovery: { budgetMs: value } },
    key,
    /^recovery\.budgetMs must be a number of milliseconds above 0/,
  ]),
  [{ pool: { maxAgeMs: 0 } }, key, /^pool\.maxAgeMs must be a number of milliseconds/],
  [{ pool: { pingMs: 0 } }, key, /^pool\.pingMs must be a number of milliseconds/],
  [{ pool: { lanes: 16 } }, key, /^pool\.lanes must be true or false, not 16$/],
  [{ timeouts: { dial: 5 } }, key, /^timeouts\.dial is no option; did you mean "dialMs"\?$/],
  [{ network: [] }, key, /^network must be an object/],
  [{ network: { ca: 5 } }, key, /^network\.ca must be PEM text or a Buffer of it, not 5$/],
  [{ network: { cert: '/etc/cert.pem' } }, key, /^network\.cert must be PEM text/],
  [{ network: { proxies: 'x' } }, key, /^network\.proxies is no option/],
  [{ network: { proxy: true } }, key, /^network\.proxy must be an address, .*, not true$/],
  [{ network: { proxy: '' } }, key, /^network\.proxy is empty: /],
  [{ network: { proxy: 'http://sk@h\r\nx' } }, key, /^network\.proxy contains white space or control characters$/],
  [{ network: { proxy: 'http://sk%0d%0a:x@h' } }, key, /^network\.proxy has a user name .* with control characters$/],
  [{ network: { proxy: 'http://sk%:x@h' } }, key, /^network\.proxy has a user name .* not written as in a URL/],
  [{ network: { proxy: 'http://' } }, key, /^network\.proxy is no address of a proxy: /],
  [{ network: { proxy: 'socks5://sk:x@h:1' } }, key, /^network\.proxy names a socks5 proxy, which is not supported: /],
  [{}, { ...key, HTTPS_PROXY: 'socks5h://sk@h:1' }, /^HTTPS_PROXY names a socks5h proxy, .* network\.proxy: false/],
  [{}, { ...key, all_proxy: 'http://sk@:1' }, /^all_proxy is no address of a proxy/],
  [{ network: { lookup: '1.1.1.1' } }, key, /^network\.lookup must be a function like dns\.lookup, not "1\.1\.1\.1"$/],
  [{ network: { relay: 5 } }, key, /^network\.relay must be an address, http:\/\/host:port\/v1, not 5$/],
  [{ network: { relay: 'nonsense' } }, key, /^network\.relay is not an address/],
  [{ network: { relay: 'http://10.0.0.1/v1' } }, key, /^network\.relay is http: to 10\.0\.0\.1, /],
  [
    { baseUrl: 'http://10.0.0.1/v1', network: { relay: 'http://127.0.0.1:1/v1' } },
    key,
    /^baseUrl is http: to 10\.0\.0\.1, /,
  ],
  [{ network: { allowPlaintext: 'yes' } }, key, /^network\.allowPlaintext must be true or false, not "yes"$/],
  [
    { baseUrl: 'http://127.0.0.1.evil.example/v1' },
    key,
    /^baseUrl is http: to 127\.0\.0\.1\.evil\.example, .*: use https:, or allow it with network\.allowPlaintext: true$/,
  ],
  [{}, { ...key, OPENAI_BASE_URL: 'http://10.0.0.1/v1' }, /^OPENAI_BASE_URL is http: to 10\.0\.0\.1, /],
  [
    { baseUrl: 'http://127.0.0.1/v1', network: { proxy: 'https://sk@proxy.example' } },
    key,
    /^baseUrl is http: by the proxy https:\/\/proxy\.example, /,
  ],
  // Somebody else's client takes the key itself: what stands in its place may be one.
  ['sk-mine', key, /^the options must be an object, not a string$/],
  [{ headers: 'Bearer sk-mine' }, key, /^headers must be an object, not a string$/],
  [{ network: { key: 'sk-mine' } }, key, /^network\.key must be PEM text or a Buffer of it, not a string$/],
];
describe('settings', () => {
  for (const [options, env, message] of nonsense) {
    test(`${JSON.stringify(options)} ${env === key ? '' : JSON.stringify(env)}: ${message}`, () => {
      assert.throws(
        () => resolveOptions(options as ClientOptions, env),
        (error: Error & { code?: string }) =>
          /^(invalid_option|missing_api_key)$/.test(error.code ?? '') &&
          message.test(error.message) &&
          !/[\r\n]/.test(error.message) &&
          !error.message.includes('sk'),
      );
    });
  }

  const other = 'https://other.example/v1';
  const env = { OPENAI_API_KEY: 'sk-env', OPENAI_ORG_ID: 'org', OPENAI_PROJECT_ID: 'proj' };
  /** Where the key of the environment goes, and where never (N6, W8, W10, P18). */
  const keys: readonly [name: string, options: ClientOptions, env: Env, apiKey: unknown, organization: unknown][] = [
    ['the default endpoint', {}, env, 'sk-env', 'org'],
    ['the default endpoint, written out', { baseUrl: 'https://api.openai.com/v1/' }, env, 'sk-env', 'org'],
    ['OPENAI_BASE_URL', {}, { ...env, OPENAI_BASE_URL: other }, 'sk-env', 'org'],
    ['OPENAI_BASE_URL, written out', { baseUrl: `${other}/` }, { ...env, OPENAI_BASE_URL: other }, 'sk-env', 'org'],
    ['another host', { baseUrl: other }, env, undefined, undefined],
    ['a host that only begins alike', { baseUrl: 'https://api.openai.com.evil.example/v1' }, env, undefined, undefined],
    ['another path of the same host', { baseUrl: 'https://api.openai.com/v2' }, env, undefined, undefined],
    [
      'the same host without TLS',
      { baseUrl: 'http://api.openai.com/v1', network: { allowPlaintext: true } },
      env,
      undefined,
      undefined,
    ],
    ['another host with its own key', { baseUrl: other, apiKey: 'mine' }, env, 'mine', undefined],
    ['an own key', { apiKey: 'mine' }, env, 'mine', 'org'],
    ['an identity in own headers', { headers: { Authorization: 'x' } }, env, undefined, 'org'],
    ['own headers that name nobody', { headers: { 'x-trace': '1' } }, env, 'sk-env', 'org'],
    ['headers from a function', { headers: () => ({}) }, env, 'sk-env', 'org'],
    ['own headers, and no key anywhere', { headers: { 'api-key': 'x' } }, {}, undefined, undefined],
    ['an empty OPENAI_BASE_URL is none', {}, { ...env, OPENAI_BASE_URL: '' }, 'sk-env', 'org'],
    ['empty ids are none', {}, { ...env, OPENAI_ORG_ID: '', OPENAI_PROJECT_ID: '' }, 'sk-env', undefined],
  ];
  for (const [name, options, from, apiKey, organization] of keys) {
    test(`identity: ${name}`, () => {
      const { identity } = resolveOptions(options, from);
      assert.equal(identity.apiKey, apiKey);
      assert.equal(identity.organization, organization);
    });
  }

  test('defaults', () => {
    const settings = resolveOptions({}, key);
    assert.equal(settings.transport, 'auto');
    assert.deepEqual(settings.pool, {
      maxConnections: 32,
      maxAgeMs: undefined,
      maxIdleMs: Infinity,
      lanes: false,
      pingMs: 25_000,
    });
    assert.deepEqual(settings.timeouts, {
      dialMs: 15_000,
      firstEventMs: 300_000,
      idleMs: 900_000,
      pongMs: 10_000,
      queueMs: 600_000,
      unreadMs: 900_000,
    });
    assert.deepEqual(settings.recovery, {
      replay: 'unanswered',
      maxAttempts: 4,
      budgetMs: 60_000,
      refusals: 'retry',
    });
    const given = { replay: 'never', maxAttempts: 1, budgetMs: Infinity, refusals: 'surface' } as const;
    assert.deepEqual(resolveOptions({ recovery: given }, key).recovery, given);
    assert.equal(settings.endpoint.url.href, 'https://api.openai.com/v1/responses');
    assert.equal(resolveOptions({ timeouts: { idleMs: Infinity } }, key).timeouts.idleMs, Infinity);
  });

  for (const [baseUrl, address] of [
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/responses'],
    ['https://h.example/v1/responses', 'https://h.example/v1/responses'],
    ['https://h.example/v1//', 'https://h.example/v1/responses'],
    ['https://h.example/v1?api-version=1#x', 'https://h.example/v1/responses?api-version=1'],
  ] as const) {
    test(`P1: ${baseUrl}`, () => assert.equal(resolveOptions({ baseUrl }, key).endpoint.url.href, address));
  }

  test('a relay is where everything goes, and baseUrl is whose rules apply', () => {
    const relay = 'http://127.0.0.1:4001/coder/v1';
    const proxied = { ...key, HTTPS_PROXY: 'http://proxy.example:3128' };
    const { endpoint, providerHost, identity, network } = resolveOptions({ network: { relay } }, proxied);
    assert.equal(endpoint.url.href, 'http://127.0.0.1:4001/coder/v1/responses');
    assert.equal(providerHost, 'api.openai.com');
    assert.equal(endpoint.origin, 'https://api.openai.com');
    // The key of the environment is for the provider, which the relay passes it on to; the proxy is the relay's to use.
    assert.equal(identity.apiKey, 'sk-env');
    assert.equal(network.proxy, undefined);
    const dated = resolveOptions({ baseUrl: 'https://host/v1?api-version=preview', network: { relay } }, {});
    assert.equal(dated.endpoint.url.href, 'http://127.0.0.1:4001/coder/v1/responses?api-version=preview');
    assert.equal(dated.identity.apiKey, undefined);
  });
});
