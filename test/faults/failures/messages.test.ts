// What an error says, and what it says to do: over both transports, from a turn and from a fetch.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { createFetch } from '@turnwire/client/fetch';
import { leapingClient } from '../quick-client.js';
import { read } from '../scenario.js';
import { created, reply, response } from '../server/events.js';
import { FaultServer } from '../server/server.js';
import type { TestContext } from 'node:test';
import type { ClientOptions, TurnwireError } from '@turnwire/client';
import type { FetchOptions } from '@turnwire/client/fetch';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };

async function serve(t: TestContext, script: Script): Promise<FaultServer> {
  const server = await FaultServer.start(script);
  t.after(() => server.close());
  return server;
}

/** The failure of one turn. */
async function failure(
  t: TestContext,
  script: Script,
  options: ClientOptions,
  params: object = question,
): Promise<TurnwireError> {
  const server = await serve(t, script);
  const client = createClient({
    apiKey: 'sk-test',
    baseUrl: server.url,
    onWarning: false,
    recovery: { refusals: 'surface', replay: 'unsent' },
    ...options,
  });
  t.after(() => client.destroy());
  const { error } = await read(client.turn({ ...question, ...params }));
  assert.ok(error);
  return error;
}

/** A fetch of that server. */
async function fetchOf(t: TestContext, script: Script, options: FetchOptions) {
  const server = await serve(t, script);
  const fetch = createFetch({ onWarning: false, ...options });
  t.after(() => fetch.destroy());
  return (body: object = { stream: true }, key = 'sk-test'): Promise<Response> =>
    fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ ...question, ...body }),
    });
}

/** Answers with the beginning of a response, and then ends the connection. */
function cutBy(end: (peer: Peer) => void, after = 0): Script {
  const cut = (peer: Peer): void => void setTimeout(() => end(peer), after);
  return {
    create: (peer) => {
      peer.events(created('resp_1'));
      cut(peer);
    },
    post: (peer) => {
      peer.stream();
      peer.sse(created('resp_1'));
      cut(peer);
    },
  };
}

const causesOf = (error: unknown): unknown[] =>
  error instanceof Error ? [(error as { code?: unknown }).code, ...causesOf(error.cause)] : [];

describe('a lost connection', () => {
  test('sse: the message calls a reset a reset, and an early end an early end', async (t) => {
    const ended = await failure(
      t,
      cutBy((peer) => peer.fin()),
      { transport: 'sse' },
    );
    assert.match(ended.message, /^the body of the answer ended before it was complete/);
    assert.deepEqual(
      causesOf(ended).filter((code) => code === 'ECONNRESET'),
      [],
    );
    // The reset comes after the first event was read: libuv reports a reset that arrives together with data as an end.
    let peer: Peer | undefined;
    const server = await serve(t, {
      post: (one) => {
        one.stream();
        (peer = one).sse(created('resp_1'));
      },
    });
    const client = createClient({ apiKey: 'sk-test', baseUrl: server.url, transport: 'sse', onWarning: false });
    t.after(() => client.destroy());
    const events = client.turn(question)[Symbol.asyncIterator]();
    assert.equal((await events.next()).value?.type, 'response.created');
    peer?.rst();
    const reset = await events.next().then(
      () => assert.fail('the reset was not told'),
      (error: TurnwireError) => error,
    );
    assert.match(reset.message, /ECONNRESET/);
  });

  test('sse: the message names an end before the answer', async (t) => {
    const ended = await failure(t, { post: (peer) => peer.fin() }, { transport: 'sse' });
    assert.match(ended.message, /^the server closed the connection before it answered/);
    assert.deepEqual(
      causesOf(ended).filter((code) => code === 'ECONNRESET'),
      [],
    );
  });

  test('sse: through createFetch the body fails with the same message', async (t) => {
    const ask = await fetchOf(
      t,
      cutBy((peer) => peer.fin()),
      { transport: 'sse' },
    );
    await assert.rejects((await ask()).text(), (error: TypeError) => {
      assert.match((error.cause as TurnwireError).message, /^the body of the answer ended before it was complete/);
      return true;
    });
  });

  for (const transport of ['websocket', 'sse'] as const)
    test(`${transport}: the message says how long the server had been silent`, async (t) => {
      let peer: Peer | undefined;
      const server = await serve(t, {
        create: (one) => (peer = one).events(created('resp_1')),
        post: (one) => {
          one.stream();
          (peer = one).sse(created('resp_1'));
        },
      });
      const { client, leap } = leapingClient(
        { apiKey: 'sk-test', baseUrl: server.url, transport, onWarning: false },
        1,
      );
      t.after(() => client.destroy());
      const turn = client.turn(question);
      const settled = assert.rejects(turn.response(), (error: TurnwireError) => {
        const [, seconds] = /, after (\d+(?:\.\d)?) s of silence$/.exec(error.message) ?? [];
        assert.ok(Number(seconds) >= 60 && Number(seconds) < 90, error.message);
        return true;
      });
      while (turn.report.phase !== 'created') await new Promise((resolve) => setImmediate(resolve));
      leap(60_000);
      peer?.fin();
      await settled;
    });

  for (const transport of ['websocket', 'sse'] as const)
    test(`${transport}: through createFetch the message says so, too`, async (t) => {
      const ask = await fetchOf(
        t,
        cutBy((peer) => peer.fin(), 300),
        { transport },
      );
      await assert.rejects((await ask()).text(), (error: TypeError) => {
        assert.match((error.cause as TurnwireError).message, /, after (\d{3,4} ms|[\d.]+ s) of silence$/);
        return true;
      });
    });

  for (const transport of ['websocket', 'sse'] as const)
    test(`${transport}: the message does not speak of silence where there was none`, async (t) => {
      const script: Script = { create: (peer) => peer.fin(), post: (peer) => peer.fin() };
      const quick = await failure(t, script, { transport });
      assert.doesNotMatch(quick.message, /\d s of silence/);
    });
});

