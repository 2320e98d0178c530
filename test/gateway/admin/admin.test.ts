import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { GatewayConfigError, checkConfig, hashKey, startGateway } from '@turnwire/gateway';
import { message, raw, setUp } from '../setup.js';
import type { AddressInfo } from 'node:net';
import type { ConfigInput } from '@turnwire/gateway';
import type { Setup } from '../setup.js';

const admin = { port: 0 };

function pageOf({ gateway }: Pick<Setup, 'gateway'>): string {
  assert(gateway.adminUrl !== undefined);
  return gateway.adminUrl;
}

interface State {
  ready: boolean;
  running: number;
  client_sockets: number;
  cluster: object | null;
  total: Record<string, unknown>;
  connections: Record<string, number>;
  identities: Record<string, unknown>[];
  principals: Record<string, unknown>[];
  turns: Record<string, unknown>[];
}

async function stateOf(setup: Pick<Setup, 'gateway'>): Promise<State> {
  return (await (await fetch(new URL('state.json', pageOf(setup)))).json()) as State;
}

describe('gateway: the admin page', () => {
  test('is served only where the configuration has it, and never by the listener for clients', async (t) => {
    const without = await setUp(t);
    assert.equal(without.gateway.adminUrl, undefined);
    const setup = await setUp(t, {}, { admin });
    assert.match(pageOf(setup), /^http:\/\/127\.0\.0\.1:\d+\/$/);
    // What is no turn goes to the upstream, which has no such page.
    const passed = await fetch(new URL('/state.json', setup.gateway.url));
    assert.equal(passed.status, 404);
    assert.doesNotMatch(await passed.text(), /principals/);
  });

  test('loads only its own files, and forbids all others', async (t) => {
    const page = pageOf(await setUp(t, {}, { admin }));
    const answer = await fetch(page);
    const html = await answer.text();
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    assert.deepEqual([...new Set(parts)].sort(), ['icon.svg', 'page.css', 'page.js', 'state.json']);
    assert.doesNotMatch(html, /<style|style=|<script[^>]*>[^<]|\son\w+=/, 'inline, which the policy forbids');
    for (const path of ['', ...parts]) {
      const part = await fetch(new URL(path, page));
      assert.equal(part.status, 200, path);
      const policy = part.headers.get('content-security-policy') ?? '';
      assert.match(policy, /^default-src 'none'; /);
      assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.equal(part.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(part.headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(await part.text(), /https?:\/\/(?!www\.w3\.org\/2000\/svg)(?!127\.0\.0\.1)/, path);
    }
  });

  test('shows savings, principals and plans, without contents and keys', async (t) => {
    const setup = await setUp(t, {}, { admin });
    const { ask } = setup;
    const input: object[] = [message('A secret plan.')];
    const bodies = [JSON.stringify({ model: 'any', input })];
    const first = (await (await ask({ input })).json()) as { output: object[]; id: string };
    input.push(...first.output, message('More.'));
    bodies.push(JSON.stringify({ model: 'any', input, stream: true }));
    await (await ask({ input, stream: true })).text();
    const { total, connections, identities, principals, turns, ...levels } = await stateOf(setup);

    assert.deepEqual([levels.ready, levels.running, levels.client_sockets, levels.cluster], [true, 0, 0, null]);
    assert.deepEqual(
      [total['turns'], total['deltas'], total['full_reasons'], total['transports'], total['outcomes']],
      [2, 1, { first_turn: 1 }, { websocket: 2 }, { completed: 2 }],
    );
    const came = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
    assert.equal(total['client_bytes'], came);
    const went = setup.emulator.journal.turns().reduce((sum, turn) => sum + turn.bytes, 0);
    assert.equal(total['upstream_bytes'], went);
    assert(Number(total['cached_tokens']) > 0);
    assert.deepEqual([connections['connections'], connections['busy'], connections['lanes']], [1, 0, 0]);
    assert.deepEqual([connections['identities'], identities.length], [1, 1]);
    const name = `key-${hashKey('sk-of-a-test').slice('sha256:'.length, 'sha256:'.length + 8)}`;
    assert.deepEqual([identities[0]?.['used_by'], principals[0]?.['name'], principals[0]?.['turns']], [name, name, 2]);
    assert.deepEqual(
      turns.map((turn) => [turn['plan'], turn['downstream'], turn['transport'], turn['model']]),
      [
        ['delta', 'sse', 'websocket', 'any'],
        ['full', 'json', 'websocket', 'any'],
      ],
    );
    assert.equal(turns[1]?.['response_id'], first.id);
    assert.doesNotMatch(JSON.stringify({ total, turns, principals, identities }), /secret plan|sk-of-a-test/);
  });

  test('shows running turns, their lanes, and principals without a turn so far', async (t) => {
    const keys = ['one', 'two'];
    const setup = await setUp(
      t,
      { faults: [{ do: 'stall after=2' }] },
      {
        admin,
        drain_ms: 0,
        upstream: { headers: { authorization: 'Bearer sk-upstream' } },
        principals: keys.map((key) => ({ name: `team-${key}`, keys: [hashKey(key)] })),
      },
    );
    const response = await setup.ask({ stream: true }, { headers: { authorization: 'Bearer one' } });
    const { running, connections, principals } = await stateOf(setup);
    assert.deepEqual([running, connections['busy'], connections['lanes']], [1, 1, 1]);
    assert.deepEqual(
      principals.map((one) => [one['name'], one['running'], one['turns'], one['last_turn_at']]),
      [
        ['team-one', 1, 0, null],
        ['team-two', 0, 0, null],
      ],
    );
    await response.body?.cancel();
  });

  test('says that the gateway drains, and ends with it', async (t) => {
    const setup = await setUp(t, { latency: { firstTokenMs: 300 } }, { admin });
    const response = await setup.ask({ stream: true });
    const closed = setup.gateway.close();
    assert.equal((await stateOf(setup)).ready, false);
    await response.text();
    await closed;
    await assert.rejects(fetch(pageOf(setup)));
  });

  test('refuses foreign host names, foreign pages, and methods other than GET', async (t) => {
    const page = pageOf(await setUp(t, {}, { admin }));
    const { host } = new URL(page);
    const asked = async (headers: Record<string, string>, method = 'GET', path = '/state.json') => {
      const { statusCode, text } = await raw(page, { path, method, headers: { host, ...headers } });
      return [statusCode, /"code":"(\w+)"/.exec(text)?.[1]];
    };
    assert.deepEqual(await asked({ host: 'evil.example' }), [403, 'forbidden']);
    assert.deepEqual(await asked({ origin: 'https://evil.example' }), [403, 'forbidden']);
    assert.deepEqual(await asked({ origin: 'http://127.0.0.1:1' }), [403, 'forbidden']);
    assert.deepEqual(await asked({ origin: 'null' }), [403, 'forbidden']);
    assert.deepEqual(await asked({ host: 'evil.example', origin: 'http://evil.example' }), [403, 'forbidden']);
    // Browsers send the origin of the page with its own script.
    assert.deepEqual(await asked({ origin: `http://${host}` }), [200, undefined]);
    assert.deepEqual(await asked({}, 'POST'), [405, 'method_not_allowed']);
    assert.deepEqual(await asked({}, 'GET', '/v1/responses'), [404, 'unknown_path']);
    assert.deepEqual(await asked({}, 'GET', '/../package.json'), [404, 'unknown_path']);
    assert.deepEqual(await asked({}, 'HEAD', '/?from=a-bookmark'), [200, undefined]);
  });

  test('requires admin.open for an address that other machines reach', async () => {
    const config = { upstream: { base_url: 'https://api.openai.com/v1' } };
    await assert.rejects(
      checkConfig({ config: { ...config, admin: { host: '0.0.0.0' } } }),
      (error) =>
        error instanceof GatewayConfigError && /admin\.host: .*say open: true \(--admin-open\)/.test(error.message),
    );
    const { admin: open } = await checkConfig({ config: { ...config, admin: { host: '0.0.0.0', open: true } } });
    assert.deepEqual(open, { host: '0.0.0.0', port: 4040, open: true, allowed_hosts: [] });
  });

  test('keeps the gateway from starting where its address is taken', async (t) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    t.after(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    const config = { upstream: { base_url: 'http://127.0.0.1:1/v1' } };
    const message = new RegExp(`the address 127\\.0\\.0\\.1:${port} is taken`);
    await assert.rejects(startGateway({ config: { ...config, listen: { port: 0 }, admin: { port } } }), message);
    await assert.rejects(startGateway({ config: { ...config, listen: { port }, admin } }), message);
  });

  test('stays at its address over a reload, with a warning where the address was changed', async (t) => {
    const warnings: string[] = [];
    const config: ConfigInput = { listen: { port: 0 }, upstream: { base_url: 'http://127.0.0.1:1/v1' }, admin };
    const gateway = await startGateway({ config, onWarning: (warning) => warnings.push(warning) });
    t.after(() => gateway.destroy());
    await gateway.reload();
    assert.deepEqual(warnings, []);
    config.admin = { port: 0, host: 'localhost' };
    await gateway.reload();
    assert.match(warnings.join(), /a new address needs a restart/);
    assert.equal((await fetch(pageOf({ gateway }))).status, 200);
  });
});
