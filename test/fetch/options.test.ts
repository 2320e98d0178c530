// What createFetch refuses, and how it says so.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import OpenAI from 'openai';

const refusalOf = (...given: readonly unknown[]): string => {
  let message = '';
  assert.throws(
    () => (createFetch as (...all: readonly unknown[]) => unknown)(...given),
    (error: { code?: unknown; message: string }) => {
      ({ message } = error);
      return error.code === 'invalid_option';
    },
  );
  return message;
};

describe('createFetch: options', () => {
  for (const [options, message] of [
    [{ transprt: 'sse' }, 'transprt is no option; did you mean "transport"?'],
    [{ Transport: 'sse' }, 'Transport is no option; did you mean "transport"?'],
    [{ proxy: 'http://localhost:1' }, 'proxy is no option; did you mean "network.proxy"?'],
    [{ network: { viafetch: true } }, 'network.viafetch is no option; did you mean "viaFetch"?'],
    [{ viaFetch: true }, 'viaFetch is no option; did you mean "network.viaFetch"?'],
    [{ idle_ms: 1 }, 'idle_ms is no option; did you mean "timeouts.idleMs"?'],
    [{ fetsh: fetch }, 'fetsh is no option; did you mean "fetch"?'],
    [{ apiKey: 'sk' }, 'createFetch takes no apiKey: each request brings its own, so give it to the SDK'],
    [{ base_url: 'x' }, 'createFetch takes no baseUrl: each request brings its own, so give it to the SDK'],
    [null, 'the options must be an object, not null'],
    ['sse', 'the options must be an object, not a string'],
    [[], 'the options must be an object, not an array'],
  ] as const) {
    test(`${JSON.stringify(options)}: ${message}`, () => assert.equal(refusalOf(options), message));
  }

  test('an unknown option gets a list of the options that createFetch takes', () => {
    const message = refusalOf({ nonsense: 1 });
    assert.match(message, /^nonsense is no option \(there are chains, fetch, .*transport\)$/);
    assert.doesNotMatch(message, /apiKey|baseUrl|headers,|organization|project/);
  });
});

describe('createFetch: given to an SDK without being called', () => {
  const sentence = /^createFetch was called with a request: .* new OpenAI\(\{ fetch: createFetch\(\) \}\)$/;
  const url = 'http://127.0.0.1:9/v1/responses';
  const init = { method: 'POST', body: '{}' };
  for (const [what, given] of Object.entries<readonly unknown[]>({
    'a text and an init': [url, init],
    'a text': [url],
    'a URL and an init': [new URL(url), init],
    'a URL': [new URL(url)],
    'a Request': [new Request(url, init)],
    'a Request and undefined': [new Request(url, init), undefined],
    'a path and an init': ['/v1/responses', init],
  })) {
    test(`${what}: refused in one sentence`, () => assert.match(refusalOf(...given), sentence));
  }

  test('the sentence is the cause of the openai SDK’s error', async () => {
    const client = new OpenAI({
      apiKey: 'k',
      baseURL: 'http://127.0.0.1:9/v1',
      fetch: createFetch as never,
      maxRetries: 1,
    });
    const error = await client.responses.create({ model: 'm', input: 'x' }).then(
      () => assert.fail('it was taken for a fetch'),
      (thrown: Error) => thrown,
    );
    assert.match((error.cause as Error).message, sentence);
  });

  test('the warning is given once in a process', async () => {
    const script = `const { createFetch } = await import('@turnwire/client/fetch');
      for (let call = 0; call < 3; call += 1) try { createFetch('${url}', {}) } catch {}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    child.stderr.on('data', (bytes) => (told += String(bytes)));
    await once(child, 'close');
    assert.equal(told.match(/TurnwireWarning: createFetch was called/g)?.length, 1);
  });
});
