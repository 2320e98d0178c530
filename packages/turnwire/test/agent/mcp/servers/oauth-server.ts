import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { mcpServer } from './sdk-server.js';

/** An MCP server that wants a sign-in, and its provider, at one address: RFC 9728, 8414, 7591, and 6749 with PKCE (7636). */
export interface OAuthServer {
  url: string;
  /** The requests: the path, and the fields of a query, a form or a JSON body. */
  requests: { path: string; fields: Readonly<Record<string, unknown>>; authorization: string | undefined }[];
  /** Makes a token worthless: those of now, or the one that renews them, too. */
  expire(what: 'access' | 'all'): void;
  /** Opens an address as a browser does, and says where it ended. */
  browse: (address: string) => Promise<void>;
}

interface Grant {
  client: string;
  challenge: string;
  redirect: string;
  scope: string;
}

export interface OAuthServerOptions {
  /** Whether clients register themselves. @default true */
  registers?: boolean;
  /** The scope that calls of tools need, and not the rest. @default none */
  callScope?: string;
  /** Whether a sign-in grants the scopes that it asks for. @default true */
  grants?: boolean;
}

export async function oauthServer(
  t: TestContext,
  { registers = true, callScope, grants = true }: OAuthServerOptions = {},
): Promise<OAuthServer> {
  const requests: OAuthServer['requests'] = [];
  const codes = new Map<string, Grant>();
  const clients = new Map<string, readonly string[]>([['known', []]]);
  /** By token: the scopes that it is good for. */
  const access = new Map<string, string>();
  const renewals = new Map<string, string>();
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  let origin = '';

  const json = (response: ServerResponse, status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  const tokens = (response: ServerResponse, scope: string): void => {
    const [token, renewal] = [`access-${randomUUID()}`, `refresh-${randomUUID()}`];
    access.set(token, scope);
    renewals.set(renewal, scope);
    json(response, 200, { access_token: token, token_type: 'Bearer', expires_in: 3600, refresh_token: renewal });
  };
  const handlers: Readonly<Record<string, (fields: URLSearchParams, response: ServerResponse, body: string) => void>> =
    {
      '/.well-known/oauth-protected-resource/mcp': (_fields, response) =>
        json(response, 200, { resource: `${origin}/mcp`, authorization_servers: [origin], scopes_supported: ['all'] }),
      '/.well-known/oauth-authorization-server': (_fields, response) =>
        json(response, 200, {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          ...(registers && { registration_endpoint: `${origin}/register` }),
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
        }),
      '/register': (_fields, response, body) => {
        const asked = JSON.parse(body) as { redirect_uris: string[] };
        const id = randomUUID();
        clients.set(id, asked.redirect_uris);
        json(response, 201, { ...asked, client_id: id });
      },
      '/authorize': (fields, response) => {
        const [client, redirect] = [fields.get('client_id') ?? '', fields.get('redirect_uri') ?? ''];
        const uris = clients.get(client);
        if (uris === undefined || (uris.length > 0 && !uris.includes(redirect))) return json(response, 400, {});
        const code = randomUUID();
        codes.set(code, {
          client,
          redirect,
          challenge: fields.get('code_challenge') ?? '',
          scope: fields.get('scope') ?? '',
        });
        const back = new URL(redirect);
        back.searchParams.set('code', code);
        back.searchParams.set('state', fields.get('state') ?? '');
        response.writeHead(302, { location: back.href }).end();
      },
      '/token': (fields, response) => {
        if (fields.get('grant_type') === 'refresh_token') {
          const scope = renewals.get(fields.get('refresh_token') ?? '');
          renewals.delete(fields.get('refresh_token') ?? '');
          if (scope === undefined) return json(response, 400, { error: 'invalid_grant' });
          return tokens(response, scope);
        }
        const grant = codes.get(fields.get('code') ?? '');
        codes.delete(fields.get('code') ?? '');
        const proof = createHash('sha256')
          .update(fields.get('code_verifier') ?? '')
          .digest('base64url');
        const fits = grant?.challenge === proof && grant.redirect === fields.get('redirect_uri');
        return fits ? tokens(response, grants ? grant.scope : '') : json(response, 400, { error: 'invalid_grant' });
      },
    };

  const mcp = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, token = ''] = /^Bearer (.*)$/.exec(request.headers.authorization ?? '') ?? [];
    if (!access.has(token)) {
      const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
      response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}"` }).end();
      return;
    }
    const body =
      request.method === 'POST' ? (JSON.parse(await text(request)) as { id?: number; method: string }) : undefined;
    const scopes = access.get(token)?.split(' ') ?? [];
    if (body?.method === 'tools/call' && callScope !== undefined && !scopes.includes(callScope)) {
      response.writeHead(403, {
        'www-authenticate': `Bearer error="insufficient_scope", scope="${callScope}"`,
        'content-type': 'application/json',
      });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: body.id, error: { code: -32001, message: 'forbidden' } }));
      return;
    }
    const known = sessions.get(String(request.headers['mcp-session-id']));
    if (known !== undefined) return known.handleRequest(request, response, body);
    const own: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, own),
    });
    await mcpServer().connect(own);
    await own.handleRequest(request, response, body);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here');
    const { authorization } = request.headers;
    if (pathname === '/mcp') {
      requests.push({ path: pathname, fields: {}, authorization });
      return mcp(request, response);
    }
    const body = await text(request);
    const isJson = request.headers['content-type']?.includes('json') === true;
    const fields = body === '' || isJson ? searchParams : new URLSearchParams(body);
    const told = isJson ? (JSON.parse(body) as Record<string, unknown>) : Object.fromEntries(fields);
    requests.push({ path: pathname, fields: told, authorization });
    const handler = handlers[pathname];
    if (handler === undefined) response.writeHead(404).end();
    else handler(fields, response, body);
    return undefined;
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/mcp`,
    requests,
    expire(what) {
      access.clear();
      if (what === 'all') renewals.clear();
    },
    browse: async (address) => void (await fetch(address)),
  };
}
