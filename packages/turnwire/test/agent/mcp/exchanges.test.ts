import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { type Tools, toolsOf } from '../tools/tools.js';
import { answerCommon, called, type Exchange, json, rawServer, type RawServer, tool } from './servers/raw-server.js';

type Transport = 'streamable' | 'sse';

async function connected(t: TestContext, url: string, transport_type: Transport = 'streamable'): Promise<Tools> {
  return toolsOf(t, [{ type: 'mcp', name: 's', remote: { url, transport_type } }]);
}

/** A server that answers each call by `answer`; `count` numbers them. */
async function answering(
  t: TestContext,
  answer: (exchange: Exchange, count: number) => void,
  headers: Record<string, string> = {},
): Promise<{ server: RawServer; tools: Tools }> {
  let count = 0;
  const server = await rawServer(t, (exchange) => {
    if (!answerCommon(exchange, headers)) answer(exchange, (count += 1));
  });
  return { server, tools: await connected(t, server.url) };
}

describe('call that has no result', () => {
  const refusals: readonly [status: number, body: string, message: RegExp][] = [
    [400, 'no', /it refused the request \(status 400\): no; the call did not run$/],
    [401, '', /it wants a sign-in; start turnwire run at a terminal .*; the call did not run$/],
    [403, '{"error":"not now"}', /\(status 403\): not now; the call did not run$/],
    [404, '<html><title>x</title><h1>Not here</h1></html>', /\(status 404\): Not here; the call did not run$/],
    [413, '{"message":"too large"}', /\(status 413\): too large; the call did not run$/],
    [429, '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"slow down"}}', /: slow down; the call did not run$/],
    [
      500,
      '{"error":{"message":"failed in the middle"}}',
      /it failed \(status 500\): failed in the middle; the call may have/,
    ],
    [503, '', /it failed \(status 503\); the call may have had effects$/],
  ];
  for (const [status, body, message] of refusals) {
    test(`over HTTP, with status ${status}`, async (t) => {
      const { tools, server } = await answering(t, ({ response }) => response.writeHead(status).end(body));
      await assert.rejects(tools.call('s_t'), { message });
      assert.equal(server.methods().filter((method) => method === 'tools/call').length, 1);
    });
  }

  test('an error for the id of the call is its answer, whatever the HTTP status', async (t) => {
    const { tools } = await answering(t, ({ response, message: { id } }, count) => {
      const error = { code: -32603, message: 'disk full' };
      response.writeHead(count === 1 ? 500 : 400).end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    });
    await assert.rejects(tools.call('s_t'), { message: 'disk full' });
    await assert.rejects(tools.call('s_t'), { message: 'disk full' });
  });

  const ends: Readonly<Record<string, [answer: (exchange: Exchange) => void, message: RegExp]>> = {
    'the connection is cut': [({ response }) => response.destroy(), /may have had effects$/],
    'the answer is cut': [
      ({ response }) => {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
          .write('{', () => response.destroy());
      },
      /its answer broke off: .*may have had effects$/,
    ],
    'the answer is empty': [({ response }) => json(response, ''), /it answered with nothing; the call may/],
    'the answer is a page': [
      ({ response }) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello'),
      /it answered with no message of MCP \(content type text\/html\); the call may/,
    ],
    'the events end before it': [
      ({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'),
      /it ended its answer before the result had come; the call may/,
    ],
    'nothing comes behind 202': [
      ({ response }) => response.writeHead(202).end(),
      /before the result had come; the call may/,
    ],
  };
  for (const [name, [answer, message]] of Object.entries(ends)) {
    test(`because ${name}`, async (t) => {
      const { tools } = await answering(t, answer);
      await assert.rejects(tools.call('s_t'), { message });
    });
  }

  test('the error of a read-only tool speaks of no effects', async (t) => {
    const server = await rawServer(t, (exchange) => {
      const { message, response } = exchange;
      const tools = [tool('t', { annotations: { readOnlyHint: true } })];
      if (message.method === 'tools/list') json(response, JSON.stringify({ id: message.id, result: { tools } }));
      else if (!answerCommon(exchange)) response.writeHead(500).end();
    });
    const tools = await connected(t, server.url);
    await assert.rejects(tools.call('s_t'), { message: 'no result from the MCP server s: it failed (status 500)' });
  });

  test('the call did not run where the server is gone, and the cause is named', async (t) => {
    const closed = createServer();
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const { port } = closed.address() as AddressInfo;
    await once(closed.close(), 'close');
    const { tools } = await answering(t, ({ response }) =>
      response.writeHead(307, { location: `http://127.0.0.1:${port}/mcp` }).end(),
    );
    await assert.rejects(tools.call('s_t'), {
      message: /it redirects to http:\/\/127\.0\.0\.1:\d+\/mcp; .*did not run$/,
    });
    await assert.rejects(connected(t, `http://127.0.0.1:${port}/mcp`), {
      message: `the MCP server s cannot be used: connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  test('the call did not run where the server cannot be reached again', async (t) => {
    let gone = false;
    const server = await rawServer(t, (exchange) => {
      if (gone) exchange.response.writeHead(404).end();
      else answerCommon(exchange, { 'mcp-session-id': 's1' });
    });
    const tools = await connected(t, server.url);
    gone = true;
    await assert.rejects(tools.call('s_t'), {
      message: 'the MCP server s cannot be used: it refused the request (status 404); the call did not run',
    });
  });

  test('a protocol version that is no token is not sent as a header', async (t) => {
    const server = await rawServer(t, (exchange) => {
      const { message, response } = exchange;
      const result = { protocolVersion: 'a\nversion', capabilities: { tools: {} } };
      if (message.method === 'initialize') json(response, JSON.stringify({ id: message.id, result }));
      else if (!answerCommon(exchange)) json(response, called(message));
    });
    const tools = await connected(t, server.url);
    assert.equal(await tools.call('s_t'), 't was called');
  });

  test('a host name that does not resolve is named', async (t) => {
    await assert.rejects(connected(t, 'http://no-such-host.invalid/mcp'), /ENOTFOUND no-such-host\.invalid|EAI_AGAIN/);
  });
});

describe('redirects', () => {
  for (const status of [301, 302, 307, 308]) {
    test(`${status} within the server is followed, and the call stays a call`, async (t) => {
      const server = await rawServer(t, (exchange) => {
        const { request, response, message } = exchange;
        if (request.url === '/mcp') response.writeHead(status, { location: '/mcp/' }).end();
        else if (!answerCommon(exchange)) json(response, called(message));
      });
      const tools = await connected(t, server.url);
      assert.equal(await tools.call('s_t'), 't was called');
    });
  }

  test('a redirect to another server is not followed: the headers are not for that server', async (t) => {
    let reached = 0;
    const other = await rawServer(t, ({ response }) => {
      reached += 1;
      response.end();
    });
    const server = await rawServer(t, ({ response }) => response.writeHead(308, { location: other.url }).end());
    await assert.rejects(connected(t, server.url), /it redirects to http:/);
    assert.equal(reached, 0);
  });

  test('a circle of redirects ends with an error', async (t) => {
    const server = await rawServer(t, ({ response }) => response.writeHead(307, { location: '/mcp' }).end());
    await assert.rejects(connected(t, server.url), /it redirects to/);
    assert.equal(server.seen.length, 6);
  });
});

describe('session over HTTP', () => {
  /** A server that forgets its sessions whenever `forget` is called, and then says `refusal`. */
  async function forgetful(t: TestContext, refusal: (exchange: Exchange) => void) {
    let session = 0;
    let ran = 0;
    const server = await rawServer(t, (exchange) => {
      const { request, response, message } = exchange;
      if (message.method === 'initialize') session += 1;
      else if (request.method === 'POST' && request.headers['mcp-session-id'] !== `s${session}`)
        return refusal(exchange);
      if (answerCommon(exchange, { 'mcp-session-id': `s${session}` })) return undefined;
      ran += 1;
      return json(response, called(message));
    });
    return { server, forget: () => (session += 1), ran: () => ran };
  }

  const rpc = (message: string, code = -32000) => ({ jsonrpc: '2.0', error: { code, message } });
  const refusals: Readonly<Record<string, (exchange: Exchange) => void>> = {
    '404': ({ response }) =>
      response.writeHead(404).end(JSON.stringify({ ...rpc('Session not found', -32001), id: null })),
    '404 without a word': ({ response }) => response.writeHead(404).end(),
    '400': ({ response }) =>
      response.writeHead(400).end(JSON.stringify({ ...rpc('Bad Request: No valid session ID provided'), id: null })),
    '400 with the id of the request': ({ response, message: { id } }) =>
      response.writeHead(400).end(JSON.stringify({ ...rpc('Bad Request: Server not initialized'), id })),
    '400 with a text': ({ response }) => response.writeHead(400).end('Invalid session'),
    '410': ({ response }) => response.writeHead(410).end(),
    'an error and 200': ({ response, message: { id } }) =>
      json(response, JSON.stringify({ ...rpc('Session not found', -32001), id })),
    'an error as an event': ({ response, message: { id } }) =>
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`id: 1\ndata: ${JSON.stringify({ ...rpc('Session expired', -32001), id })}\n\n`),
  };
  for (const [name, refusal] of Object.entries(refusals)) {
    test(`a lost session is begun anew, and the refused call is sent once more: ${name}`, async (t) => {
      const { server, forget, ran } = await forgetful(t, refusal);
      const tools = await connected(t, server.url);
      assert.equal(await tools.call('s_t'), 't was called');
      forget();
      assert.equal(await tools.call('s_t'), 't was called');
      assert.equal(ran(), 2);
      assert.equal(server.methods().filter((method) => method === 'initialize').length, 2);
    });
  }

  test('concurrent calls that find the session lost share a new one, and each runs once', async (t) => {
    const { server, forget, ran } = await forgetful(t, ({ response }) => response.writeHead(404).end());
    const tools = await connected(t, server.url);
    forget();
    const calls = Array.from({ length: 12 }, () => tools.call('s_t'));
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 12 }, () => 't was called'),
    );
    assert.equal(ran(), 12);
    assert.equal(server.methods().filter((method) => method === 'initialize').length, 2);
  });

  test('a call that is refused in the new session, too, is not sent a third time', async (t) => {
    const { tools, server } = await answering(t, ({ response }) => response.writeHead(404).end('gone'), {
      'mcp-session-id': 's1',
    });
    await assert.rejects(tools.call('s_t'), { message: /\(status 404\): gone; the call did not run$/ });
    assert.equal(server.methods().filter((method) => method === 'tools/call').length, 2);
  });

  test('the session is ended with the run', async (t) => {
    const { tools, server } = await answering(t, ({ response, message }) => json(response, called(message)), {
      'mcp-session-id': 's1',
    });
    await tools.box.close();
    const last = server.seen.at(-1);
    assert.deepEqual(
      [last?.http, last?.headers['mcp-session-id'], last?.headers['mcp-protocol-version']],
      ['DELETE', 's1', '2025-06-18'],
    );
  });
});
