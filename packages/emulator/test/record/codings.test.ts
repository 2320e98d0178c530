import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from 'ws';
import { startEmulator, startRecorder } from '../../dist/index.js';
import { json, type Json } from '../wire.js';

const SECRET = 'mcp-token-SENTINEL-0123456789';
const tool = { type: 'mcp', server_label: 's', server_url: 'https://x.example', authorization: SECRET };
const CREATE = { model: 'm', input: 'Hello', tools: [tool] };

/** A text with each of its UTF-16 units in an escape. */
function everyEscape(text: string, escape: (unit: string) => string): string {
  return text.replace(/[^]/g, (each) => escape(each.charCodeAt(0).toString(16).padStart(4, '0')));
}

interface Answer {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** A recorder in front of a server that answers all requests with `answer`. */
async function startRecording(t: TestContext, { headers, body }: Answer) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200, headers).end(body));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  return startRecorderOf(t, (server.address() as AddressInfo).port);
}

/** A recorder in front of the server on a port. */
async function startRecorderOf(t: TestContext, port: number) {
  const folder = await mkdtemp(join(tmpdir(), 'codings-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'run.jsonl');
  const recorder = await startRecorder({ upstream: `http://127.0.0.1:${port}/v1`, file });
  t.after(() => recorder.close());
  const lines = async (): Promise<readonly Json[]> => {
    await recorder.close();
    return (await readFile(file, 'utf8')).trim().split('\n').map(json);
  };
  return { url: recorder.url, file, lines };
}

const PLAIN: Answer = { headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') };

async function send(url: string, body: Buffer, headers: Record<string, string>): Promise<Buffer> {
  const response = await fetch(`${url}/responses`, { method: 'POST', body: new Uint8Array(body), headers });
  return Buffer.from(await response.arrayBuffer());
}

describe('record: content codings', () => {
  for (const [coding, pack] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const) {
    test(`a ${coding} request is recorded decoded, and without its secrets`, async (t) => {
      const { url, lines } = await startRecording(t, PLAIN);
      await send(url, pack(JSON.stringify(CREATE)), { 'content-encoding': coding });
      const written = await lines();
      const body = written.find(({ kind, from }) => kind === 'body' && from === 'client');
      assert.deepEqual(json(body.text), { ...CREATE, tools: [{ ...tool, authorization: '[redacted]' }] });
      assert.doesNotMatch(JSON.stringify(written), /SENTINEL/);
    });
  }

  test('the body of a request that cannot be decoded is left out, and the recording says so', async (t) => {
    const { url, lines } = await startRecording(t, PLAIN);
    await send(url, Buffer.from(JSON.stringify(CREATE)), { 'content-encoding': 'compress' });
    const written = await lines();
    const body = written.find(({ kind, from }) => kind === 'body' && from === 'client');
    assert.equal(body.text, '[redacted]');
    assert.match(body.note, /content-encoding "compress"/);
    assert.doesNotMatch(JSON.stringify(written), /SENTINEL/);
  });

  test('a compressed answer is passed on unchanged, and replayed decoded', async (t) => {
    const answer = JSON.stringify({ id: 'resp_1', status: 'completed', output: [] });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const { url, file, lines } = await startRecording(t, { headers, body: gzipSync(answer) });
    assert.equal((await send(url, Buffer.from('{"model":"m"}'), {})).toString(), answer);
    await lines();
    const replay = await startEmulator({ replay: { file } });
    t.after(() => replay.close());
    assert.equal((await send(replay.url, Buffer.from('{"model":"m"}'), {})).toString(), answer);
  });

  test('the events of a compressed stream are recorded one by one', async (t) => {
    const events = ['event: a\ndata: {"type":"a"}', 'event: b\ndata: {"type":"b"}'];
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' };
    const { url, lines } = await startRecording(t, { headers, body: gzipSync(`${events.join('\n\n')}\n\n`) });
    await send(url, Buffer.from('{"model":"m"}'), {});
    const written = await lines();
    assert.deepEqual(
      written.filter(({ kind }) => kind === 'event').map(({ text }) => text),
      events,
    );
    assert.equal(written.at(-1).how, 'complete');
  });
});

describe('record: a secret is not in the file', () => {
  // A client, a log or a model may encode a secret. Each spelling is made with the encoders of Node.js.
  const key = 'sk-SENTINEL+/0123456789"é';
  for (const [spelling, text] of [
    ['as it is', key],
    ['escaped as in JSON', JSON.stringify(key)],
    ['escaped as in a URL', encodeURIComponent(key)],
    ['in base64', Buffer.from(key).toString('base64')],
    ['in base64, after one more byte', Buffer.from(`x${key}`).toString('base64')],
    ['in base64url, after two more bytes', Buffer.from(`xy${key}`).toString('base64url')],
    ['with each character escaped as in JSON', everyEscape(key, (unit) => `\\u${unit}`)],
    [
      'with each character escaped as in JSON in capitals, in JSON',
      JSON.stringify(everyEscape(key, (unit) => `\\u${unit.toUpperCase()}`)),
    ],
    ['with the slash escaped as in JSON', JSON.stringify(key).replaceAll('/', '\\/')],
    [
      'with each byte escaped as in a URL',
      key.replace(/./gu, (each) => Buffer.from(each).toString('hex').replace(/../g, '%$&')),
    ],
    ['escaped as in a URL in small letters', encodeURIComponent(key).replace(/%../g, (escape) => escape.toLowerCase())],
    ['escaped as in a URL twice', encodeURIComponent(encodeURIComponent(key))],
    ['escaped as in HTML', key.replaceAll('"', '&quot;').replaceAll('+', '&#x2b;')],
    ['in hexadecimal digits', Buffer.from(key).toString('hex')],
    ['in base64, escaped as in a URL', encodeURIComponent(Buffer.from(`xy${key}`).toString('base64'))],
  ] as const) {
    test(spelling, async (t) => {
      const { url, lines } = await startRecording(t, PLAIN);
      const tools = [{ ...tool, authorization: key }];
      await send(url, Buffer.from(JSON.stringify({ model: 'm', input: text, tools })), {});
      const all = await lines();
      const body = all.find(({ kind, from }) => kind === 'body' && from === 'client');
      assert.ok(!json(body.text).input.includes(text.slice(1, -1)), body.text);
      const written = JSON.stringify(all);
      assert.doesNotMatch(written, /SENTINEL/);
      for (const [run] of written.matchAll(/[\w+/-]{12,}/g)) {
        for (const skipped of [0, 1, 2, 3]) {
          assert.doesNotMatch(Buffer.from(run.slice(skipped), 'base64').toString('latin1'), /SENTINEL/);
        }
      }
    });
  }

  test('in the address of an MCP server', async (t) => {
    const { url, lines } = await startRecording(t, PLAIN);
    const tools = [
      { ...tool, authorization: undefined, server_url: `https://u:${SECRET}@x.example/sse?token=${SECRET}2` },
    ];
    await send(url, Buffer.from(JSON.stringify({ model: 'm', input: 'Hello', tools })), {});
    assert.doesNotMatch(JSON.stringify(await lines()), /SENTINEL/);
  });

  test('in the tools of an additional_tools item', async (t) => {
    const { url, lines } = await startRecording(t, PLAIN);
    const input = [{ type: 'additional_tools', role: 'developer', tools: [tool] }];
    await send(url, Buffer.from(JSON.stringify({ model: 'm', input })), {});
    assert.doesNotMatch(JSON.stringify(await lines()), /SENTINEL/);
  });

  test('in a binary frame of a socket', async (t) => {
    const upstream = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    t.after(() => upstream.close());
    upstream.on('connection', (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const { url, lines } = await startRecorderOf(t, port);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/responses`, {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    await once(socket, 'open');
    for (const sent of [Buffer.from(SECRET), Buffer.from([0xff, ...Buffer.from(SECRET)])]) {
      socket.send(sent);
      const [echoed] = (await once(socket, 'message')) as [Buffer];
      assert.deepEqual(echoed, sent);
    }
    socket.terminate();
    const frames = (await lines()).filter(({ kind }) => kind === 'frame');
    assert.deepEqual(
      frames.map(({ text, base64 }) => [base64, Buffer.from(text, 'base64').toString('latin1')]),
      ['[redacted]', '[redacted]', '\u00ff[redacted]', '\u00ff[redacted]'].map((text) => [true, text]),
    );
  });

  test('in the compressed answer to an upgrade that is refused', async (t) => {
    const upstream = createServer().on('upgrade', (request, socket) => {
      const body = gzipSync(JSON.stringify({ error: request.headers.authorization }));
      socket.end(
        Buffer.concat([
          Buffer.from(
            `HTTP/1.1 401 Unauthorized\r\ncontent-encoding: gzip\r\ncontent-length: ${body.byteLength}\r\n\r\n`,
          ),
          body,
        ]),
      );
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    t.after(() => upstream.close());
    const { url, lines } = await startRecorderOf(t, (upstream.address() as AddressInfo).port);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/responses`, {
      headers: { authorization: `Bearer ${SECRET}` },
    });
    socket.on('error', () => undefined);
    const [, refusal] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    await once(refusal.resume(), 'end');
    const body = (await lines()).find(({ kind }) => kind === 'body');
    assert.deepEqual(json(body.text), { error: 'Bearer [redacted]' });
  });

  test('in bytes that are not UTF-8', async (t) => {
    const { url, lines } = await startRecording(t, PLAIN);
    const body = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(SECRET), Buffer.from([0])]);
    await send(url, body, { authorization: `Bearer ${SECRET}`, 'content-type': 'application/octet-stream' });
    const written = (await lines()).find(({ kind, from }) => kind === 'body' && from === 'client');
    assert.equal(written.base64, true);
    assert.doesNotMatch(Buffer.from(written.text, 'base64').toString('latin1'), /SENTINEL/);
    assert.throws(() => gunzipSync(Buffer.from(written.text, 'base64')));
  });
});

describe('record: bodies above 64 MiB', () => {
  const limit = 64 * 1024 * 1024;
  const large = Buffer.alloc(limit + 1, 'x');
  const note = 'left out: it is larger than 67108864 bytes';

  /** A recorder in front of a server that answers with the bytes it receives, or with as many bytes as the path says. */
  async function startEcho(t: TestContext) {
    const server = createServer((request, response) => {
      const isLarge = request.url?.endsWith('/large') === true;
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
      request.once('end', () => response.end(isLarge ? large : String(bytes)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const folder = await mkdtemp(join(tmpdir(), 'large-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'run.jsonl');
    const told: string[] = [];
    const recorder = await startRecorder({
      upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
      file,
      onLeftOut: (message) => told.push(message),
    });
    t.after(() => recorder.close());
    const bodies = async (): Promise<readonly Json[]> => {
      await recorder.close();
      return (await readFile(file, 'utf8'))
        .trim()
        .split('\n')
        .map(json)
        .filter(({ kind }) => kind === 'body');
    };
    return { url: recorder.url, file, told, bodies };
  }

  test('a request is passed on whole and left out, which the recording and onLeftOut say', async (t) => {
    const { url, told, bodies } = await startEcho(t);
    assert.equal(String(await send(url, large, {})), String(limit + 1));
    assert.equal(String(await send(url, gzipSync(large), { 'content-encoding': 'gzip' })).length > 3, true);
    const [first, , second] = await bodies();
    for (const body of [first, second])
      assert.deepEqual([body.from, body.text, body.note], ['client', '[redacted]', note]);
    assert.deepEqual(told, [
      `The body of the request in exchange 1 is not in the recording: ${note}.`,
      `The body of the request in exchange 2 is not in the recording: ${note}.`,
    ]);
  });

  test('a body of exactly 64 MiB is recorded', async (t) => {
    const { url, told, bodies } = await startEcho(t);
    await send(url, large.subarray(1), {});
    assert.equal((await bodies())[0].text.length, limit);
    assert.deepEqual(told, []);
  });

  test('an answer is passed on whole and left out, and a replay refuses to answer with a part of it', async (t) => {
    const { url, file, told, bodies } = await startEcho(t);
    const answer = await fetch(`${url}/large`);
    assert.equal((await answer.arrayBuffer()).byteLength, limit + 1);
    assert.deepEqual(await bodies().then(([body]) => [body.from, body.text, body.note]), [
      'server',
      '[redacted]',
      note,
    ]);
    assert.deepEqual(told, [`The body of the answer in exchange 1 is not in the recording: ${note}.`]);
    for (const mode of ['strict', 'loose'] as const) {
      const emulator = await startEmulator({ replay: { file, mode } });
      t.after(() => emulator.close());
      const replayed = await fetch(`${emulator.url}/large`);
      const { error } = json(await replayed.text());
      assert.deepEqual([replayed.status, error.code], [400, 'replay_without_answer']);
      assert.match(error.message, /run\.jsonl:2\); left out: it is larger than 67108864 bytes\.$/);
    }
  });
});
