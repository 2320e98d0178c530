import assert from 'node:assert/strict';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { describe, test } from 'node:test';
import { errorOf, eventsOf, message, raw, setUp } from './setup.js';

describe('gateway: turns over HTTP', () => {
  test('streams events where the body asks for it, whatever accept says', async (t) => {
    const { ask, emulator } = await setUp(t);
    const response = await ask({ stream: true }, { headers: { accept: 'application/json' } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(response.headers.get('x-accel-buffering'), 'no');
    assert.equal(response.headers.get('x-turnwire-transport'), 'websocket');
    const events = eventsOf(await response.text());
    assert.equal(events[0]?.['type'], 'response.created');
    assert.equal(events.at(-1)?.['type'], 'response.completed');
    assert.equal(
      events.some((event) => 'stream_id' in event),
      false,
    );
    assert.equal(emulator.journal.turns()[0]?.transport, 'websocket');
  });

  test('answers by one JSON text where the body does not ask for a stream', async (t) => {
    const { ask } = await setUp(t);
    const response = await ask({}, { headers: { accept: 'text/event-stream' } });
    assert.equal(response.headers.get('content-type'), 'application/json');
    const body = (await response.json()) as { object: string; status: string };
    assert.deepEqual([body.object, body.status], ['response', 'completed']);
  });

  test('sends only the new items of a full history', async (t) => {
    const { ask, emulator } = await setUp(t);
    const input: object[] = [message('One.')];
    for (let turn = 0; turn < 3; turn += 1) {
      const response = await ask({ store: false, input });
      assert.equal(response.headers.get('x-turnwire-plan'), turn === 0 ? 'full' : 'delta');
      const { output } = (await response.json()) as { output: object[] };
      input.push(...output, message('More.'));
    }
    assert.deepEqual(
      emulator.journal.turns().map(({ plan }) => plan),
      ['full', 'delta', 'delta'],
    );
  });

  test('shares a chain between requests whose session headers differ', async (t) => {
    const { ask } = await setUp(t);
    const first = (await (
      await ask({ input: [message('One.')] }, { headers: { 'session-id': 'a', 'x-request-id': '1' } })
    ).json()) as {
      output: object[];
    };
    const second = await ask(
      { input: [message('One.'), ...first.output, message('Two.')] },
      { headers: { 'session-id': 'b', 'x-request-id': '2', 'x-codex-turn-metadata': '{"turn":2}' } },
    );
    assert.equal(second.headers.get('x-turnwire-plan'), 'delta');
  });

  test('keeps chains of two credentials apart', async (t) => {
    const { ask } = await setUp(t);
    const first = (await (await ask({ input: [message('One.')] })).json()) as { output: object[] };
    const second = await ask(
      { input: [message('One.'), ...first.output, message('Two.')] },
      { headers: { authorization: 'Bearer sk-of-another' } },
    );
    assert.equal(second.headers.get('x-turnwire-plan'), 'full');
  });

  test('takes a credential for the same whatever the case of its scheme', async (t) => {
    const { ask } = await setUp(t);
    const first = (await (await ask({ input: [message('One.')] })).json()) as { output: object[] };
    const second = await ask(
      { input: [message('One.'), ...first.output, message('Two.')] },
      { headers: { authorization: 'bearer sk-of-a-test' } },
    );
    assert.equal(second.headers.get('x-turnwire-plan'), 'delta');
  });

  test('serves the path with and without its version', async (t) => {
    const { gateway } = await setUp(t);
    for (const base of [gateway.url, gateway.url.replace(/\/v1$/, '')]) {
      const response = await fetch(`${base}/responses`, { method: 'POST', body: '{"model":"m","input":"x"}' });
      assert.equal(response.status, 200);
    }
  });

  test('passes a refusal on with its status, code and headers', async (t) => {
    const { ask } = await setUp(t, {
      faults: [
        {
          do: 'error status=429 code=rate_limit_exceeded headers={"retry-after":"7","x-ratelimit-remaining-requests":"0"}',
        },
      ],
    });
    for (const stream of [true, false]) {
      const response = await ask({ stream });
      assert.equal(response.status, 429);
      assert.equal(response.headers.get('retry-after'), '7');
      assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '0');
      assert.equal((await errorOf(response))['code'], 'rate_limit_exceeded');
    }
  });

  test('breaks an answer off where the upstream does, and sends the turn only once (L4)', async (t) => {
    const { ask, emulator } = await setUp(t, { faults: [{ do: 'end after=3' }] });
    const response = await ask({ stream: true });
    await assert.rejects(response.text());
    assert.equal(emulator.journal.turns().length, 1);
  });

  test('answers with a status after which no SDK calls again, where the turn may have run', async (t) => {
    const { ask } = await setUp(t, { faults: [{ do: 'end' }] }, { upstream: { replay: 'unsent' } });
    for (const stream of [true, false]) {
      const response = await ask({ stream });
      assert.equal(response.status, 400);
      assert.equal(response.headers.get('x-should-retry'), 'false');
      assert.equal((await errorOf(response))['code'], 'turn_outcome_unknown');
    }
  });

  test('says that the upstream cannot be reached', async (t) => {
    const { ask } = await setUp(t, {}, { upstream: { base_url: 'http://127.0.0.1:9/v1' } });
    const response = await ask();
    assert.equal(response.status, 502);
    assert.equal((await errorOf(response))['code'], 'upstream_unreachable');
  });

  test('ends the upstream turn where its client leaves (L3)', async (t) => {
    const { ask, emulator } = await setUp(t, { faults: [{ do: 'stall after=2' }] });
    const left = new AbortController();
    const response = await ask({ stream: true }, { signal: left.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    left.abort();
    await reader?.read().catch(() => {});
    for (;;) {
      if (emulator.journal.turns()[0]?.outcome === 'aborted') return;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  });
});

describe('gateway: methods and paths', () => {
  test('answers GET without an upgrade by 426, and HEAD by 405', async (t) => {
    const { gateway } = await setUp(t);
    const get = await raw(`${gateway.url}/responses`, {});
    assert.equal(get.statusCode, 426);
    assert.equal(get.headers.upgrade, 'websocket');
    assert.equal((await raw(`${gateway.url}/responses`, { method: 'HEAD' })).statusCode, 405);
  });

  test('passes other paths through with their method, query and body', async (t) => {
    const { gateway, ask } = await setUp(t);
    assert.equal((await fetch(`${gateway.url}/models`)).status, 200);
    const { id } = (await (await ask()).json()) as { id: string };
    const headers = { authorization: 'Bearer sk-of-a-test' };
    const found = await fetch(`${gateway.url}/responses/${id}`, { headers });
    assert.equal(((await found.json()) as { id: string }).id, id);
    const items = await fetch(`${gateway.url}/responses/${id}/input_items?limit=1`, { headers });
    assert.equal(((await items.json()) as { data: object[] }).data.length, 1);
    assert.equal((await fetch(`${gateway.url}/responses/${id}`, { method: 'DELETE', headers })).status, 200);
    assert.equal((await fetch(`${gateway.url}/responses/${id}`, { headers })).status, 404);
    const conversation = await fetch(`${gateway.url}/conversations`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"metadata":{"a":"b"}}',
    });
    assert.deepEqual(((await conversation.json()) as { metadata: object }).metadata, { a: 'b' });
  });

  test('refuses paths that lead out of the base of the upstream', async (t) => {
    const { gateway } = await setUp(t);
    for (const path of [
      '/v1/../emulator',
      '/v1/%2e%2e/emulator',
      '/v1/a%2f..%2f..%2femulator',
      '//emulator',
      '/v1/..\\emulator',
    ])
      assert.equal((await raw(gateway.url, { path })).statusCode, 404, path);
  });

  test('refuses other host names and pages, and names the option that allows them', async (t) => {
    const { gateway } = await setUp(t);
    const rebound = await raw(`${gateway.url}/models`, { headers: { host: 'evil.example' } });
    assert.equal(rebound.statusCode, 403);
    assert.match(rebound.text, /allowed_hosts/);
    const page = await raw(`${gateway.url}/models`, { headers: { origin: 'https://evil.example' } });
    assert.equal(page.statusCode, 403);
    assert.match(page.text, /allowed_origins/);
  });

  test('answers that it is alive and ready', async (t) => {
    const { gateway } = await setUp(t);
    for (const path of ['/livez', '/readyz']) assert.equal((await fetch(new URL(path, gateway.url))).status, 200);
  });
});

describe('gateway: a request that offers another upgrade', () => {
  test('is served as a request without an offer, with its body', async (t) => {
    const { gateway } = await setUp(t);
    const body = '{"model":"m","input":"x"}';
    for (const path of ['/v1/responses', '/v1/conversations']) {
      const answer = await raw(gateway.url, {
        path,
        method: 'POST',
        headers: {
          connection: 'Upgrade, HTTP2-Settings',
          upgrade: 'h2c',
          'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
          'content-type': 'application/json',
        },
        body: path === '/v1/responses' ? body : '{}',
      });
      assert.equal(answer.statusCode, 200, answer.text);
    }
  });
});

describe('gateway: responses in the background', () => {
  test('are begun over HTTP, and found by their id', async (t) => {
    const { ask, gateway } = await setUp(t, { latency: { firstTokenMs: 50 } });
    const begun = (await (await ask({ background: true })).json()) as { id: string; status: string };
    assert.equal(begun.status, 'queued');
    for (;;) {
      const found = await fetch(`${gateway.url}/responses/${begun.id}`, {
        headers: { authorization: 'Bearer sk-of-a-test' },
      });
      if (((await found.json()) as { status: string }).status === 'completed') return;
    }
  });

  test('stream where the request asks for it', async (t) => {
    const { ask } = await setUp(t);
    const events = eventsOf(await (await ask({ background: true, stream: true })).text());
    assert.equal(events.at(-1)?.['type'], 'response.completed');
  });
});

describe('gateway: bodies', () => {
  const text = JSON.stringify({ model: 'm', input: 'One two three.' });
  const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (text: string) => Buffer };
  const coded: [string, Buffer | undefined][] = [
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', Buffer.from(text)],
    ['zstd', zstdCompressSync?.(text)],
  ];
  for (const [coding, body] of coded) {
    test(`takes ${coding}, or says that this Node cannot decode it`, async (t) => {
      const { gateway } = await setUp(t);
      const answer = await raw(`${gateway.url}/responses`, {
        method: 'POST',
        headers: { 'content-encoding': coding },
        body: body ?? 'x',
      });
      assert.equal(answer.statusCode, body === undefined ? 415 : 200, answer.text);
    });
  }

  test('names a coding that it does not know', async (t) => {
    const { gateway } = await setUp(t);
    const answer = await raw(`${gateway.url}/responses`, {
      method: 'POST',
      headers: { 'content-encoding': 'lzma' },
      body: text,
    });
    assert.equal(answer.statusCode, 415);
    assert.match(answer.text, /\\"lzma\\"/);
    assert.match(String(answer.headers['accept-encoding']), /gzip, deflate, br/);
  });

  test('bounds the size of a body, decoded and as sent', async (t) => {
    const { gateway } = await setUp(t, {}, { limits: { body_bytes: 10_000 } });
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    assert(bomb.length < 10_000);
    const post = (body: string | Buffer, headers: Record<string, string>) =>
      raw(`${gateway.url}/responses`, { method: 'POST', headers, body });
    for (const answer of [await post(bomb, { 'content-encoding': 'gzip' }), await post('x'.repeat(15_000), {})]) {
      assert.equal(answer.statusCode, 413);
      assert.match(answer.text, /10000 bytes/);
    }
  });

  test('names the fault of a body', async (t) => {
    const { gateway } = await setUp(t);
    for (const [body, expected] of [
      ['', /empty/],
      ['{', /not valid JSON/],
      ['[]', /an array/],
      [Buffer.from([0xff, 0xfe]), /not UTF-8/],
    ] as const) {
      const answer = await raw(`${gateway.url}/responses`, { method: 'POST', body });
      assert.equal(answer.statusCode, 400);
      assert.match(answer.text, expected);
    }
  });
});