describe('a redirect of a POST', () => {
  const location = 'https://gateway.example.test/v1/responses?token=secret';
  const script: Script = { post: (peer) => peer.http(307, '', { location }) };

  test('names the origin of its target, and nothing more', async (t) => {
    const error = await failure(t, script, { transport: 'sse' });
    assert.match(error.message, /it redirects to https:\/\/gateway\.example\.test\b/);
    assert.doesNotMatch(error.message, /secret|\/v1/);
    assert.deepEqual([error.kind, error.retryable], ['configuration', false]);
  });

  test('names it through createFetch, too', async (t) => {
    const ask = await fetchOf(t, script, { transport: 'sse' });
    await assert.rejects(ask(), (error: TypeError) => {
      assert.match((error.cause as TurnwireError).message, /https:\/\/gateway\.example\.test/);
      return true;
    });
  });
});

describe('an answer that is no stream', () => {
  const page: Script = { post: (peer) => peer.http(200, '<h1>Log in</h1>', { 'content-type': 'text/html' }) };
  const error = { type: 'requests', code: 'rate_limit_exceeded', message: 'Try again in 1.5s.' };
  const refusal: Script = {
    post: (peer) => peer.http(200, JSON.stringify({ error }), { 'content-type': 'application/json' }),
  };

  test('a page of HTML counts as a wrong address, not as a turn that may have run', async (t) => {
    const failed = await failure(t, page, { transport: 'sse' });
    assert.match(failed.message, /answered with a page of HTML .* did not run: is the path of baseUrl right\?$/);
    assert.deepEqual([failed.code, failed.kind, failed.retryable], ['protocol_error', 'configuration', false]);
  });

  test('a page of HTML makes a streaming fetch fail like a wrong host', async (t) => {
    const ask = await fetchOf(t, page, { transport: 'sse' });
    await assert.rejects(ask(), (failed: TypeError) => {
      assert.equal(failed.message, 'fetch failed');
      assert.match((failed.cause as TurnwireError).message, /a page of HTML/);
      return true;
    });
  });

  test('a refusal in JSON with status 200 counts as a refusal', async (t) => {
    const failed = await failure(t, refusal, { transport: 'sse' });
    assert.deepEqual(
      [failed.code, failed.kind, failed.retryable, failed.retryAfterMs],
      ['request_refused', 'rate_limit', true, 1500],
    );
  });

  test('a refusal in JSON with status 200 is a Response with the status of its kind', async (t) => {
    const ask = await fetchOf(t, refusal, { transport: 'sse' });
    const answer = await ask();
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after-ms'), '1500');
    assert.deepEqual(await answer.json(), { error });
  });

  test('a whole response in JSON is an error which says that the turn has run', async (t) => {
    const whole = JSON.stringify(response('resp_1', 'failed', { error: { code: 'server_error', message: 'no' } }));
    const failed = await failure(
      t,
      { post: (peer) => peer.http(200, whole, { 'content-type': 'application/json' }) },
      { transport: 'sse' },
    );
    assert.deepEqual([failed.code, failed.kind, failed.retryable], ['protocol_error', 'protocol', false]);
    assert.match(failed.message, /"application\/json" instead of text\/event-stream/);
  });
});

