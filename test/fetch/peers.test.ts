// What other clients of this wire get wrong, tried on this one by its fetch: each row once, by its number. X14, X15, X16, X19, X25 and X32 have tests
// of their own beside it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { asked, completed, created, delta, message, reply, response } from '../faults/server/events.js';
import { FaultServer } from '../faults/server/server.js';
import type { FetchOptions } from '@turnwire/client/fetch';
import type { TestContext } from 'node:test';
import { opcodes } from '../faults/server/frame.js';
import type { Json } from '../faults/server/events.js';
import type { Script } from '../faults/server/peer.js';

async function setUp(t: TestContext, script: Script, options: FetchOptions = {}) {
  const server = await FaultServer.start(script);
  const fetch = createFetch({ transport: 'websocket', onWarning: false, ...options });
  t.after(async () => {
    fetch.destroy();
    await server.close();
  });
  const ask = (input: string, headers: Record<string, string> = {}, stream = true): Promise<Response> =>
    fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test', ...headers },
      body: JSON.stringify({ model: 'test', input, stream }),
    });
  return { server, fetch, ask };
}

/** Answers each turn with its own words. */
const echo: NonNullable<Script['create']> = (peer, create, count) =>
  peer.events(...reply(`resp_${peer.number}_${count}`, asked(create)));

/** What the body failed with; an answer that ends well is an error here. */
async function failureOf(answer: Response): Promise<{ code: string; message: string }> {
  const error: unknown = await answer.text().then(
    () => assert.fail('the body ended'),
    (thrown: unknown) => thrown,
  );
  return (error as { cause: { code: string; message: string } }).cause;
}

