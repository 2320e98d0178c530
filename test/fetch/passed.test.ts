// What is no turn goes to the ordinary fetch, exactly as it was asked.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { startEmulator } from 'turnwire/emulator';
import type { TurnwireFetch } from '@turnwire/client/fetch';

type Arguments = Parameters<TurnwireFetch>;

const url = 'https://api.example.com/v1/responses';
const json = { 'content-type': 'application/json' };
const turn = { method: 'POST', headers: json, body: '{"model":"any","input":"x"}' };

function* streamOfBytes(): Generator<Uint8Array> {
  yield new TextEncoder().encode(turn.body);
}

const passed: Readonly<Record<string, () => Arguments>> = {
  'a GET': () => [url],
  'another path': () => ['https://api.example.com/v1/chat/completions', turn],
  'a path below': () => [`${url}/compact`, turn],
  'an upload': () => [url, { method: 'POST', body: new FormData() }],
  'a body that is no JSON': () => [url, { ...turn, body: '{"model":' }],
  'JSON that is no object': () => [url, { ...turn, body: '[1]' }],
  'bytes that are no text': () => [url, { ...turn, body: Uint8Array.of(0xff, 0xfe) }],
  'another content type': () => [url, { ...turn, headers: { 'content-type': 'text/plain' } }],
  'no content type': () => [url, { method: 'POST', body: turn.body }],
  'a background response': () => [url, { ...turn, body: '{"model":"any","background":true}' }],
  'a stream as the body': () => [url, { ...turn, body: ReadableStream.from(streamOfBytes()), duplex: 'half' }],
  'a compressed body': () => [url, { ...turn, headers: { ...json, 'content-encoding': 'gzip' } }],
  'a dispatcher': () => [url, { ...turn, dispatcher: {} } as unknown as Arguments[1]],
  'an address with a password': () => ['https://me:secret@api.example.com/v1/responses', turn],
  'no address': () => ['/v1/responses', turn],
  'plain text to another machine': () => ['http://api.example.com/v1/responses', turn],
  'a Request that is no turn': () => [new Request(url, { ...turn, body: '{"background":true}' })],
  'a Request whose body was used': () => {
    const request = new Request(url, turn);
    void request.text();
    return [request];
  },
};

describe('createFetch: requests that are no turns', () => {
  for (const [what, argumentsOf] of Object.entries(passed)) {
    test(`${what}: the ordinary fetch gets the very same arguments, unread`, async () => {
      const seen: Arguments[] = [];
      const answer = new Response('the answer');
      const fetch = createFetch({
        onWarning: false,
        fetch: (...args) => {
          seen.push(args);
          return Promise.resolve(answer);
        },
      });
      const given = argumentsOf();
      const [input, init] = given;
      const wasUsed = input instanceof Request && input.bodyUsed;
      assert.equal(await fetch(...given), answer);
      assert.equal(seen.length, 1);
      assert.equal(seen[0]?.[0], input);
      assert.equal(seen[0]?.[1], init);
      if (input instanceof Request && !wasUsed) assert.equal(await input.text(), '{"background":true}');
      if (init?.body instanceof ReadableStream) assert.equal(init.body.locked, false);
      assert.deepEqual([fetch.stats().passed, fetch.stats().turns], [1, 0]);
    });
  }

  test('plain text to another machine causes one warning', async () => {
    const warnings: string[] = [];
    const fetch = createFetch({
      onWarning: (message) => warnings.push(message),
      fetch: () => Promise.resolve(new Response()),
    });
    await fetch('http://api.example.com/v1/responses', turn);
    await fetch('http://api.example.com/v1/responses', turn);
    await new Promise(setImmediate);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /ordinary fetch.*network\.allowPlaintext/);
  });

  test('globalThis.fetch is looked up at each request', async (t) => {
    const fetch = createFetch();
    t.mock.method(globalThis, 'fetch', () => Promise.resolve(new Response('mocked')));
    assert.equal(await (await fetch('https://api.example.com/v1/models')).text(), 'mocked');
  });

  for (const [options, sentence] of [
    [{ apiKey: 'sk-secret' }, /createFetch takes no apiKey: .*give it to the SDK/],
    [{ fetch: 'x' }, /fetch must be a function/],
    [{ transport: 'ws' }, /transport must be .*did you mean "websocket"/],
    [{ maxConnections: 3 }, /did you mean "pool\.maxConnections"/],
  ] as const) {
    test(`createFetch(${JSON.stringify(Object.keys(options))}) is refused by a sentence, without secrets`, () => {
      assert.throws(
        () => createFetch(options as object),
        (error: Error) => sentence.test(error.message) && !error.message.includes('sk-secret'),
      );
    });
  }

  test('a key of the environment is never added to a request', async (t) => {
    const emulator = await startEmulator();
    t.after(() => emulator.close());
    const program = `
    import { createFetch } from '@turnwire/client/fetch';
    const fetch = createFetch();
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"model":"any","input":"x"}' };
    const response = await fetch(process.env.OPENAI_BASE_URL + '/responses', init);
    console.log(response.headers.get('x-turnwire-transport'));
    await response.text();
  `;
    const env = {
      OPENAI_BASE_URL: emulator.url,
      OPENAI_API_KEY: 'sk-of-env',
      OPENAI_ORG_ID: 'org',
      OPENAI_PROJECT_ID: 'p',
    };
    // X25: and with idle connections, a process ends by itself.
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env, timeout: 20_000 });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await once(child, 'close');
    assert.equal(child.exitCode, 0);
    assert.equal(out, 'websocket\n');
    const [{ headers } = { headers: {} as Record<string, string> }] = emulator.journal.connections();
    for (const name of ['authorization', 'openai-organization', 'openai-project'])
      assert.equal(headers[name], undefined);
  });
});
