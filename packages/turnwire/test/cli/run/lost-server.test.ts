import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { turnwireProcess } from '../child.js';
import { turnwire } from '../console.js';
import { agentAt, scratch } from '../scratch.js';

const response = { id: 'resp_1', object: 'response', status: 'in_progress', output: [] };
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
const events = [
  { type: 'response.created', sequence_number: 0, response },
  { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item },
  {
    type: 'response.output_text.delta',
    sequence_number: 2,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta: 'Hello',
  },
  { type: 'response.output_item.done', sequence_number: 3, output_index: 0, item: { ...item, status: 'completed' } },
].map((event) => JSON.stringify(event));
const [created = '', added = '', delta = '', done = ''] = events;

/** What the server has written when it goes. */
interface Moment {
  /** Bytes of the answer to the request, or undefined if it goes before it has read one. */
  answer: string | undefined;
  /** What follows once the client has spoken: frames or SSE events; the last one is cut in half if it says so. */
  events?: readonly string[];
  half?: boolean;
}

const moments: Readonly<Record<string, Moment>> = {
  'at the connection': { answer: undefined },
  'after the request': { answer: '' },
  'in the middle of the head': { answer: 'half' },
  'after the head': { answer: 'whole' },
  'after response.created': { answer: 'whole', events: [created] },
  'in the middle of an event': { answer: 'whole', events: [created, added, delta], half: true },
  'in the middle of the text': { answer: 'whole', events: [created, added, delta] },
  'just before the end': { answer: 'whole', events: [created, added, delta, done] },
};

const ends = (socket: Socket): void => void socket.end();
const resets = (socket: Socket): void => void socket.resetAndDestroy();

describe('turnwire run at a server that is lost', () => {
  // Each moment over both transports, and each by FIN and by RST: the client's own tests have every pair.
  for (const [index, [when, moment]] of Object.entries(moments).entries()) {
    for (const transport of ['websocket', 'sse'] as const) {
      const leave = (transport === 'sse') === (index % 2 === 0) ? resets : ends;
      test(`a server that ${leave.name} ${when}, over ${transport}: one sentence, status 1`, async (t) => {
        const url = await leaving(t, transport, moment, leave);
        const folder = await scratch(t, { 'agent.yaml': agentAt(url, transport) });
        const argv = ['run', join(folder, 'agent.yaml'), 'Go.'];
        // As a process once for each transport: what nobody catches ends a process, and not this one.
        const { status, stdout, stderr } = await (moment.half === true ? turnwireProcess(argv).left : turnwire(argv));
        assert.equal(status, 1, stderr);
        assert(stdout === '' || stdout === 'Hello\n', stdout);
        assert.match(stderr, /^[^\n]{20,400}\n$/);
        assert.doesNotMatch(stderr, /--debug|undefined|\[object/);
      });
    }
  }

  for (const when of ['after the request', 'in the middle of the head', 'after the head', 'in the middle of the text'])
    test(`with transport auto, ${when}: the run ends, with at most one more sentence about the change to SSE`, async (t) => {
      const url = await leaving(t, 'websocket', moments[when] as Moment, ends);
      const folder = await scratch(t, { 'agent.yaml': agentAt(url, 'auto') });
      const { status, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.']);
      assert.equal(status, 1, stderr);
      assert.match(stderr, /^[^\n]{20,400}\n([^\n]{20,400}\n)?$/);
    });

  test('a server that does not listen: one sentence that names the address, status 1', async (t) => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    for (const transport of ['websocket', 'sse'] as const) {
      const folder = await scratch(t, { 'agent.yaml': agentAt(`http://127.0.0.1:${port}/v1`, transport) });
      const { status, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.']);
      assert.equal(status, 1);
      assert.match(stderr, /^[^\n]+\n$/);
      assert(stderr.includes(`127.0.0.1:${port}`), stderr);
    }
  });
});

/** A server that goes at that moment, on each connection; returns its base URL. */
async function leaving(
  t: TestContext,
  transport: 'websocket' | 'sse',
  { answer, events: said = [], half = false }: Moment,
  leave: (socket: Socket) => void,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (answer === undefined) return leave(socket);
    let request = '';
    let headIsSent = false;
    const rest = (): void => {
      const bytes = Buffer.concat(said.map(transport === 'websocket' ? frame : sseEvent));
      const cut = half ? bytes.subarray(0, -20) : bytes;
      if (cut.length === 0) leave(socket);
      else socket.write(cut, () => leave(socket));
    };
    socket.on('data', (chunk: Buffer) => {
      // A WebSocket speaks after the head, and only then does the server answer it.
      if (headIsSent) return transport === 'websocket' && said.length > 0 ? rest() : undefined;
      request += chunk.toString('latin1');
      if (!request.includes('\r\n\r\n')) return;
      headIsSent = true;
      // A fallback to SSE meets the same server.
      const fallback = transport === 'websocket' && request.startsWith('POST');
      if (answer === '' || fallback) return leave(socket);
      const head = transport === 'websocket' ? upgraded(request) : eventStream;
      const cut = answer === 'half' ? head.slice(0, 20) : head;
      socket.write(cut, () => {
        if (answer === 'half' || said.length === 0) leave(socket);
        else if (transport === 'sse') rest();
      });
    });
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${await listen(server)}/v1`;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  return address.port;
}

const eventStream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n';

/** RFC 6455, 4.2.2. */
function upgraded(request: string): string {
  const key = /^sec-websocket-key: (.+)$/im.exec(request)?.[1]?.trim() ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** RFC 6455, 5.2: one text message of up to 65535 bytes, not masked. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([0x81, ...length]), payload]);
}

function sseEvent(text: string): Buffer {
  const { type } = JSON.parse(text) as { type: string };
  return Buffer.from(`event: ${type}\ndata: ${text}\n\n`);
}
