import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { type Tools, toolsOf } from '../tools/tools.js';
import {
  answerCommon,
  called,
  commonAnswer,
  type Exchange,
  json,
  rawServer,
  type RawServer,
  type Sent,
} from './servers/raw-server.js';

const events = { 'content-type': 'text/event-stream' };
const event = (message: unknown, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`;

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function streamable(
  t: TestContext,
  answer: (exchange: Exchange) => void,
): Promise<{ server: RawServer; tools: Tools }> {
  const server = await rawServer(t, answer);
  const tools = await toolsOf(t, [
    { type: 'mcp', name: 's', remote: { url: server.url, transport_type: 'streamable' } },
  ]);
  return { server, tools };
}

describe('stream that answers a call', () => {
  test('a stream that ended too early is resumed by its last event id, as long as each part brings something', async (t) => {
    let asked: Sent = {};
    const { server, tools } = await streamable(t, (exchange) => {
      const { request, response, message } = exchange;
      const last = request.headers['last-event-id'];
      if (message.method === 'tools/call') {
        asked = message;
        response.writeHead(200, events).end(`retry: 1\nid: e1\ndata:\n\n`);
      } else if (last === 'e1') response.writeHead(200, events).end(event({ jsonrpc: '2.0', method: 'x' }, 'e2'));
      else if (last === 'e2') response.writeHead(200, events).end(event(called(asked), 'e3'));
      else answerCommon(exchange);
    });
    assert.equal(await tools.call('s_t'), 't was called');
    const resumed = server.seen.flatMap(({ headers }) => headers['last-event-id'] ?? []);
    assert.deepEqual(resumed, ['e1', 'e2']);
  });

  test('a stream that never brings more is given up', async (t) => {
    const { server, tools } = await streamable(t, (exchange) => {
      const { request, response, message } = exchange;
      if (message.method === 'tools/call' || request.headers['last-event-id'] !== undefined)
        response.writeHead(200, events).end(`retry: 1\nid: e1\ndata:\n\n`);
      else answerCommon(exchange);
    });
    await assert.rejects(tools.call('s_t'), { message: /ended its answer before the result had come; the call may/ });
    assert.equal(server.seen.filter(({ headers }) => headers['last-event-id'] === 'e1').length, 6);
  });

  test('progress, pings and requests in the stream are handled, and the answer is found behind them', async (t) => {
    const answers: Sent[] = [];
    const { tools } = await streamable(t, (exchange) => {
      const { response, message } = exchange;
      if (message.method === undefined && message.id !== undefined) {
        answers.push(message);
        response.writeHead(202).end();
      } else if (message.method === 'tools/call') {
        const { id } = message;
        response
          .writeHead(200, events)
          .end(
            [
              event({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: id, progress: 1 } }),
              event({ jsonrpc: '2.0', method: 'notifications/message', params: null }),
              event({ jsonrpc: '2.0', id: 'p', method: 'ping' }),
              event({ jsonrpc: '2.0', id: 7, method: 'roots/list' }),
              event({ jsonrpc: '2.0', id: 4711, result: {} }),
              event(called(message)),
            ].join(''),
          );
      } else answerCommon(exchange);
    });
    assert.equal(await tools.call('s_t'), 't was called');
    while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      answers.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1)),
      [
        { jsonrpc: '2.0', id: 7, error: { code: -32601, message: 'roots/list is not supported by this client' } },
        { jsonrpc: '2.0', id: 'p', result: {} },
      ],
    );
  });

  test('an answer may come by the other stream, where the call was only accepted', async (t) => {
    let stream: ServerResponse | undefined;
    const { tools } = await streamable(t, (exchange) => {
      const { request, response, message } = exchange;
      if (request.method === 'GET') {
        stream = response.writeHead(200, events);
        stream.flushHeaders();
      } else if (message.method === 'tools/call') {
        response.writeHead(202).end(() => stream?.write(event(called(message))));
      } else answerCommon(exchange);
    });
    assert.equal(await tools.call('s_t'), 't was called');
  });
});

describe('session over legacy SSE', () => {
  /** One that ends its stream, or refuses what is posted, when it is told to. */
  async function legacy(t: TestContext) {
    let session = 0;
    let ran = 0;
    let stream: ServerResponse | undefined;
    let refusal: number | undefined;
    const server = await rawServer(t, ({ request, response, message }) => {
      if (request.method === 'GET') {
        session += 1;
        stream = response.writeHead(200, events);
        stream.write(`event: endpoint\ndata: /messages?session=${session}\n\n`);
        return;
      }
      if (stream === undefined || request.url !== `/messages?session=${session}` || refusal !== undefined) {
        response.writeHead(refusal ?? 404).end('unknown session');
        refusal = undefined;
        return;
      }
      response.writeHead(202).end();
      if (message.method === 'tools/call' && message.params?.name === 't') ran += 1;
      const answer = message.method === 'tools/call' ? called(message) : commonAnswer(message);
      if (answer !== undefined) stream?.write(event(answer));
    });
    const tools = await toolsOf(t, [{ type: 'mcp', name: 's', remote: { url: server.url, transport_type: 'sse' } }]);
    return {
      server,
      tools,
      ran: () => ran,
      refuse: (status: number) => (refusal = status),
      end: () => {
        stream?.end();
        stream = undefined;
      },
    };
  }

  for (const status of [400, 404, 410]) {
    test(`a session refused with ${status} is begun anew, and the refused call is sent once more`, async (t) => {
      const { server, tools, ran, refuse } = await legacy(t);
      assert.equal(await tools.call('s_t'), 't was called');
      refuse(status);
      assert.equal(await tools.call('s_t'), 't was called');
      assert.equal(ran(), 2);
      assert.equal(server.methods().filter((method) => method === 'initialize').length, 2);
    });
  }

  test('a session without its stream is begun anew for the next call', async (t) => {
    const { server, tools, ran, end } = await legacy(t);
    end();
    assert.equal(await tools.call('s_t'), 't was called');
    assert.equal(ran(), 1);
    assert.equal(server.methods().filter((method) => method === 'initialize').length, 2);
  });

  test('a call on a stream that ends may have had effects, and is not repeated', async (t) => {
    let stream: ServerResponse | undefined;
    const server = await rawServer(t, ({ request, response, message }) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, events);
        stream.write(`event: endpoint\ndata: /messages\n\n`);
        return;
      }
      response.writeHead(202).end();
      const answer = commonAnswer(message);
      if (answer !== undefined) stream?.write(event(answer));
      if (message.method === 'tools/call') stream?.end();
    });
    const tools = await toolsOf(t, [{ type: 'mcp', name: 's', remote: { url: server.url, transport_type: 'sse' } }]);
    await assert.rejects(tools.call('s_t'), {
      message: 'no result from the MCP server s: it ended its stream of events; the call may have had effects',
    });
    assert.equal(server.methods().filter((method) => method === 'tools/call').length, 1);
  });

  test('messages are not posted to another server', async (t) => {
    const server = await rawServer(t, ({ response }) => {
      response.writeHead(200, events).write('event: endpoint\ndata: https://elsewhere.example/messages\n\n');
    });
    await assert.rejects(toolsOf(t, [{ type: 'mcp', remote: { url: server.url, transport_type: 'sse' } }]), {
      message: /it wants messages to be posted to another server$/,
    });
  });
});

describe('cancellation', () => {
  for (const transport of ['streamable', 'sse'] as const) {
    test(`a call that is interrupted is cancelled once, and one that is settled is not: ${transport}`, async (t) => {
      const begun = withResolvers();
      const hangs = ({ params }: Sent): boolean => JSON.stringify(params ?? '').includes('hang');
      let stream: ServerResponse | undefined;
      const server = await rawServer(t, (exchange) => {
        const { request, response, message } = exchange;
        if (transport === 'sse' && request.method === 'GET') {
          stream = response.writeHead(200, events);
          stream.write(`event: endpoint\ndata: /messages\n\n`);
        } else if (transport === 'sse') {
          response.writeHead(202).end();
          const answer = message.method === 'tools/call' ? called(message) : commonAnswer(message);
          if (hangs(message)) begun.resolve();
          else if (answer !== undefined) stream?.write(event(answer));
        } else if (!answerCommon(exchange)) {
          if (hangs(message)) begun.resolve();
          else json(response, called(message));
        }
      });
      const tools = await toolsOf(t, [{ type: 'mcp', remote: { url: server.url, transport_type: transport } }]);
      const controller = new AbortController();
      assert.equal(await tools.call('t', {}, controller.signal), 't was called');
      const hung = tools.call('t', { hang: true }, controller.signal);
      await begun.promise;
      controller.abort(new Error('over'));
      await assert.rejects(hung, /over/);
      // The answer to this one is behind everything that was sent before.
      assert.equal(await tools.call('t'), 't was called');
      await tools.box.close();
      const cancelled = server.seen.filter(({ message }) => message.method === 'notifications/cancelled');
      const call = server.seen.find(({ message }) => message.method === 'tools/call' && hangs(message));
      assert.deepEqual(
        cancelled.map(({ message }) => message.params?.requestId),
        [call?.message.id],
      );
    });
  }

  test('a handshake that is interrupted is not cancelled: the protocol forbids it', async (t) => {
    const controller = new AbortController();
    const server = await rawServer(t, ({ message }) => {
      if (message.method === 'initialize') controller.abort(new Error('stopped'));
    });
    const remote = { url: server.url, transport_type: 'streamable' as const };
    await assert.rejects(toolsOf(t, [{ type: 'mcp', remote }], { opening: controller.signal }), /stopped/);
    assert.deepEqual(server.methods(), ['initialize']);
  });
});
