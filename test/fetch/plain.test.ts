// A call that does not stream: over HTTP it is sent as it is, once, and its answer is handed back as it is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { message, reply, response } from '../faults/server/events.js';
import { FaultServer } from '../faults/server/server.js';
import type { TestContext } from 'node:test';
import type { FetchOptions } from '@turnwire/client/fetch';
import type { Json } from '../faults/server/events.js';
import type { Peer, Script } from '../faults/server/peer.js';

interface Call {
  body?: object | string;
  signal?: AbortSignal;
}

async function setUp(t: TestContext, script: Script, options: FetchOptions = {}) {
  const server = await FaultServer.start(script);
  const warnings: string[] = [];
  const fetch = createFetch({ transport: 'sse', onWarning: (warning) => warnings.push(warning), ...options });
  t.after(async () => {
    fetch.destroy();
    await server.close();
  });
  const ask = ({ body = {}, signal }: Call = {}): Promise<Response> =>
    fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify({ model: 'any', input: 'x', ...body }),
      ...(signal === undefined ? {} : { signal }),
    });
  return { server, fetch, ask, warnings };
}

const json = { 'content-type': 'application/json' };
const whole = (id: string, text = 'All of it.', more: Json = {}): string =>
  JSON.stringify(response(id, 'completed', { output: [message(text)], ...more }));
const answering = (body: string, status = 200, headers: Record<string, string> = json): Script => ({
  post: (peer) => peer.http(status, body, headers),
});
const codeOf = async (answer: Response): Promise<unknown> =>
  ((await answer.json()) as { error: { code: unknown } }).error.code;

describe('plain call: the request and its answer', () => {
  test('the body is sent unchanged, and no stream is requested', async (t) => {
    const { server, ask } = await setUp(t, answering(whole('resp_1')));
    const body =
      '{ "stream": false, "model": "any", "temperature": 1.0, "seed": 12345678901234567890, "input": "\\u00fc" }';
    await ask({ body });
    const peer = server.peer(1);
    assert.equal(peer.received, body);
    assert.equal(peer.heads[0]?.headers['accept'], 'application/json');
    assert.equal(peer.heads[0]?.headers['content-type'], 'application/json');
  });

  test('the answer is given unchanged, with the headers of the server', async (t) => {
    const text = '{"id":"resp_1","status":"completed", "cost":1.50,"ticks":12345678901234567890,"output":[]}';
    const headers = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'req_1', 'set-cookie': 'a=b' };
    const { ask } = await setUp(t, answering(text, 200, headers));
    const answer = await ask();
    assert.equal(await answer.text(), text);
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.equal(answer.headers.get('x-request-id'), 'req_1');
    assert.equal(answer.headers.get('set-cookie'), null);
    assert.equal(answer.headers.get('x-turnwire-transport'), 'sse');
    assert.equal(answer.headers.get('x-turnwire-attempts'), '1');
  });

  for (const [what, status, body, type] of [
    ['JSON that is no response', 200, '{"hello":["world"]}', 'application/json'],
    ['an error with status 200', 200, '{"error":{"message":"No."}}', 'application/json'],
    ['JSON that is broken', 200, '{"id":"resp_1"', 'application/json'],
    ['a page', 200, '<h1>Welcome</h1>', 'text/html'],
    ['another good status', 201, '{"id":"resp_1","status":"completed","output":[]}', 'application/json'],
    ['nothing', 204, '', 'application/json'],
    [
      'a response that failed',
      200,
      '{"id":"resp_1","status":"failed","output":[],"error":{"code":"c"}}',
      'application/json',
    ],
  ] as const) {
    test(`${what} is given unchanged`, async (t) => {
      const { ask, server } = await setUp(t, answering(body, status, { 'content-type': type }));
      const answer = await ask();
      assert.deepEqual([answer.status, await answer.text()], [status, body]);
      assert.equal(answer.headers.get('content-type'), type);
      assert.equal(server.posts, 1);
    });
  }

  test('the stream of a server that was asked for none is joined into one answer', async (t) => {
    const script: Script = {
      post: (peer) => {
        peer.stream();
        peer.sse(...reply('resp_1', 'Streamed.'));
        peer.endStream();
      },
    };
    const { ask } = await setUp(t, script);
    const { output } = (await (await ask()).json()) as { output: { content: { text: string }[] }[] };
    assert.equal(output[0]?.content[0]?.text, 'Streamed.');
  });

  test('a refusal has its status, body and headers', async (t) => {
    const body = '{"error":{"message":"Slow down.","type":"requests","param":null,"code":"rate_limit_exceeded"}}';
    const { ask, server } = await setUp(t, answering(body, 429, { ...json, 'retry-after': '7' }));
    const answer = await ask();
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after'), '7');
    assert.deepEqual(await answer.json(), JSON.parse(body));
    assert.equal(server.posts, 1);
  });

  test('the response is remembered: the next turn over a WebSocket sends only the new items', async (t) => {
    const { ask, server } = await setUp(
      t,
      {
        post: (peer) => peer.http(200, whole('resp_1', 'One.', { store: true }), json),
        create: (peer, _create, number) =>
          number === 1
            ? peer.events({ type: 'error', status: 400, error: { message: 'No streams yet.', param: 'stream' } })
            : peer.events(...reply('resp_2', 'Two.', { previous_response_id: 'resp_1' })),
      },
      { transport: 'auto' },
    );
    const history: unknown[] = [{ role: 'user', content: 'Count.' }];
    const first = await ask({ body: { input: history } });
    assert.equal(first.headers.get('x-turnwire-transport'), 'sse');
    const more = { role: 'user', content: 'More.' };
    history.push(...((await first.json()) as { output: unknown[] }).output, more);
    const second = await ask({ body: { input: history, stream: true } });
    assert.match(await second.text(), /response\.completed/);
    const { creates } = server.peer(1);
    assert.equal(creates[1]?.['previous_response_id'], 'resp_1');
    assert.deepEqual(creates[1]?.['input'], [more]);
  });
});

