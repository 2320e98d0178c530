// docs/architecture.md, "The path of an event", compared with the code: the stack at the consumer, and the listener interfaces of the sources.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { EventBuffer } from '../dist/turn/buffer/event-buffer.js';
import { createClient } from '../dist/index.js';
import type { AddressInfo } from 'node:net';

// From packages/client/dist-test.
const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/architecture.md', root), 'utf8');
const [, section = ''] = /^## The path of an event\n([^]*?)^## /m.exec(page) ?? [];

const events = [
  { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hi' },
  { type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [] } },
];

/** The source files in the table of a transport, in the order of its rows. */
function documented(transport: string): string[] {
  const table = section.split(/^### /m).find((part) => part.startsWith(`${transport}\n`)) ?? '';
  return table
    .split('\n')
    .filter((line) => /^\| \d/.test(line) && !line.includes('compressed'))
    .map((line) => /packages\/client\/src\/([\w/-]+)\.ts/.exec(line)?.[1] ?? line);
}

/** The modules on the stack when a delta reaches the event buffer, the socket's first; each once. */
async function observed(baseUrl: string, transport: 'sse' | 'websocket'): Promise<string[]> {
  const push = Reflect.get(EventBuffer.prototype, 'push');
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  let stack = '';
  EventBuffer.prototype.push = function (frame) {
    if (frame.type === 'response.output_text.delta') stack = new Error('here').stack ?? '';
    push.call(this, frame);
  };
  const client = createClient({ apiKey: 'key-of-a-test', baseUrl, transport });
  try {
    await client.turn({ model: 'test', input: 'Hello' }).response();
  } finally {
    EventBuffer.prototype.push = push;
    Error.stackTraceLimit = limit;
    client.destroy();
  }
  const modules = [...stack.matchAll(/client\/dist\/([\w/-]+)\.js/g)].map(([, name = '']) => name).toReversed();
  // The buffer itself is behind the function that looks.
  return [...new Set(modules), 'turn/buffer/event-buffer'];
}

/** Modules on the stack that hand nothing on: the socket reads into one of them. */
const readers = new Set(['network/connect/shared-read-buffer']);

describe('docs/architecture.md: the path of an event', () => {
  test('over a WebSocket: names every object that an event passes, at most 8', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) =>
      socket.on('message', () => {
        for (const event of events) socket.send(JSON.stringify(event));
      }),
    );
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const passed = await observed(`http://127.0.0.1:${port}`, 'websocket');
      assert.deepEqual(
        documented('Over a WebSocket'),
        passed.filter((name) => !readers.has(name)),
      );
      assert.ok(documented('Over a WebSocket').length <= 8);
    } finally {
      server.close();
    }
  });

  test('over SSE: names every object that an event passes, at most 8', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const passed = await observed(`http://127.0.0.1:${port}`, 'sse');
      assert.deepEqual(
        documented('Over SSE'),
        passed.filter((name) => !readers.has(name)),
      );
      assert.ok(documented('Over SSE').length <= 7, 'a compressed body has one object more');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('names every listener interface of the sources, at most 5 for each transport', () => {
    const source = new URL('packages/client/src/', root);
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const inCode = files.flatMap((file) =>
      [
        ...readFileSync(new URL(file.replaceAll('\\', '/'), source), 'utf8').matchAll(
          /^export interface (\w+Listener)\b/gm,
        ),
      ].map(([, name = '']) => name),
    );
    const table = section.split(/^### /m).find((part) => part.startsWith('Listener interfaces\n')) ?? '';
    const rows = [...table.matchAll(/^\| `(\w+Listener)` \| (.+?) \|/gm)];
    assert.deepEqual(rows.map(([, name = '']) => name).sort(), inCode.sort());
    for (const transport of ['WebSocket', 'SSE'])
      assert.ok(rows.filter(([, , carried = '']) => carried.includes(transport) || carried === 'both').length <= 5);
  });

  test('the chain of aborts is built by one helper', () => {
    const source = new URL('packages/client/src/', root);
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const listening = files
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => readFileSync(new URL(file, source), 'utf8').includes("addEventListener('abort'"));
    assert.deepEqual(listening, ['base/abort.ts']);
  });

  test('an HTTP head is written in one file', () => {
    const source = new URL('packages/client/src/', root);
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const writing = files
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => readFileSync(new URL(file, source), 'utf8').includes(String.raw`HTTP/1.1\r\n`));
    assert.deepEqual(writing, ['http/head.ts']);
  });
});
