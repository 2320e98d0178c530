// What goes wrong: the status, the body, and how often the server was asked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { FaultServer } from '../faults/server/server.js';
import { setUp, suffering } from './setup.js';
import type { TurnwireError } from '@turnwire/client';
import type { Peer } from '../faults/server/peer.js';

describe('createFetch: failures', () => {
  for (const status of [400, 401, 403, 404, 409, 413, 429, 500, 503]) {
    for (const stream of [true, false]) {
      test(`F11: a refusal with ${status} before the first event is a Response with that status, stream: ${stream}`, async (t) => {
        const { ask, emulator } = await setUp(t, {}, { transport: 'websocket' });
        const fault = `error status=${status} code=some_code message="Not this." headers={"retry-after":"7","x-request-id":"req_7"}`;
        const response = await ask({ stream, ...suffering(fault) });
        assert.equal(response.status, status);
        assert.equal(response.headers.get('retry-after'), '7');
        assert.equal(response.headers.get('x-request-id'), 'req_7');
        assert.equal(response.headers.get('content-type'), 'application/json');
        const { error, ...rest } = (await response.json()) as { error: { code: string; message: string } };
        assert.deepEqual(rest, {});
        assert.deepEqual([error.code, error.message], ['some_code', 'Not this.']);
        // No waiting and no trying again here: that is the SDK's.
        assert.equal(emulator.journal.turns().length, 1);
      });
    }
  }

  for (const status of [400, 401, 403, 426, 429, 503]) {
    test(`a refusal of the upgrade with ${status} is a Response with that status, where there is no fallback`, async (t) => {
      const { ask } = await setUp(
        t,
        { faults: [{ do: `refuse status=${status} headers={"retry-after":"3"}` }] },
        { transport: 'websocket' },
      );
      const response = await ask({ stream: true });
      assert.equal(response.status, status);
      assert.equal(response.headers.get('retry-after'), '3');
      assert.equal(typeof ((await response.json()) as { error: { message: string } }).error.message, 'string');
    });
  }

  test('a refusal that is no JSON is passed on unchanged', async (t) => {
    const faults = [
      {
        do: {
          fault: 'refuse' as const,
          status: 502,
          body: '<h1>Bad gateway</h1>',
          headers: { 'content-type': 'text/html' },
        },
      },
    ];
    const { ask } = await setUp(t, { faults }, { transport: 'sse' });
    const response = await ask();
    assert.equal(response.status, 502);
    assert.equal(response.headers.get('content-type'), 'text/html');
    assert.equal(await response.text(), '<h1>Bad gateway</h1>');
  });

  test('where WebSocket is refused, the turn goes over SSE, and the headers of the answer say so', async (t) => {
    const warnings: string[] = [];
    const { ask } = await setUp(
      t,
      { faults: [{ on: { transport: 'websocket' }, do: 'refuse status=426' }] },
      { onWarning: (message) => warnings.push(message) },
    );
    const response = await ask({ stream: true });
    assert.equal(response.headers.get('x-turnwire-transport'), 'sse');
    assert.equal(response.headers.get('x-turnwire-attempts'), '2');
    assert.match(await response.text(), /response\.completed/);
    assert.equal(warnings.length, 1);
  });

  for (const stream of [true, false]) {
    test(`where nothing could be sent, fetch rejects as without network, stream: ${stream}`, async (t) => {
      const { ask, emulator } = await setUp(t);
      await emulator.close();
      await assert.rejects(ask({ stream }), (error: TypeError) => {
        assert(error instanceof TypeError);
        assert.equal(error.message, 'fetch failed');
        assert.equal((error.cause as TurnwireError).code, 'dial_failed');
        return true;
      });
    });
  }

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    test(`${transport}: a lookup that finds nothing fails the fetch at once, as an unknown host`, async (t) => {
      const { emulator, fetch } = await setUp(
        t,
        {},
        { transport, network: { allowPlaintext: true, lookup: (_host, _options, callback) => callback(null, []) } },
      );
      for (const stream of [true, false]) {
        const begun = performance.now();
        const asked = fetch(`http://origin.test:${emulator.port}/v1/responses`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test' },
          body: JSON.stringify({ model: 'any', input: 'hi', stream }),
        });
        await assert.rejects(asked, (error: TypeError) => {
          assert.equal(error.message, 'fetch failed');
          const { code, retryable, message } = error.cause as TurnwireError;
          assert.deepEqual([code, retryable], ['dial_failed', false]);
          assert.match(message, /network\.lookup found no IP address for origin\.test$/);
          return true;
        });
        // Far from `timeouts.dialMs`, which is 15 s.
        assert.ok(performance.now() - begun < 5000, `it took ${performance.now() - begun} ms`);
      }
    });

    test(`N2, ${transport}: a redirect fails the fetch, which names the origin and is not followed`, async (t) => {
      const elsewhere = await FaultServer.start();
      const redirect = (peer: Peer): void => peer.http(307, '', { location: `${elsewhere.url}/other?secret=1` });
      const server = await FaultServer.start({ upgrade: redirect, post: redirect });
      const fetch = createFetch({ transport, onWarning: false });
      t.after(async () => {
        fetch.destroy();
        await Promise.all([server.close(), elsewhere.close()]);
      });
      for (const stream of [true, false]) {
        const asked = fetch(`${server.url}/responses`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test' },
          body: JSON.stringify({ model: 'any', input: 'hi', stream }),
        });
        await assert.rejects(asked, (error: TypeError) => {
          assert.equal(error.message, 'fetch failed');
          const { message, retryable, status } = error.cause as TurnwireError;
          assert.deepEqual([status, retryable], [307, false]);
          assert.ok(message.includes(`redirects to ${new URL(elsewhere.url).origin}, `), message);
          assert.ok(!message.includes('secret'), message);
          return true;
        });
      }
      assert.deepEqual([server.upgrades + server.posts, elsewhere.peers.length], [2, 0]);
    });
  }

  for (const transport of ['websocket', 'sse'] as const) {
    for (const fault of ['reset', 'close code=1011', 'end']) {
      test(`${transport}: after ${fault} the turn may have run: a stream breaks, a JSON answer is turn_outcome_unknown`, async (t) => {
        const { ask } = await setUp(t, {}, { transport });
        const streamed = await ask({ stream: true, ...suffering(fault) });
        assert.equal(streamed.status, 200);
        await assert.rejects(streamed.text(), (error: TypeError) => {
          assert(error instanceof TypeError);
          assert.equal((error.cause as TurnwireError).code, 'connection_lost');
          return true;
        });
        const whole = await ask(suffering(fault));
        assert.equal(whole.status, 400);
        assert.equal(whole.headers.get('x-should-retry'), 'false');
        assert.equal(((await whole.json()) as { error: { code: string } }).error.code, 'turn_outcome_unknown');
      });
    }

    test(`X19, ${transport}: a drop in mid-stream errors the body, after the events before it`, async (t) => {
      const { ask } = await setUp(t, {}, { transport });
      const response = await ask({ stream: true, ...suffering('end after=3') });
      const seen: string[] = [];
      await assert.rejects(async () => {
        for await (const chunk of response.body ?? []) seen.push(Buffer.from(chunk).toString());
      }, TypeError);
      assert.equal(seen.join('').match(/^event: /gm)?.length, 3);
    });

    test(`X15, ${transport}: an abort before and within the answer reaches the server, and the next turn is right`, async (t) => {
      const { ask, emulator, fetch } = await setUp(t, { latency: { tokensPerSecond: 20 } }, { transport });
      await assert.rejects(ask({}, { signal: AbortSignal.abort() }), { name: 'AbortError' });
      assert.equal(emulator.journal.turns().length, 0);

      const early = new AbortController();
      const stalled = ask({ stream: true, ...suffering('stall') }, { signal: early.signal });
      const reason = new Error('too slow');
      setTimeout(() => early.abort(reason), 50);
      await assert.rejects(stalled, (error) => error === reason);

      const late = new AbortController();
      const response = await ask({ stream: true }, { signal: late.signal });
      const reader = response.body?.getReader();
      await reader?.read();
      const pending = (async () => {
        while ((await reader?.read())?.done !== true);
      })();
      late.abort(reason);
      await assert.rejects(pending, (error) => error === reason);

      const left = await ask({ stream: true, input: 'This is left behind.' });
      const leaving = left.body?.getReader();
      await leaving?.read();
      await leaving?.cancel();

      const next = await ask({ input: 'Right.' });
      assert.match(await next.text(), /Right\./);
      assert.equal(fetch.stats().busy, 0);
    });
  }

  test('close() refuses further turns, and the running ones end', async (t) => {
    const { ask, fetch } = await setUp(t, { latency: { tokensPerSecond: 200 } });
    const response = await ask({ stream: true });
    const closed = fetch.close();
    await assert.rejects(ask(), (error: TypeError) => (error.cause as TurnwireError).code === 'client_closed');
    assert.match(await response.text(), /response\.completed/);
    await closed;
    assert.equal(fetch.stats().connections, 0);
    assert.equal(fetch.stats().dialled, 1);
  });
});
