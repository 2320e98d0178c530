import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A message as a client sends it. */
export interface Sent {
  id?: number;
  method?: string;
  params?: Record<string, unknown> & { name?: string; cursor?: string; requestId?: number };
}

/** A request over HTTP, and the message in it. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  message: Sent;
}

export interface RawServer {
  url: string;
  /** Every request, in the order of their arrival. */
  seen: { http: string; path: string; message: Sent; headers: IncomingMessage['headers'] }[];
  /** The methods of the messages among them. */
  methods: () => string[];
}

/** A server over HTTP that says exactly what it is told to say. */
export async function rawServer(t: TestContext, answer: (exchange: Exchange) => void): Promise<RawServer> {
  const seen: RawServer['seen'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const message = (body === '' ? {} : JSON.parse(body)) as Sent;
      seen.push({ http: request.method ?? '', path: request.url ?? '', message, headers: request.headers });
      answer({ request, response, message });
    });
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    methods: () => seen.flatMap(({ message }) => message.method ?? []),
  };
}

/** The answers to everything but calls; undefined for a call, and for what wants no answer. */
export function commonAnswer({ id, method }: Sent, tools: readonly unknown[] = [tool('t')]): string | undefined {
  const result = (given: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result: given });
  if (method === 'initialize')
    return result({
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 's', version: '1' },
    });
  return method === 'tools/list' ? result({ tools }) : undefined;
}

export function tool(name: string, more: object = {}): Record<string, unknown> {
  return { name, inputSchema: { type: 'object', properties: {} }, ...more };
}

export function called({ id, params }: Sent): string {
  const content = [{ type: 'text', text: `${params?.name} was called` }];
  return JSON.stringify({ jsonrpc: '2.0', id, result: { content } });
}

export function json(response: ServerResponse, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
}

/** Answers everything but calls as it should be, a GET with 405. */
export function answerCommon({ request, response, message }: Exchange, headers: Record<string, string> = {}): boolean {
  if (request.method !== 'POST') response.writeHead(request.method === 'GET' ? 405 : 200).end();
  else if (message.id === undefined) response.writeHead(202).end();
  else {
    const answer = commonAnswer(message);
    if (answer === undefined) return false;
    json(response, answer, headers);
  }
  return true;
}
