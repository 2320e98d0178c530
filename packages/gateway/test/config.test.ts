import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { configOf, readConfig } from '../dist/config/file.js';
import { configJsonSchema } from '../dist/config/json-schema.js';
import { GatewayConfigError } from '../dist/config/problem.js';
import type { TestContext } from 'node:test';

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-gateway-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, text);
  return file;
}

/** Its problems as `line:column path`, and the whole message. */
async function problemsOf(reading: Promise<unknown>): Promise<{ places: string[]; message: string }> {
  const error = await reading.then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  );
  assert(error instanceof GatewayConfigError);
  const places = error.problems.map(({ position, path }) => `${position?.line}:${position?.column} ${path}`);
  return { places, message: error.message };
}

describe('gateway configuration', () => {
  test('has a default for every setting except the upstream', () => {
    const config = configOf({ upstream: { base_url: 'https://api.openai.com/v1' } });
    assert.equal(config.listen.host, '127.0.0.1');
    assert.equal(config.listen.port, 4000);
    assert.equal(config.drain_ms, 30_000);
    assert.deepEqual(config.restore, { max_bytes: 32 * 1024 * 1024 });
  });

  test('reports every problem at once, each with its line and column', async (t) => {
    const file = fileWith(
      t,
      [
        'listen:',
        '  port: 70000',
        '  hosst: x',
        'upstream:',
        '  base_url: not an address',
        'limits:',
        '  body_bytes: -1',
        'drain_ms: soon',
        '',
      ].join('\n'),
    );
    const { places, message } = await problemsOf(readConfig(file));
    assert.deepEqual(places, [
      '2:9 listen.port',
      '3:3 listen',
      '5:13 upstream.base_url',
      '7:15 limits.body_bytes',
      '8:11 drain_ms',
    ]);
    assert.match(message, /unknown key "hosst"; there are host, port/);
  });

  test('names a missing setting', async (t) => {
    const { message } = await problemsOf(readConfig(fileWith(t, 'drain_ms: 1\n')));
    assert.match(message, /gateway\.yaml:1:1: upstream/);
  });

  test('reports the place of a YAML syntax error', async (t) => {
    const { places } = await problemsOf(readConfig(fileWith(t, 'upstream:\n  base_url: "x\n')));
    assert.match(places[0] ?? '', /^\d+:\d+ $/);
  });

  test('reports a missing file by its path', async () => {
    const { message } = await problemsOf(readConfig('/no/such/gateway.yaml'));
    assert.match(message, /there is no such file/);
  });

  for (const [line, place, sentence] of [
    ['redis: redis://u:p@localhost', '2:10 cluster.redis', /a password does not stand in the file/],
    ['redis: redis:///1', '2:10 cluster.redis', /names no server/],
    ['redis: redis://localhost/first', '2:10 cluster.redis', /number of a database.*"\/first"/],
    ['redis: redis://localhost?db=3', '2:10 cluster.redis', /"\?db=3" means nothing/],
    ['address: http://localhost:4000/v1/', '3:12 cluster.address', /ends before \/v1/],
    ['address: http://u:p@localhost:4000', '3:12 cluster.address', /nodes show the secret.*not a user/],
    ['address: http://localhost:4000?a=b', '3:12 cluster.address', /"\?a=b" means nothing/],
    ['sentinel: { master: main, nodes: [localhost:70000] }', '2:37 cluster.sentinel.nodes[0]', /host:port/],
  ] as const)
    test(`refuses in a cluster ${line}`, async (t) => {
      const isPlace = !line.startsWith('address');
      const lines = [
        'cluster:',
        ...(isPlace ? [] : ['  redis: redis://localhost']),
        `  ${line}`,
        '  secret: DEPLOYMENT',
      ];
      const file = fileWith(t, [...lines, 'upstream: { base_url: https://api.openai.com/v1 }', ''].join('\n'));
      const { places, message } = await problemsOf(readConfig(file));
      assert.deepEqual(places, [place]);
      assert.match(message, sentence);
    });

  test('takes addresses of a cluster with a database, a user and a path of a proxy', () => {
    const upstream = { base_url: 'https://api.openai.com/v1' };
    const cluster = { redis: 'rediss://user@redis.example:6379/1', secret: 'DEPLOYMENT' };
    assert.doesNotThrow(() => configOf({ upstream, cluster: { ...cluster, address: 'https://nodes.example/one/' } }));
  });

  test('requires keys or open: true for an address that other machines reach', () => {
    const upstream = { base_url: 'https://api.openai.com/v1' };
    assert.throws(
      () => configOf({ upstream, listen: { host: '0.0.0.0' } }),
      /name principals with keys, or say open: true/,
    );
    assert.equal(configOf({ upstream, listen: { host: '0.0.0.0', open: true } }).listen.open, true);
    const keys = [`sha256:${'0'.repeat(64)}`];
    const principals = [{ name: 'team', keys, upstream_key: 'OPENAI_API_KEY' }];
    assert.equal(configOf({ upstream, principals, listen: { host: '0.0.0.0' } }).principals?.length, 1);
  });

  test('refuses a key in place of its hash or its name, without repeating it', async (t) => {
    const file = fileWith(
      t,
      [
        'upstream:',
        '  base_url: https://api.openai.com/v1',
        'principals:',
        '  - name: team',
        '    keys: [sk-secret-1]',
        '    upstream_key: sk-secret-2',
        '',
      ].join('\n'),
    );
    const { places, message } = await problemsOf(readConfig(file));
    assert.deepEqual(places, ['5:12 principals[0].keys[0]', '6:19 principals[0].upstream_key']);
    assert.doesNotMatch(message, /secret-/);
  });

  test('refuses plain text to another machine without allow_plaintext', () => {
    const upstream = { base_url: 'http://models.example/v1' };
    assert.throws(() => configOf({ upstream }), /could be read on the way to models\.example/);
    assert.doesNotThrow(() => configOf({ upstream: { ...upstream, allow_plaintext: true } }));
  });

  test('lets the command line replace settings of the file', async (t) => {
    const file = fileWith(t, 'listen: { port: 1 }\nupstream: { base_url: "https://api.openai.com/v1" }\n');
    const config = await readConfig(file, { listen: { port: 2 }, drain_ms: 3 });
    assert.deepEqual([config.listen.port, config.drain_ms], [2, 3]);
  });

  test('has the JSON Schema that the package contains', () => {
    const written: unknown = JSON.parse(
      readFileSync(new URL('../schema/gateway.schema.json', import.meta.url), 'utf8'),
    );
    assert.deepEqual(JSON.parse(JSON.stringify(configJsonSchema())), written, 'run "npm run schema"');
  });
});
