// Servers that deviate: each SDK gives with our fetch what it gives with the ordinary one, where it streams and where it does not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { createFetch } from '@turnwire/client/fetch';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { WebSocketServer } from 'ws';
import { thrownBy } from './three-ways.js';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

type Json = Record<string, unknown>;
type Fetch = typeof globalThis.fetch;

const usage = {
  input_tokens: 5,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 7,
};
const content = [{ type: 'output_text', text: 'All of it.', annotations: [], logprobs: [] }];
const output = [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }];
const whole: Json = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
  output,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage,
};
const begun = { type: 'response.created', response: { ...whole, status: 'in_progress', output: [], usage: null } };
const delta = {
  type: 'response.output_text.delta',
  item_id: 'msg_1',
  output_index: 0,
  content_index: 0,
  delta: 'All of',
};
const poor = [
  begun,
  delta,
  { ...delta, delta: ' it.' },
  { type: 'response.completed', response: { ...whole, output: [] } },
];

const noStream = {
  message: 'Verify to stream.',
  type: 'invalid_request_error',
  param: 'stream',
  code: 'unsupported_value',
};

function json(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function page(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'content-type': 'text/html' }).end(`<html><h1>${status}</h1></html>`);
}

interface Kind {
  /** How a POST is answered. */
  post: (res: ServerResponse, body: Json) => void;
  /** What a `response.create` is answered with, where there is a WebSocket. */
  frames?: readonly Json[];
}

