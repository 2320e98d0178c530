// Q12: large bodies ask first whether they are wanted, and a refusal that comes while one is being sent is read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { quickClient } from '../quick-client.js';
import { reply } from '../server/events.js';
import { read } from '../scenario.js';
import type { AddressInfo, Socket } from 'node:net';

const mebibyte = 1024 * 1024;
const large = 'x'.repeat(3 * mebibyte);
const answer = reply('resp_1', 'fine')
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .join('');
const good = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`;
const tooLarge = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const unknown = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n';

/** One request as it came. */
interface Request {
  expects: boolean;
  /** Of its body, so far. */
  bytes: number;
  length: number;
  socket: Socket;
}

/** What the server does with the head of a request, and with each piece of its body. */
interface Doing {
  head?: (request: Request) => void;
  body?: (request: Request) => void;
}

async function serve({ head, body }: Doing, run: (url: string, requests: Request[]) => Promise<void>): Promise<void> {
  const requests: Request[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let request: Request | undefined;
    let text = '';
    const more = (bytes: number): void => {
      if (request === undefined) return;
      request.bytes += bytes;
      if (bytes > 0) body?.(request);
      if (request.bytes < request.length || !socket.writable) return;
      request = undefined;
      socket.write(good);
    };
    socket.on('data', (chunk: Buffer) => {
      if (request !== undefined) return more(chunk.length);
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const lines = text.slice(0, end).toLowerCase();
      const rest = text.length - end - 4;
      text = '';
      const length = Number(/content-length: (\d+)/.exec(lines)?.[1]);
      request = { expects: lines.includes('expect: 100-continue'), bytes: 0, length, socket };
      requests.push(request);
      if (request.expects) head?.(request);
      more(rest);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

type Ask = (input: string) => Promise<number>;

/** By each way to ask; the status, 200 where it went well. */
function each(name: string, doing: () => Doing, run: (ask: Ask, requests: Request[]) => Promise<void>): void {
  test(`${name}, client`, { timeout: 20_000 }, () =>
    serve(doing(), async (baseUrl, requests) => {
      const client = quickClient({ apiKey: 'sk-test', baseUrl, transport: 'sse', recovery: { refusals: 'surface' } });
      const ask: Ask = async (input) => {
        const { error } = await read(client.turn({ model: 'test', input }));
        if (error !== undefined && error.status === undefined) throw error;
        return error?.status ?? 200;
      };
      await run(ask, requests);
      client.destroy();
    }),
  );
  for (const stream of [true, false]) {
    test(`${name}, createFetch, stream: ${stream}`, { timeout: 20_000 }, () =>
      serve(doing(), async (baseUrl, requests) => {
        const fetch = createFetch({ transport: 'sse', onWarning: false });
        const ask: Ask = async (input) => {
          const { status, body } = await fetch(`${baseUrl}/responses`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
            body: JSON.stringify({ model: 'test', input, stream }),
          });
          await body?.cancel();
          return status;
        };
        await run(ask, requests);
        fetch.destroy();
      }),
    );
  }
}

describe('Q12: a large body', () => {
  each(
    'is sent after 100 Continue, and a small one without expect',
    () => ({
      head: (request) => {
        assert.equal(request.bytes, 0);
        request.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      },
    }),
    async (ask, requests) => {
      assert.deepEqual([await ask(large), await ask('small')], [200, 200]);
      assert.deepEqual(
        requests.map(({ expects }) => expects),
        [true, false],
      );
    },
  );

  each(
    'is not sent where the server refuses before reading it',
    () => ({ head: ({ socket }) => socket.end(tooLarge) }),
    async (ask, requests) => {
      assert.equal(await ask(large), 413);
      assert.deepEqual(
        requests.map(({ bytes }) => bytes),
        [0],
      );
    },
  );

  each(
    'is sent to a server that ignores expect',
    () => ({}),
    async (ask, requests) => {
      assert.equal(await ask(large), 200);
      assert.equal(requests.length, 1);
    },
  );

  each(
    'is sent again without expect after 417, and so is the next one',
    () => ({ head: ({ socket }) => socket.write(unknown) }),
    async (ask, requests) => {
      assert.deepEqual([await ask(large), await ask(large)], [200, 200]);
      assert.deepEqual(
        requests.map(({ expects }) => expects),
        [true, false, false],
      );
      assert.equal(requests[0]?.bytes, 0);
    },
  );

  each(
    'fails with the refusal that comes while it is being sent, although the connection is reset',
    () => ({
      head: ({ socket }) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
      body: ({ socket }) => {
        if (!socket.writable) return;
        socket.pause();
        socket.end(tooLarge, () => setImmediate(() => socket.resetAndDestroy()));
      },
    }),
    async (ask) => assert.equal(await ask(large), 413),
  );
});
