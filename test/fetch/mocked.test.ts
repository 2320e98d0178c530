// Where HTTP is mocked or observed: SSE and plain calls over a fetch of the caller's.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createClient } from '@turnwire/client';
import { createFetch } from '@turnwire/client/fetch';
import OpenAI, { AuthenticationError } from 'openai';
import { message, reply, response } from '../faults/server/events.js';
import { FaultServer } from '../faults/server/server.js';
import type { TestContext } from 'node:test';
import type { ClientOptions, TurnwireError } from '@turnwire/client';
import type { FetchOptions } from '@turnwire/client/fetch';

type Fetch = typeof globalThis.fetch;

const baseUrl = 'https://mocked.example/v1';
const whole = JSON.stringify(response('resp_1', 'completed', { output: [message('Mocked.')] }));
const streamed = reply('resp_1', 'Mocked.')
  .map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`)
  .join('');

interface Asked {
  url: unknown;
  init: NonNullable<Parameters<Fetch>[1]>;
  body: Record<string, unknown>;
}

/** A fetch as a test writes one, with what it was asked. */
function mock(answer: (asked: Asked, count: number) => Response | Promise<Response> = answered) {
  const asked: Asked[] = [];
  const fetch: Fetch = async (url, init = {}) => {
    const one = { url, init, body: JSON.parse(init.body as string) as Record<string, unknown> };
    return answer(one, asked.push(one));
  };
  return { asked, fetch };
}

function answered({ body }: Asked): Response {
  return body['stream'] === true
    ? new Response(streamed, { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req_m' } })
    : new Response(whole, { headers: { 'content-type': 'application/json', 'x-request-id': 'req_m' } });
}

const ordinary = globalThis.fetch;

/** With this fetch in the place of the global one until the test ends. */
function stub(t: TestContext, fetch: Fetch): void {
  globalThis.fetch = fetch;
  t.after(() => {
    globalThis.fetch = ordinary;
  });
}

function clientOf(t: TestContext, options: ClientOptions) {
  const client = createClient({ apiKey: 'sk-of-a-test', baseUrl, transport: 'sse', onWarning: false, ...options });
  t.after(() => client.destroy());
  return client;
}

function sdkOf(t: TestContext, options: FetchOptions) {
  const fetch = createFetch({ transport: 'sse', network: { viaFetch: true }, onWarning: false, ...options });
  t.after(() => fetch.destroy());
  return new OpenAI({ apiKey: 'sk-of-a-test', baseURL: baseUrl, fetch, maxRetries: 0 });
}

describe('createClient: fetch', () => {
  test('a turn calls the given fetch once, with the request that a mock expects', async (t) => {
    const { asked, fetch } = mock();
    const turn = clientOf(t, { fetch }).turn({ model: 'm', input: 'x' });
    assert.equal(await turn.text(), 'Mocked.');
    const [{ url, init, body } = assert.fail()] = asked;
    assert.equal(url, `${baseUrl}/responses`);
    assert.deepEqual(body, { stream: true, model: 'm', input: 'x' });
    const headers = new Headers(init.headers);
    assert.deepEqual(
      [init.method, init.redirect, headers.get('authorization'), headers.get('content-type'), headers.get('accept')],
      ['POST', 'manual', 'Bearer sk-of-a-test', 'application/json', 'text/event-stream'],
    );
    assert.equal(headers.has('content-length'), false);
    assert.equal(turn.report.transport, 'sse');
  });

  test('a refusal has its status, code and wait', async (t) => {
    const error = { code: 'insufficient_quota', message: 'No more.' };
    const { fetch, asked } = mock(() => Response.json({ error }, { status: 429, headers: { 'retry-after': '3' } }));
    await assert.rejects(clientOf(t, { fetch }).turn({ model: 'm', input: 'x' }).text(), (thrown: TurnwireError) => {
      assert.deepEqual(
        [thrown.code, thrown.status, thrown.server?.code, thrown.server?.headers['retry-after']],
        ['request_refused', 429, 'insufficient_quota', '3'],
      );
      return true;
    });
    assert.equal(asked.length, 1);
  });

  test('the rejection of the given fetch is the cause of the error, and a turn that may have run is not sent again', async (t) => {
    const reason = new Error('no handler for this request');
    const { fetch, asked } = mock(() => Promise.reject(new TypeError('Failed to fetch', { cause: reason })));
    await assert.rejects(clientOf(t, { fetch }).turn({ model: 'm', input: 'x' }).text(), (thrown: TurnwireError) => {
      assert.equal(thrown.code, 'connection_lost');
      assert.equal(thrown.cause, reason);
      return true;
    });
    assert.equal(asked.length, 1);
  });

  test('a rejection that is no Error, like that of MSW, is not shown', async (t) => {
    const { fetch } = mock(() => Promise.reject(new TypeError('Failed to fetch', { cause: Response.error() })));
    await assert.rejects(clientOf(t, { fetch }).turn({ model: 'm', input: 'x' }).text(), {
      code: 'connection_lost',
      message: 'the connection broke before the turn ended (Failed to fetch)',
    });
  });

  test('the turn of a given fetch that could not connect counts as not sent', async (t) => {
    const server = await FaultServer.start();
    const baseUrl = server.url;
    await server.close();
    const client = clientOf(t, { fetch: globalThis.fetch, baseUrl, recovery: { refusals: 'surface' } });
    await assert.rejects(client.turn({ model: 'm', input: 'x' }).text(), { code: 'dial_failed', retryable: true });
  });

  test('a body that breaks off is a lost connection, after the events before it', async (t) => {
    let at = 0;
    const pieces = [streamed.slice(0, 200)];
    const body = new ReadableStream({
      pull: (controller) => {
        const piece = pieces[at++];
        if (piece === undefined) controller.error(new Error('cut'));
        else controller.enqueue(new TextEncoder().encode(piece));
      },
    });
    const { fetch } = mock(() => new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
    const types: string[] = [];
    await assert.rejects(
      async () => {
        for await (const event of clientOf(t, { fetch }).turn({ model: 'm', input: 'x' })) types.push(event.type);
      },
      { code: 'connection_lost' },
    );
    assert.deepEqual(types, ['response.created']);
  });

  test('an abort reaches the signal of the given fetch', async (t) => {
    const { fetch, asked } = mock(
      ({ init }) =>
        new Promise((_, reject) => {
          init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
        }),
    );
    const client = clientOf(t, { fetch });
    const controller = new AbortController();
    const turn = client.turn({ model: 'm', input: 'x' }, { signal: controller.signal });
    while (asked.length === 0) await new Promise(setImmediate);
    controller.abort();
    await assert.rejects(turn.text(), { code: 'aborted' });
    assert.equal(asked[0]?.init.signal?.aborted, true);
  });

  test('a consumer that sleeps holds up the body of the given fetch', async (t) => {
    const delta = `data: ${JSON.stringify({ type: 'response.output_text.delta', delta: 'x'.repeat(64 * 1024) })}\n\n`;
    let pulled = 0;
    const body = new ReadableStream(
      {
        pull: (controller) => {
          pulled += 1;
          const text = pulled === 1 ? streamed.slice(0, streamed.indexOf('\n\n') + 2) : pulled > 200 ? streamed : delta;
          controller.enqueue(new TextEncoder().encode(text));
          if (pulled > 200) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const { fetch } = mock(() => new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
    const events = clientOf(t, { fetch }).turn({ model: 'm', input: 'x' })[Symbol.asyncIterator]();
    await events.next();
    let before = -1;
    while (pulled !== before) {
      before = pulled;
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    }
    assert(pulled < 100, `${pulled} pieces of 64 KiB were pulled for nobody`);
    let count = 0;
    while ((await events.next()).done !== true) count += 1;
    assert(count > 199);
  });

  const chunks: Record<string, (text: string) => unknown> = {
    texts: (text) => text,
    'array buffers': (text) => Uint8Array.from(Buffer.from(text)).buffer,
    bytes: (text) => Buffer.from(text),
  };
  for (const [name, chunk] of Object.entries(chunks)) {
    test(`a mocked body of ${name} is read, whether it streams or not`, async (t) => {
      const { fetch } = mock(({ body: { stream } }) => {
        const text = stream === true ? streamed : whole;
        const body = new ReadableStream({
          start(controller) {
            for (const part of text.match(/[^]{1,50}/g) ?? []) controller.enqueue(chunk(part));
            controller.close();
          },
        });
        const headers = { 'content-type': stream === true ? 'text/event-stream' : 'application/json' };
        return new Response(body, { headers });
      });
      assert.equal(await clientOf(t, { fetch }).turn({ model: 'm', input: 'hi' }).text(), 'Mocked.');
      const sdk = sdkOf(t, { fetch });
      assert.equal((await sdk.responses.create({ model: 'm', input: 'hi' })).output_text, 'Mocked.');
    });
  }

  test('a compressed answer is read as decoded by the fetch', async (t) => {
    const server = await FaultServer.start({
      post: (peer) =>
        peer.http(200, gzipSync(streamed), { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }),
    });
    t.after(() => server.close());
    const client = clientOf(t, { fetch: globalThis.fetch, baseUrl: server.url });
    assert.equal(await client.turn({ model: 'm', input: 'x' }).text(), 'Mocked.');
  });

  test('network.viaFetch is refused with a sentence about createFetch', () => {
    assert.throws(
      () => createClient({ apiKey: 'k', network: { viaFetch: true } as never }),
      /createClient takes the fetch itself/,
    );
    assert.throws(() => createClient({ apiKey: 'k', fetch: 'x' as never }), /^TurnwireError: fetch must be a function/);
  });
});

describe('createFetch: network.viaFetch', () => {
  for (const [where, options] of [
    ['the option fetch', (fetch: Fetch): FetchOptions => ({ fetch })],
    ['the global one, replaced afterwards', (): FetchOptions => ({})],
  ] as const) {
    test(`${where}: streams and plain calls of the openai SDK`, async (t) => {
      const { asked, fetch } = mock();
      const client = sdkOf(t, options(fetch));
      if (where !== 'the option fetch') stub(t, fetch);
      const { data, response: head } = await client.responses.create({ model: 'm', input: 'x' }).withResponse();
      assert.equal(data.output_text, 'Mocked.');
      assert.equal(head.headers.get('x-request-id'), 'req_m');
      assert.equal(head.headers.get('x-turnwire-transport'), 'sse');
      const types: string[] = [];
      for await (const event of await client.responses.create({ model: 'm', input: 'x', stream: true }))
        types.push(event.type);
      assert.deepEqual(types, ['response.created', 'response.output_text.delta', 'response.completed']);
      assert.deepEqual(
        asked.map(({ body }) => body),
        [
          { model: 'm', input: 'x' },
          { stream: true, model: 'm', input: 'x' },
        ],
      );
    });
  }

  test('an error of the mock is the error of the SDK', async (t) => {
    const { fetch } = mock(() =>
      Response.json({ error: { message: 'Not you.', code: 'invalid_api_key' } }, { status: 401 }),
    );
    await assert.rejects(sdkOf(t, { fetch }).responses.create({ model: 'm', input: 'x' }), AuthenticationError);
  });

  test('a value other than true or false is refused', () => {
    assert.throws(
      () => createFetch({ network: { viaFetch: 'yes' as never } }),
      /network\.viaFetch must be true or false/,
    );
  });

  test('createFetch that has replaced the global fetch calls the original one', async (t) => {
    const { asked, fetch: mocked } = mock();
    stub(t, mocked);
    const fetch = createFetch({ transport: 'sse', network: { viaFetch: true } });
    t.after(() => fetch.destroy());
    stub(t, fetch);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"model":"m"}' };
    assert.equal(await (await globalThis.fetch(`${baseUrl}/responses`, init)).text(), whole);
    await globalThis.fetch(`${baseUrl}/other`, init);
    assert.equal(asked.length, 2);
  });
});

describe('a global fetch that was replaced', () => {
  const about = /^turnwire: globalThis\.fetch was replaced, .* turns go around it/;

  async function warningsOf(t: TestContext, transport: 'auto' | 'sse', options: FetchOptions, replace = true) {
    const server = await FaultServer.start({
      create: (peer, _create, number) => peer.events(...reply(`resp_${number}`, 'Real.')),
      post: (peer) => peer.http(200, whole, { 'content-type': 'application/json' }),
    });
    const warnings: string[] = [];
    const fetch = createFetch({ transport, onWarning: (warning) => warnings.push(warning), ...options });
    t.after(async () => {
      fetch.destroy();
      await server.close();
    });
    if (replace) stub(t, mock().fetch);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"model":"m","input":"x"}' };
    for (let turn = 0; turn < 2; turn += 1) await (await fetch(`${server.url}/responses`, init)).text();
    return warnings;
  }

  test('createFetch warns once, whatever the number of turns', async (t) => {
    const warnings = await warningsOf(t, 'auto', {});
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', about);
    assert.match(warnings[0] ?? '', /viaFetch: true/);
  });

  test('createFetch does not warn where all requests use the global fetch', async (t) => {
    assert.deepEqual(await warningsOf(t, 'sse', { network: { viaFetch: true } }), []);
  });

  test('createFetch does not warn where the global fetch was not replaced', async (t) => {
    assert.deepEqual(await warningsOf(t, 'auto', {}, false), []);
  });

  test('createClient warns once', async (t) => {
    const server = await FaultServer.start({
      create: (peer, _create, number) => peer.events(...reply(`resp_${number}`, 'Real.')),
    });
    t.after(() => server.close());
    const warnings: string[] = [];
    const client = clientOf(t, {
      transport: 'auto',
      baseUrl: server.url,
      onWarning: (warning) => warnings.push(warning),
    });
    stub(t, mock().fetch);
    for (let turn = 0; turn < 2; turn += 1) await client.turn({ model: 'm', input: 'x' }).text();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', about);
  });
});