const kinds: Readonly<Record<string, Kind>> = {
  'knows JSON alone': { post: (res) => json(res, 200, whole) },
  'refuses to stream': {
    post: (res, { stream }) => (stream === true ? json(res, 400, { error: noStream }) : json(res, 200, whole)),
  },
  'refuses to stream, over a WebSocket': {
    post: (res, { stream }) => (stream === true ? json(res, 400, { error: noStream }) : json(res, 200, whole)),
    frames: [{ type: 'error', status: 400, error: noStream }],
  },
  'streams deltas alone': {
    post: (res, { stream }) => {
      if (stream !== true) return json(res, 200, whole);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(poor.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
    },
  },
  'compresses by gzip': {
    post: (res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify(whole))),
  },
  'compresses by Brotli': {
    post: (res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' })
        .end(brotliCompressSync(JSON.stringify(whole))),
  },
  'sends its JSON in pieces': {
    post: (res) => {
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      for (const piece of JSON.stringify(whole, undefined, 1).split('\n')) res.write(`${piece}\n`);
      res.end();
    },
  },
  'begins with white space, to keep proxies awake': {
    post: (res) =>
      void res.writeHead(200, { 'content-type': 'application/json' }).end(`\n\n   ${JSON.stringify(whole)}\n`),
  },
  'says less of itself': {
    post: (res) =>
      json(res, 200, {
        id: 'resp_1',
        object: 'response',
        created_at: 1,
        model: 'm',
        status: 'completed',
        output,
        usage,
      }),
  },
  'ends early': {
    post: (res) =>
      json(res, 200, { ...whole, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
  },
  'fails within a 200': {
    post: (res) =>
      json(res, 200, { ...whole, status: 'failed', output: [], error: { code: 'server_error', message: 'Broken.' } }),
  },
  'has an error in a 200': { post: (res) => json(res, 200, { error: { message: 'Out of it.', code: 'x' } }) },
  'answers 400 with a page': { post: (res) => page(res, 400) },
  'answers 404 with a page': { post: (res) => page(res, 404) },
  'answers 500 with a page': { post: (res) => page(res, 500) },
  'answers 422 with another shape': {
    post: (res) => json(res, 422, { detail: [{ loc: ['body'], msg: 'no such field' }] }),
  },
  'answers 429 with a wait': {
    post: (res) =>
      json(
        res,
        429,
        { error: { message: 'Slow.', type: 'requests', code: 'rate_limit_exceeded' } },
        { 'retry-after': '1' },
      ),
  },
  'answers 401 without a body': { post: (res) => void res.writeHead(401).end() },
  'answers 400 with a bare text as error': { post: (res) => json(res, 400, { error: 'bad' }) },
  'has a page in a 200': { post: (res) => page(res, 200) },
  'begins with a byte order mark, and ends with the connection': {
    post: (res) => {
      res.useChunkedEncodingByDefault = false;
      res.shouldKeepAlive = false;
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write(`\ufeff${JSON.stringify(whole)}`);
      res.end();
    },
  },
  'answers 201': { post: (res) => json(res, 201, whole) },
  'names a coding and uses none': { post: (res) => json(res, 200, whole, { 'content-encoding': 'utf-8' }) },
  'names a coding and uses none, and refuses': {
    post: (res) => json(res, 400, { error: { message: 'No.', code: 'c' } }, { 'content-encoding': 'none' }),
  },
};

const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const message = { ...output[0], status: 'in_progress', content: [] };
const rich: readonly Json[] = [
  begun,
  { type: 'response.output_item.added', output_index: 0, item: message },
  { type: 'response.content_part.added', ...at, part: { ...content[0], text: '' } },
  { type: 'response.output_text.delta', ...at, delta: 'All of', logprobs: [] },
  { type: 'response.output_text.delta', ...at, delta: ' it.', logprobs: [] },
  { type: 'response.output_text.done', ...at, text: 'All of it.', logprobs: [] },
  { type: 'response.content_part.done', ...at, part: content[0] },
  { type: 'response.output_item.done', output_index: 0, item: output[0] },
  { type: 'response.completed', response: whole },
].map((event, index) => ({ ...event, sequence_number: index }));

const written = (events: readonly Json[], lineEnd = '\n'): string =>
  events
    .map((event) => `event: ${String(event['type'])}${lineEnd}data: ${JSON.stringify(event)}${lineEnd}${lineEnd}`)
    .join('');

function eventStream(res: ServerResponse, body: string | Buffer, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', ...headers }).end(body);
}

/** How streams are written. */
const streamKinds: Readonly<Record<string, Kind['post']>> = {
  'ends its lines with CR LF': (res) => eventStream(res, written(rich, '\r\n')),
  'names no event': (res) => eventStream(res, rich.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')),
  'says [DONE]': (res) => eventStream(res, `${written(rich)}data: [DONE]\n\n`),
  'has comments': (res) => eventStream(res, `: hi\n\n${written(rich).replaceAll('\n\n', '\n\n: on\n\n')}`),
  'has no empty line at its end': (res) => eventStream(res, written(rich).trimEnd()),
  'sends an event at a time': (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of rich) res.write(written([event]));
    res.end();
  },
  'sends a few bytes at a time': (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of written(rich).match(/[^]{1,37}/g) ?? []) res.write(piece);
    res.end();
  },
  'compresses its stream': (res) => eventStream(res, gzipSync(written(rich)), { 'content-encoding': 'gzip' }),
  'has only deltas': (res) => eventStream(res, written(poor)),
  'has no response.created': (res) => eventStream(res, written(rich.slice(1))),
  'names a charset': (res) => eventStream(res, written(rich), { 'content-type': 'text/event-stream; charset=utf-8' }),
  'names no content type': (res) => void res.writeHead(200).end(written(rich)),
  'calls its stream bytes': (res) => eventStream(res, written(rich), { 'content-type': 'application/octet-stream' }),
  'calls its stream JSON': (res) => eventStream(res, written(rich), { 'content-type': 'application/json' }),
  'calls its stream text, and begins with white space': (res) =>
    eventStream(res, `\n\n${written(rich)}`, { 'content-type': 'text/plain' }),
  'streams with a 201': (res) => void res.writeHead(201, { 'content-type': 'text/event-stream' }).end(written(rich)),
  'names a coding of its stream and uses none': (res) =>
    eventStream(res, written(rich), { 'content-encoding': 'aws-chunked' }),
  'ends early in its stream': (res) =>
    eventStream(
      res,
      written([
        ...rich.slice(0, -1),
        {
          type: 'response.incomplete',
          response: { ...whole, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
        },
      ]),
    ),
  'answers a stream with 404 and a page': (res) => page(res, 404),
};

async function serve(t: TestContext, { post, frames }: Kind): Promise<{ url: string; posts: () => number }> {
  let posts = 0;
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      posts += 1;
      post(res, JSON.parse(Buffer.concat(parts).toString()) as Json);
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (req, socket, head) => {
    if (frames === undefined) {
      socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(req, socket, head, (opened) =>
      opened.on('message', () => {
        for (const frame of frames) opened.send(JSON.stringify(frame));
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, posts: () => posts };
}

const sdks: Readonly<Record<string, (baseURL: string, fetch: Fetch) => Promise<unknown>>> = {
  'openai create': async (baseURL, fetch) => {
    const client = new OpenAI({ apiKey: 'k', baseURL, fetch, maxRetries: 0 });
    return client.responses.create({ model: 'm', input: 'x' });
  },
  'AI SDK generateText': async (baseURL, fetch) => {
    const provider = createOpenAI({ apiKey: 'k', baseURL, fetch });
    const {
      text,
      finishReason,
      usage: counted,
    } = await generateText({ model: provider('m'), prompt: 'x', maxRetries: 0 });
    return { text, finishReason, counted };
  },
  'LangChain invoke': async (baseURL, fetch) => {
    const model = new ChatOpenAI({
      model: 'm',
      useResponsesApi: true,
      apiKey: 'k',
      maxRetries: 0,
      configuration: { baseURL, fetch },
    });
    const { text, usage_metadata: counted, response_metadata: told } = await model.invoke('x');
    return { text, counted, told };
  },
};

const streaming: typeof sdks = {
  'openai create': async (baseURL, fetch) => {
    const client = new OpenAI({ apiKey: 'k', baseURL, fetch, maxRetries: 0 });
    const events: unknown[] = [];
    for await (const event of await client.responses.create({ model: 'm', input: 'x', stream: true }))
      events.push(event);
    return events;
  },
  'AI SDK streamText': async (baseURL, fetch) => {
    const provider = createOpenAI({ apiKey: 'k', baseURL, fetch });
    const parts: string[] = [];
    const { fullStream } = streamText({ model: provider('m'), prompt: 'x', maxRetries: 0, onError: () => {} });
    for await (const part of fullStream) {
      if (part.type === 'error') throw part.error;
      parts.push(part.type === 'text-delta' ? part.text : part.type);
    }
    return parts;
  },
  'LangChain stream': async (baseURL, fetch) => {
    const model = new ChatOpenAI({
      model: 'm',
      useResponsesApi: true,
      apiKey: 'k',
      maxRetries: 0,
      configuration: { baseURL, fetch },
    });
    const chunks: unknown[] = [];
    for await (const { text, usage_metadata: counted } of await model.stream('x')) chunks.push([text, counted]);
    return chunks;
  },
};

/** What is got or thrown, as JSON: without the headers that ours adds, and without the times and ids that an SDK makes up. */
async function comesTo(run: () => Promise<unknown>): Promise<unknown> {
  const result = await run().catch(() => undefined);
  const seen = result ?? (await thrownBy(run));
  return JSON.parse(
    JSON.stringify(seen, (name, value: unknown) => (name === 'headers' ? undefined : value)),
  ) as unknown;
}

function compare(kind: string, server: Kind, all: typeof sdks): void {
  describe(`a server that ${kind}`, () => {
    for (const [sdk, ask] of Object.entries(all)) {
      test(`${sdk}: the result is that of the ordinary fetch`, async (t) => {
        const ordinary = await serve(t, server);
        const expected = await comesTo(() => ask(ordinary.url, globalThis.fetch));
        for (const transport of ['auto', 'sse'] as const) {
          const { url, posts } = await serve(t, server);
          const fetch = createFetch({ transport, onWarning: false });
          t.after(() => fetch.close());
          assert.deepEqual(await comesTo(() => ask(url, fetch)), expected, transport);
          assert.equal(posts(), ordinary.posts(), `${transport}: requests`);
        }
      });
    }
  });
}

for (const [kind, server] of Object.entries(kinds)) compare(kind, server, sdks);
for (const [kind, post] of Object.entries(streamKinds)) compare(kind, { post }, streaming);
