import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hashKey, startGateway } from '@turnwire/gateway';
import { bareUpstream } from './bare-upstream.js';
import { errorOf, message, setUp } from './setup.js';
import { RefusedUpgrade, TestSocket, codeOf, idOf } from './websocket-client.js';
import type { TestContext } from 'node:test';
import type { EmulatorOptions } from 'turnwire/emulator';
import type { Configured } from './setup.js';

const alice = { authorization: 'Bearer sk-alice' };
const bob = { authorization: 'Bearer sk-bob' };

type Principals = NonNullable<Configured['principals']>;

/** Two principals who share one key of the upstream: it would give each the responses of the other. */
async function two(
  t: TestContext,
  more: Partial<Principals[number]> = {},
  config: Configured = {},
  emulated: EmulatorOptions = {},
) {
  const principals: Principals = [
    { name: 'alice', keys: [hashKey('sk-alice')], upstream_key: 'SHARED', ...more },
    { name: 'bob', keys: [hashKey('sk-bob')], upstream_key: 'SHARED' },
  ];
  return setUp(
    t,
    { credentials: 'separate', ...emulated },
    { principals, ...config },
    {
      secret: (name) => Promise.resolve(name === 'SHARED' ? 'sk-upstream' : undefined),
    },
  );
}

describe('gateway: principals', () => {
  test('are known by their keys, and use the upstream’s key', async (t) => {
    const { ask, emulator, gateway } = await two(t);
    const unknown = await ask({}, { headers: { authorization: 'Bearer sk-mallory' } });
    assert.equal(unknown.status, 401);
    assert.equal((await errorOf(unknown))['code'], 'invalid_api_key');
    assert.equal((await fetch(`${gateway.url}/responses`, { method: 'HEAD' })).status, 401);
    assert.equal((await ask({}, { headers: alice })).status, 200);
    assert.equal((await ask({}, { headers: { authorization: '', 'x-api-key': 'sk-bob' } })).status, 200);
    assert.equal(emulator.journal.turns().length, 2);
    const refused = await TestSocket.open(gateway.url, { authorization: 'Bearer sk-mallory' }).catch(
      (error: unknown) => error,
    );
    assert(refused instanceof RefusedUpgrade);
    assert.equal(refused.status, 401);
  });

  test('never send a key of the gateway to the upstream', async (t) => {
    const { ask, emulator } = await two(t);
    await ask({}, { headers: { ...alice, 'x-api-key': 'sk-alice', cookie: 'a=sk-alice' } });
    await ask({}, { headers: { ...alice, 'api-key': 'sk-alice' } });
    const sent = new Set(emulator.journal.connections().flatMap(({ headers }) => Object.keys(headers)));
    assert(sent.has('authorization'));
    for (const name of ['x-api-key', 'api-key', 'cookie']) assert(!sent.has(name), name);
  });

  test('an id of another principal is not found, whichever field or path has it', async (t) => {
    const { ask, gateway } = await two(t);
    const { id, output } = (await (await ask({}, { headers: alice })).json()) as {
      id: string;
      output: { id: string }[];
    };
    const paths: [string, string, string?][] = [
      ['GET', `/responses/${id}`],
      ['GET', `/responses/${encodeURIComponent(id).replace('r', '%72')}`],
      ['GET', `/responses/${id}/input_items`],
      ['DELETE', `/responses/${id}`],
      ['POST', `/responses/${id}/cancel`],
      ['POST', '/responses/compact', JSON.stringify({ model: 'm', previous_response_id: id })],
      [
        'POST',
        '/responses/input_tokens',
        JSON.stringify({ model: 'm', input: [{ type: 'item_reference', id: output[0]?.id }] }),
      ],
    ];
    for (const [method, path, body] of paths) {
      const headers = { ...bob, 'content-type': 'application/json' };
      const answer = await fetch(gateway.url + path, { method, headers, ...(body !== undefined && { body }) });
      assert(answer.status === 400 || answer.status === 404, `${path}: ${answer.status}`);
      assert.match(String((await errorOf(answer))['message']), /not found/, path);
    }
    for (const body of [{ previous_response_id: id }, { input: [{ type: 'item_reference', id: output[0]?.id }] }]) {
      const answer = await ask(body, { headers: bob });
      assert.match(String((await errorOf(answer))['message']), /not found/);
    }
    assert.equal((await fetch(`${gateway.url}/responses/${id}`, { headers: alice })).status, 200);
    assert.equal((await ask({ previous_response_id: id, input: 'More.' }, { headers: alice })).status, 200);
  });

  test('a conversation of another principal is not found', async (t) => {
    const { ask, gateway } = await two(t);
    const made = await fetch(`${gateway.url}/conversations`, {
      method: 'POST',
      headers: { ...alice, 'content-type': 'application/json' },
      body: '{}',
    });
    const { id } = (await made.json()) as { id: string };
    for (const path of [`/conversations/${id}`, `/conversations/${id}/items`])
      assert.equal((await fetch(gateway.url + path, { headers: bob })).status, 404);
    assert.equal((await ask({ conversation: id }, { headers: bob })).status, 404);
    assert.equal((await ask({ conversation: { id } }, { headers: bob })).status, 404);
    assert.equal((await ask({ conversation: id }, { headers: alice })).status, 200);
    assert.equal((await fetch(`${gateway.url}/conversations/${id}`, { headers: alice })).status, 200);
  });

  test('an id of another principal is not found over a WebSocket', async (t) => {
    const { gateway } = await two(t);
    const [first, second] = [await TestSocket.open(gateway.url, alice), await TestSocket.open(gateway.url, bob)];
    t.after(() => [first, second].forEach(({ socket }) => socket.terminate()));
    first.create({ store: false });
    const id = idOf(await first.end());
    second.create({ store: false, previous_response_id: id, input: [message('Tell me.')] });
    assert.equal(codeOf(await second.end()), 'previous_response_not_found');
    second.send({ type: 'response.steer', previous_response_id: id, input: 'x' });
    assert.equal(codeOf(await second.next()), 'response_not_found');
  });

  test('other paths are not served, unless the file lists them', async (t) => {
    const { gateway } = await two(t);
    for (const path of ['/files', '/emulator/journal', '/chat/completions'])
      assert.equal((await fetch(gateway.url + path, { headers: alice })).status, 404);
    const listed = await two(t, {}, { paths: ['/models'] });
    assert.equal((await fetch(`${listed.gateway.url}/models`, { headers: alice })).status, 200);
  });

  test('a turn of a principal with a list of models names one of them', async (t) => {
    const { ask, gateway, emulator } = await two(t, { models: ['gpt-5.4'] });
    for (const model of [undefined, null, ['o3'], { id: 'o3' }, 5])
      for (const stream of [true, false]) {
        const refused = await ask({ model, stream, prompt: { id: 'pmpt_1' } }, { headers: alice });
        assert.deepEqual([refused.status, (await errorOf(refused))['param']], [400, 'model'], JSON.stringify(model));
      }
    const compact = await fetch(`${gateway.url}/responses/compact`, {
      method: 'POST',
      headers: { ...alice, 'content-type': 'application/json' },
      body: '{"model":["o3"],"input":"x"}',
    });
    assert.equal(compact.status, 400);
    const client = await TestSocket.open(gateway.url, alice);
    client.create({ model: ['o3'] });
    assert.equal(codeOf(await client.end()), 'model_not_named');
    assert.deepEqual(emulator.journal.turns(), []);
    const conversation = await fetch(`${gateway.url}/conversations`, { method: 'POST', headers: alice });
    assert.equal(conversation.status, 200);
  });

  test('a model that is not allowed is not found, and an alias is replaced by its model', async (t) => {
    const { ask, emulator, gateway } = await two(t, { models: ['gpt-5.4'], aliases: { fast: 'gpt-5.4-mini' } });
    const refused = await ask({ model: 'o3' }, { headers: alice });
    assert.equal(refused.status, 404);
    assert.equal((await errorOf(refused))['code'], 'model_not_found');
    for (const stream of [true, false]) await (await ask({ model: 'fast', stream }, { headers: alice })).text();
    const asked = emulator.journal.turns().map(({ request }) => (request as { model: string }).model);
    assert.deepEqual(asked, ['gpt-5.4-mini', 'gpt-5.4-mini']);
    const models = (await (await fetch(`${gateway.url}/models`, { headers: alice })).json()) as {
      data: { id: string }[];
    };
    assert.deepEqual(
      models.data.map(({ id }) => id),
      ['fast'],
    );
    const client = await TestSocket.open(gateway.url, alice);
    client.create({ model: 'gpt-5.4' });
    assert.equal((await client.end()).type, 'response.completed');
    client.create({ model: 'o3' });
    assert.equal(codeOf(await client.end()), 'model_not_found', 'checked for each frame');
    client.socket.terminate();
  });

  test('requests a minute are limited, with Retry-After, also before the upgrade', async (t) => {
    const { ask, gateway } = await two(t, { requests_per_minute: 2 });
    for (let turn = 0; turn < 2; turn += 1) assert.equal((await ask({}, { headers: alice })).status, 200);
    const limited = await ask({}, { headers: alice });
    assert.equal(limited.status, 429);
    const seconds = Number(limited.headers.get('retry-after'));
    assert(seconds >= 1 && seconds <= 30, String(seconds));
    assert.equal((await errorOf(limited))['code'], 'rate_limit_exceeded');
    const upgrade = await TestSocket.open(gateway.url, alice).catch((error: unknown) => error);
    assert(upgrade instanceof RefusedUpgrade);
    assert.equal(upgrade.status, 429);
    assert.equal((await ask({}, { headers: bob })).status, 200);
  });

  test('tokens a minute are limited once they are used up', async (t) => {
    const { ask } = await two(t, { tokens_per_minute: 5 });
    assert.equal((await ask({}, { headers: alice })).status, 200);
    assert.equal((await ask({}, { headers: alice })).status, 429);
  });

  test('turns at once are limited, and free again when they have ended', async (t) => {
    const { ask } = await two(t, { concurrent_turns: 1 }, {}, { faults: [{ on: { turn: 1 }, do: 'stall after=2' }] });
    const left = new AbortController();
    const running = await ask({ stream: true }, { headers: alice, signal: left.signal });
    assert.equal((await ask({}, { headers: alice })).status, 429);
    left.abort();
    await running.text().catch(() => {});
    for (;;) if ((await ask({}, { headers: alice })).status === 200) break;
  });

  test('a missing secret is named before the gateway serves', async (t) => {
    await assert.rejects(
      setUp(
        t,
        {},
        { principals: [{ name: 'alice', keys: [hashKey('x')], upstream_key: 'NOT_THERE' }] },
        { secret: () => Promise.resolve(undefined) },
      ),
      /principals\[0\]\.upstream_key: there is no secret NOT_THERE/,
    );
  });

  test('a key of the gateway is read again at each dial and each request, so that a rotated one is picked up', async (t) => {
    const upstream = await bareUpstream(t, {
      frames: () => [
        '{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}',
        '{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}',
      ],
      webSockets: false,
    });
    let key: string | undefined = 'sk-before';
    const gateway = await startGateway({
      config: { listen: { port: 0 }, upstream: { base_url: upstream.url, key: 'ROTATES', transport: 'sse' } },
      secret: () => Promise.resolve(key),
      onWarning: () => {},
    });
    t.after(() => gateway.destroy());
    const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`${gateway.url}${path}`, init);
    const turn = () => ask('/responses', { method: 'POST', body: JSON.stringify({ stream: true, input: 'Hi.' }) });
    await (await turn()).text();
    key = 'sk-after';
    await (await turn()).text();
    await (await ask('/files', { method: 'POST', body: '{}' })).text();
    assert.deepEqual(
      upstream.posts.map(({ authorization }) => authorization),
      ['Bearer sk-before', 'Bearer sk-after', 'Bearer sk-after'],
    );
    key = undefined;
    for (const refused of [await turn(), await ask('/models')]) {
      assert.equal(refused.status, 502);
      const { code, message } = await errorOf(refused);
      assert.equal(code, 'upstream_unreachable');
      assert.match(String(message), /there is no secret ROTATES/);
    }
    assert.equal(upstream.posts.length, 3);
  });
});
