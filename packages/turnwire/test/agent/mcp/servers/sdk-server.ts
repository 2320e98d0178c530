import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

/** A server of the MCP SDK's own, with a tool for each thing that a client has to cope with. */
export function mcpServer(): McpServer {
  const server = new McpServer({ name: 'test', version: '1' }, { instructions: 'Add before you speak.' });
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  server.registerTool(
    'add',
    { description: 'Adds.', inputSchema: { a: z.number(), b: z.number() }, annotations: { readOnlyHint: true } },
    ({ a, b }) => text(String(a + b)),
  );
  server.registerTool('write.it', { description: 'Writes.', inputSchema: {} }, () => text('written'));
  server.registerTool('fail', { description: 'Fails.', inputSchema: {} }, () => ({
    ...text('it broke'),
    isError: true,
  }));
  server.registerTool('long', { description: 'Says much.', inputSchema: {} }, () => text('x'.repeat(1_000_000)));
  server.registerTool('hang', { description: 'Never ends.', inputSchema: {} }, () => new Promise(() => undefined));
  server.registerTool('env', { description: 'Its variables.', inputSchema: {} }, () =>
    text(JSON.stringify(process.env)),
  );
  server.registerTool('ask', { description: 'Asks the user.', inputSchema: {} }, async () => {
    const answer = await server.server.elicitInput({
      message: 'Where to?',
      requestedSchema: {
        type: 'object',
        properties: {
          city: { type: 'string', title: 'City', minLength: 2 },
          class: { type: 'string', enum: ['1', '2'], enumNames: ['first', 'second'] },
          nights: { type: 'integer', minimum: 1, maximum: 9 },
          breakfast: { type: 'boolean', default: true },
          note: { type: 'string' },
        },
        required: ['city', 'class', 'nights'],
      },
    });
    return text(JSON.stringify(answer));
  });
  server.registerTool('exit', { description: 'Ends the server.', inputSchema: {} }, () => process.exit(3));
  return server;
}

export interface RemoteServer {
  url: string;
  /** The header fields of each request. */
  requests: IncomingMessage['headers'][];
}

/** The server over HTTP: the current transport, or the one that came before it. */
export async function remoteServer(t: TestContext, transport: 'streamable' | 'sse'): Promise<RemoteServer> {
  const requests: RemoteServer['requests'] = [];
  const open = new Map<string, StreamableHTTPServerTransport | SSEServerTransport>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(request.headers);
    const url = new URL(request.url ?? '/', 'http://here');
    const id = String(request.headers['mcp-session-id'] ?? url.searchParams.get('sessionId'));
    const known = open.get(id);
    if (known instanceof StreamableHTTPServerTransport) return known.handleRequest(request, response);
    if (known instanceof SSEServerTransport) return known.handlePostMessage(request, response);
    if (transport === 'sse' && request.method === 'POST') return void response.writeHead(405).end();
    const own =
      transport === 'sse'
        ? new SSEServerTransport('/messages', response)
        : new StreamableHTTPServerTransport({
            sessionIdGenerator: randomUUID,
            onsessioninitialized: (started) => void open.set(started, own),
          });
    await mcpServer().connect(own);
    if (own instanceof SSEServerTransport) open.set(own.sessionId, own);
    else await own.handleRequest(request, response);
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, requests };
}