describe('plain call: failures', () => {
  const half = whole('resp_1').slice(0, 40);
  for (const [what, cut] of Object.entries<(peer: Peer) => void>({
    'a body shorter than its content-length': (peer) => {
      peer.raw(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n${half}`);
      peer.fin();
    },
    'chunks without their end': (peer) => {
      peer.stream(json);
      peer.chunk(half);
      peer.fin();
    },
    'half of a JSON whose only end is that of the connection': (peer) => {
      peer.raw(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${half}`);
      peer.fin();
    },
    'a reset in the middle': (peer) => {
      peer.stream(json);
      peer.chunk(half);
      peer.rst();
    },
    'a connection that ends without an answer': (peer) => peer.fin(),
    'a reset without an answer': (peer) => peer.rst(),
  })) {
    test(`${what} is turn_outcome_unknown, and nothing is sent twice`, async (t) => {
      const { ask, server } = await setUp(t, { post: cut });
      const answer = await ask();
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get('x-should-retry'), 'false');
      assert.equal(await codeOf(answer), 'turn_outcome_unknown');
      assert.equal(server.posts, 1);
    });
  }

  test('a kept connection that ends without an answer causes no second request', async (t) => {
    const { ask, server } = await setUp(t, {
      post: (peer) => (peer.posts.length === 1 ? peer.http(200, whole('resp_1'), json) : peer.fin()),
    });
    assert.equal((await ask()).status, 200);
    assert.equal(await codeOf(await ask()), 'turn_outcome_unknown');
    assert.deepEqual([server.peers.length, server.posts], [1, 2]);
  });

  test('a server error is given unchanged, also with retries of refusals, since the turn may have run', async (t) => {
    const { ask, server } = await setUp(t, answering('{"error":{"message":"Broken."}}', 500), {
      recovery: { refusals: 'retry' },
    });
    assert.equal((await ask()).status, 500);
    assert.equal(server.posts, 1);
  });

  test('an answer that ends with its connection is complete', async (t) => {
    const { ask } = await setUp(t, {
      post: (peer) => {
        peer.raw(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${whole('resp_1')}`);
        peer.fin();
      },
    });
    assert.equal(await (await ask()).text(), whole('resp_1'));
  });

  test('timeouts.firstEventMs does not apply, and each byte counts as a sign of life; timeouts.idleMs bounds the silence', async (t) => {
    const drip: Script = {
      post: (peer) => peer.drip(peer.httpBytes(200, whole('resp_1'), json), 1),
    };
    const slow = await setUp(t, drip, { timeouts: { firstEventMs: 1, idleMs: 5000 } });
    assert.equal((await slow.ask()).status, 200);
    const silent = await setUp(t, {}, { timeouts: { idleMs: 60 } });
    const answer = await silent.ask();
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, 'turn_outcome_unknown');
    assert.match(error.message, /timeouts\.idleMs/);
    assert.equal(silent.server.posts, 1);
  });

  test('an abort rejects with its reason and ends the connection', async (t) => {
    let post: (peer: Peer) => void = () => {};
    const posted = new Promise<Peer>((resolve) => (post = resolve));
    const { ask } = await setUp(t, { post: (peer) => post(peer) });
    const controller = new AbortController();
    const reason = new Error('enough');
    const asked = ask({ signal: controller.signal });
    const peer = await posted;
    controller.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
    await peer.ended;
  });
});

describe('Q6: plain call: a server that refuses to stream the model', () => {
  const refusal = {
    message: 'Verify first.',
    type: 'invalid_request_error',
    param: 'stream',
    code: 'unsupported_value',
  };
  const refusing = (status: number): Script => ({
    create: (peer, { model }) =>
      model === 'free'
        ? peer.events(...reply('resp_w', 'Free.'))
        : peer.events({ type: 'error', status, error: refusal }),
    post: (peer, body) =>
      body['stream'] === true
        ? peer.http(status, JSON.stringify({ error: refusal }), json)
        : peer.http(200, whole('resp_1'), json),
  });

  for (const status of [400, 403, 501]) {
    test(`after ${status} the call goes over HTTP unchanged, and so do later calls of that model only`, async (t) => {
      const { ask, server, warnings } = await setUp(t, refusing(status), { transport: 'auto' });
      for (let call = 1; call <= 3; call += 1) {
        const answer = await ask({ body: { model: 'guarded' } });
        assert.equal(answer.status, 200);
        assert.equal(await answer.text(), whole('resp_1'));
      }
      assert.deepEqual([server.creates, server.posts], [1, 3]);
      assert.equal((await ask({ body: { model: 'free' } })).headers.get('x-turnwire-transport'), 'websocket');
      assert.equal(warnings.length, 1);
    });
  }

  test('a streaming call gets the refusal', async (t) => {
    for (const transport of ['auto', 'sse'] as const) {
      const { ask } = await setUp(t, refusing(400), { transport });
      const answer = await ask({ body: { model: 'guarded', stream: true } });
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), { error: refusal });
    }
  });

  test('with transport websocket the refusal is given, since there is no fallback', async (t) => {
    const { ask, server } = await setUp(t, refusing(400), { transport: 'websocket' });
    const answer = await ask({ body: { model: 'guarded' } });
    assert.equal(answer.status, 400);
    assert.equal(server.posts, 0);
  });
});