describe('a refusal', () => {
  const refusing = (error: Json, status?: number): Script => ({
    create: (peer) => peer.events({ type: 'error', ...(status === undefined ? {} : { status }), error }),
    post: (peer) => {
      peer.stream();
      peer.sse({ type: 'error', ...(status === undefined ? {} : { status }), error });
      peer.endStream();
    },
  });

  for (const transport of ['websocket', 'sse'] as const) {
    test(`${transport}: has a kind, retryable and a wait`, async (t) => {
      const slow = await failure(t, refusing({ code: 'slow_down', message: 'Try again in 2s.' }), { transport });
      assert.deepEqual([slow.kind, slow.retryable, slow.retryAfterMs], ['overload', true, 2000]);
      const quota = await failure(t, refusing({ code: 'insufficient_quota', message: 'No.' }, 429), { transport });
      assert.deepEqual([quota.kind, quota.retryable, quota.retryAfterMs], ['quota', false, undefined]);
    });

    test(`${transport}: has the status of its kind through createFetch, where it has none itself`, async (t) => {
      for (const [code, status] of [
        ['slow_down', 503],
        ['permission_denied', 403],
        ['insufficient_quota', 429],
        ['context_length_exceeded', 400],
        ['upstream_unavailable', 503],
      ] as const) {
        const ask = await fetchOf(t, refusing({ code, message: 'No.' }), { transport });
        assert.equal((await ask()).status, status, code);
      }
    });

    test(`${transport}: of a turn with previous_response_id is chain_lost only for a lost chain`, async (t) => {
      const params = { previous_response_id: 'resp_0' };
      const limited = await failure(t, refusing({ code: 'rate_limit_exceeded' }, 429), { transport }, params);
      assert.deepEqual([limited.code, limited.kind], ['request_refused', 'rate_limit']);
      const lost = await failure(t, refusing({ code: 'previous_response_not_found' }, 400), { transport }, params);
      assert.deepEqual([lost.code, lost.kind, lost.retryable], ['chain_lost', 'chain_lost', false]);
    });
  }

  test('is not retryable after an attempt that may have run', async (t) => {
    const script: Script = {
      create: (peer) => (peer.number === 1 ? peer.fin() : peer.events({ type: 'error', status: 429, error: {} })),
    };
    const error = await failure(t, script, { transport: 'websocket', recovery: { refusals: 'surface' } });
    assert.deepEqual([error.code, error.kind, error.transient], ['request_refused', 'rate_limit', true]);
    assert.equal(error.retryable, false);
  });
});

describe('a warning', () => {
  const script: Script = {
    upgrade: (peer) => peer.http(426),
    post: (peer) => {
      peer.stream();
      peer.sse(...reply(`resp_${peer.number}_${peer.posts.length}`, 'by sse'));
      peer.endStream();
    },
  };

  test('is given once for one reason, also for later turns that avoid the WebSocket', async (t) => {
    const server = await serve(t, script);
    const warnings: string[] = [];
    const client = createClient({ apiKey: 'sk', baseUrl: server.url, onWarning: (warning) => warnings.push(warning) });
    t.after(() => client.destroy());
    for (let turn = 0; turn < 4; turn += 1) await client.turn(question).response();
    assert.equal(warnings.length, 1, warnings.join('\n'));
  });

  test('is given once by createFetch, whichever request caused it', async (t) => {
    const warnings: string[] = [];
    const ask = await fetchOf(t, script, { onWarning: (warning) => warnings.push(warning) });
    for (const key of ['sk-1', 'sk-2', 'sk-3', 'sk-1']) await (await ask({ stream: true }, key)).text();
    assert.equal(warnings.length, 1, warnings.join('\n'));
  });
});