describe('createFetch: faults of other clients', () => {
  test('X1, X19: a lost connection ends its answer with an error; the next turn has a new connection', async (t) => {
    const { ask } = await setUp(t, {
      create: (peer, create, count) => {
        if (peer.number > 1) return echo(peer, create, count);
        peer.events(created('resp_1'), delta('Half'));
        peer.rst();
      },
    });
    assert.equal((await failureOf(await ask('first'))).code, 'connection_lost');
    assert.match(await (await ask('second')).text(), /second/);
  });

  test('X2: large requests that come while a connection is dialled are all sent, each once', async (t) => {
    const { ask, server } = await setUp(t, { create: echo }, { pool: { maxConnections: 1 } });
    const inputs = ['a', 'b', 'c'].map((name) => `${name}:${'x'.repeat(900_000)}`);
    const answers = await Promise.all(inputs.map((input) => ask(input).then((answer) => answer.text())));
    for (const [index, answer] of answers.entries()) assert(answer.includes(inputs[index] ?? '-'));
    assert.deepEqual([server.creates, server.upgrades], [3, 1]);
  });

  test('X3: the failure of an unread body is no unhandled rejection', async (t) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    t.after(() => process.off('unhandledRejection', note));
    const { ask, fetch } = await setUp(t, {
      create: (peer) => {
        peer.events(created('resp_1'));
        peer.rst();
      },
    });
    const answer = await ask('x');
    while (fetch.stats().busy > 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.deepEqual(unhandled, []);
    assert.equal((await failureOf(answer)).code, 'connection_lost');
  });

  /** Answers each turn with the same words. */
  const says: NonNullable<Script['create']> = (peer, _create, count) =>
    peer.events(...reply(`resp_${peer.number}_${count}`, 'said'));

  /** As {@link echo}, on a server that has lanes. */
  const laned = (create: Json, events: Json[]): Json[] =>
    events.map((event) => ({ ...event, stream_id: create['stream_id'] }));

  test('X4: an error of the whole connection ends the answer of every lane', { timeout: 10_000 }, async (t) => {
    const { ask, server } = await setUp(
      t,
      {
        create: (peer, create, count) => {
          peer.events(...laned(create, [created(`resp_${count}`), delta('Half')]));
          const error = { code: 'server_error', message: 'All of it.' };
          if (count === 3) peer.events({ type: 'error', status: 500, error });
        },
      },
      { pool: { lanes: true } },
    );
    // Of the first answer begun it is known that the server has lanes.
    const answers = [await ask('a'), ...(await Promise.all([ask('b'), ask('c')]))];
    const ends = await Promise.all(
      answers.map((answer) =>
        answer.text().then(
          (text) => (text.includes('All of it.') ? 'told' : 'cut'),
          (error: Error) => (error.cause as { code: string }).code,
        ),
      ),
    );
    assert(
      ends.every((end) => end !== 'cut'),
      ends.join(),
    );
    assert.equal(server.peers.length, 1);
  });

  test('X5: ended lanes are used again: 60 turns, three at a time, on one connection', async (t) => {
    const { ask, server } = await setUp(
      t,
      {
        create: (peer, create, count) => peer.events(...laned(create, reply(`resp_${count}`, asked(create)))),
      },
      { pool: { lanes: true, maxConnections: 1 } },
    );
    for (let round = 0; round < 20; round += 1) {
      const inputs = ['a', 'b', 'c'].map((name) => `${name}${round} `);
      const answers = await Promise.all(inputs.map(async (input) => (await ask(input)).text()));
      for (const [index, answer] of answers.entries()) assert(answer.includes(inputs[index] ?? '-'));
    }
    assert.deepEqual([server.creates, server.peers.length], [60, 1]);
  });

  test('X6: a server that never answers has a limit, and one that falls silent has another', async (t) => {
    const timeouts = { firstEventMs: 80, idleMs: 80 };
    const { ask } = await setUp(
      t,
      { create: (peer, create) => void (asked(create) === 'begin' && peer.events(created('resp_1'), delta('a'))) },
      { timeouts, recovery: { maxAttempts: 1 } },
    );
    assert.equal((await failureOf(await ask('nothing'))).code, 'first_event_timeout');
    assert.equal((await failureOf(await ask('begin'))).code, 'idle_timeout');
  });

  test('X7, X20: the refusal of a server gives status and body, at the upgrade and after it', async (t) => {
    const body = '{"error":{"message":"Bad key.","code":"invalid_api_key"}}';
    const refused = await setUp(t, { upgrade: (peer) => peer.http(401, body, { 'content-type': 'application/json' }) });
    const answer = await refused.ask('x');
    assert.deepEqual([answer.status, await answer.text()], [401, body]);

    const error = { message: 'Too many.', code: 'rate_limit_exceeded' };
    const limited = await setUp(t, { create: (peer) => peer.events({ type: 'error', status: 429, error }) });
    const second = await limited.ask('x');
    assert.deepEqual([second.status, await second.json()], [429, { error }]);
  });

  test(
    'X8, X9: an upgrade that is not answered ends at its limit, and so does close()',
    { timeout: 10_000 },
    async (t) => {
      const { ask, fetch } = await setUp(
        t,
        { upgrade: () => {} },
        { timeouts: { dialMs: 80 }, recovery: { maxAttempts: 1 } },
      );
      await assert.rejects(ask('x'), (error: Error) => (error.cause as { code: string }).code === 'dial_timeout');
      await fetch.close();
    },
  );

  test('X10: pings are sent', async (t) => {
    const { ask, server } = await setUp(t, { create: echo }, { pool: { pingMs: 20 } });
    await (await ask('x')).text();
    while (!server.peer(1).control.includes(opcodes.ping)) await new Promise(setImmediate);
  });

  test('X11: an answer with steady events has no limit on its whole time', async (t) => {
    const idleMs = 200;
    const { ask } = await setUp(
      t,
      {
        create: (peer) => {
          peer.events(created('resp_1'));
          let count = 0;
          const timer = setInterval(() => {
            count += 1;
            if (count < 12) return peer.events(delta(`${count} `));
            clearInterval(timer);
            peer.events(completed('resp_1', [message('all')]));
          }, idleMs / 4);
        },
      },
      { timeouts: { idleMs, firstEventMs: idleMs } },
    );
    assert.match(await (await ask('x')).text(), /response\.completed/);
  });

  test('X12: after the announced end of a connection, the next turn has another one', async (t) => {
    const error = { code: 'websocket_connection_limit_reached', message: 'Sixty minutes.' };
    const { ask, server } = await setUp(t, {
      create: (peer, create, count) => {
        if (peer.number === 1 && count === 2) return peer.events({ type: 'error', status: 400, error });
        echo(peer, create, count);
      },
    });
    for (const words of ['first', 'second', 'third']) assert.match(await (await ask(words)).text(), new RegExp(words));
    assert.deepEqual(
      server.peers.map(({ creates }) => creates.length),
      [2, 2],
    );
  });

  for (const status of ['incomplete', 'failed', 'cancelled'])
    test(`X13: response.${status} ends the body`, async (t) => {
      const { ask } = await setUp(t, {
        create: (peer) =>
          peer.events(created('resp_1'), { type: `response.${status}`, response: response('resp_1', status) }),
      });
      assert.match(await (await ask('x')).text(), new RegExp(`event: response\\.${status}\\n.*\\n\\n$`));
    });

  test('X17, X18, X21, X24: the request’s address is used without a key in it, two keys never share a connection, and no header is lost', async (t) => {
    const { ask, server } = await setUp(t, { create: echo });
    const tenants = [
      { authorization: 'Bearer sk-one' },
      { authorization: 'Bearer sk-two' },
      { authorization: 'Bearer sk-two', 'openai-organization': 'org', 'openai-project': 'proj' },
    ];
    // All at once: a first one that is still dialling is not for the second.
    await Promise.all([...tenants, ...tenants].map(async (headers) => (await ask('x', headers)).text()));
    const heads = server.peers.flatMap((peer) => peer.heads.map((head) => ({ head, creates: peer.creates.length })));
    const seen = new Map(tenants.map((tenant) => [JSON.stringify(tenant), 0]));
    for (const { head, creates } of heads) {
      assert.equal(head.path, '/v1/responses');
      const { authorization, 'openai-organization': organization, 'openai-project': project } = head.headers;
      const key = JSON.stringify({
        authorization,
        ...(organization && { 'openai-organization': organization, 'openai-project': project }),
      });
      seen.set(key, (seen.get(key) ?? NaN) + creates);
    }
    assert.deepEqual([...seen.values()], [2, 2, 2]);
  });

  test('X22: where dialling fails the turn goes over SSE, and X23: not where the transport forbids that', async (t) => {
    const script: Script = {
      upgrade: (peer) => peer.http(426),
      post: (peer, body) => {
        peer.stream();
        peer.sse(...reply('resp_1', asked(body)));
        peer.endStream();
      },
    };
    const auto = await setUp(t, script, { transport: 'auto' });
    const answer = await auto.ask('by SSE');
    assert.equal(answer.headers.get('x-turnwire-transport'), 'sse');
    assert.match(await answer.text(), /by SSE/);
    const strict = await setUp(t, script);
    assert.equal((await strict.ask('x')).status, 426);
    assert.equal(strict.server.posts, 0);
  });

  test('X26: fields in another order count as the same history', async (t) => {
    const { fetch, server } = await setUp(t, { create: says });
    const ask = async (input: string): Promise<Response> => {
      const answer = await fetch(`${server.url}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"stream":true,"model":"test","input":${input}}`,
      });
      await answer.text();
      return answer;
    };
    await ask('[{"role":"user","content":[{"type":"input_text","text":"a"}]}]');
    const said = '{"content":[{"text":"said","type":"output_text"}],"role":"assistant","type":"message"}';
    const { headers } = await ask(
      `[{"content":[{"text":"a","type":"input_text"}],"role":"user"},${said},{"content":"b","role":"user"}]`,
    );
    assert.deepEqual([headers.get('x-turnwire-plan'), headers.get('x-turnwire-plan-reason')], ['delta', null]);
  });

  test('X27: a refusal is classified by its code, and not by its message', async (t) => {
    const error = { code: 'invalid_prompt', message: 'Rate limit: previous_response_not_found; try again in 1 s.' };
    const { ask, server } = await setUp(t, { create: (peer) => peer.events({ type: 'error', status: 400, error }) });
    const answer = await ask('x');
    assert.deepEqual([answer.status, await answer.json(), server.creates], [400, { error }, 1]);
  });

  test('X28: many failures in a row cause a few attempts within one budget', async (t) => {
    const { ask, server } = await setUp(t, { upgrade: (peer) => peer.rst() });
    await assert.rejects(ask('x'), { name: 'TypeError', message: 'fetch failed' });
    assert(server.peers.length <= 3, `${server.peers.length} dials`);
  });

  test('X29: a connection is replaced at its age limit; an unstored chain continues as a delta until then', async (t) => {
    const { fetch, server } = await setUp(t, { create: says }, { pool: { maxAgeMs: 60_000 } });
    const ask = (input: object[]) =>
      fetch(`${server.url}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stream: true, model: 'test', store: false, input }),
      });
    const input: object[] = [{ role: 'user', content: 'a' }];
    await (await ask(input)).text();
    input.push(message('said'), { role: 'user', content: 'b' });
    const second = await ask(input);
    await second.text();
    assert.equal(second.headers.get('x-turnwire-plan'), 'delta');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    input.push(message('said'), { role: 'user', content: 'c' });
    const third = await ask(input);
    await third.text();
    assert.equal(third.headers.get('x-turnwire-plan'), 'full');
    assert.equal(server.peers.length, 2);
  });

  test('X29: a response that did not complete is not continued, and late events of an aborted one reach no other turn', async (t) => {
    const { fetch, server } = await setUp(t, {
      create: (peer, create, count) => {
        if (peer.number > 1) return echo(peer, create, count);
        if (count === 1)
          return peer.events(created('resp_f'), { type: 'response.failed', response: response('resp_f', 'failed') });
        peer.events(created('resp_i'), delta('Half'));
      },
    });
    const ask = (input: unknown, signal?: AbortSignal) =>
      fetch(`${server.url}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stream: true, model: 'test', input }),
        ...(signal && { signal }),
      });
    await (await ask([{ role: 'user', content: 'a' }])).text();
    const controller = new AbortController();
    const aborted = await ask(
      [{ role: 'user', content: 'a' }, message('Half'), { role: 'user', content: 'b' }],
      controller.signal,
    );
    assert.equal(aborted.headers.get('x-turnwire-plan'), 'full');
    controller.abort();
    await assert.rejects(aborted.text(), { name: 'AbortError' });
    assert.match(await (await ask('after')).text(), /after/);
    assert.deepEqual(
      server.peers.map(({ creates }) => creates.length),
      [2, 1],
    );
  });

  test('X30: a frame that cannot be decoded ends the answer, and is not skipped', async (t) => {
    const { ask } = await setUp(t, {
      create: (peer) => {
        peer.events(created('resp_1'));
        peer.rawFrame('{"type":');
        peer.events(delta('b'), completed('resp_1', [message('b')]));
      },
    });
    assert.equal((await failureOf(await ask('x'))).code, 'protocol_error');
  });

  test('X31: the end of another response never ends this one', async (t) => {
    const { ask } = await setUp(t, {
      create: (peer, create, count) => {
        if (count === 1) return echo(peer, create, count);
        peer.events(created(`resp_${peer.number}_2`), completed('resp_of_another', [message('of another')]));
      },
    });
    await (await ask('first')).text();
    const answer = await ask('second');
    const texts: string[] = [];
    await assert.rejects(async () => {
      for await (const chunk of answer.body ?? []) texts.push(Buffer.from(chunk).toString());
    }, TypeError);
    assert.doesNotMatch(texts.join(''), /of another/);
  });

  test('X33: wrong texts of a server are in no message', async (t) => {
    const { ask } = await setUp(t, {
      create: (peer) => {
        peer.events(created('resp_1'));
        peer.rawFrame('a private text that is no JSON');
      },
    });
    const { message: told } = await failureOf(await ask('x'));
    assert.doesNotMatch(told, /private/);
    assert.match(told, /30 characters/);
  });
});
