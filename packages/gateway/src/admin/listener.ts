import { createServer } from 'node:http';
import { Refusal, answerOf } from '../base/refusal.js';
import { readPageFiles } from './files.js';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AdminState } from './state.js';

export interface AdminOptions {
  /** @throws Refusal for a request from a web page or under a host name that is not allowed */
  check: (request: IncomingMessage) => void;
  state: () => AdminState;
}

/** Allows scripts, styles and data of the page's own origin only; no page may frame it, and no text may be parsed as HTML or as a script. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const everyAnswer = {
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** A read-only server that answers with the page and its JSON. */
export function createAdminServer(options: AdminOptions): Server {
  const server = createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2000 },
    answerer(options),
  );
  server.maxConnections = 100;
  return server;
}

function answerer({ check, state }: AdminOptions): RequestListener {
  const files = readPageFiles();
  return (request, response) => {
    try {
      check(request);
      if (request.method !== 'GET' && request.method !== 'HEAD')
        throw new Refusal(`this page takes GET, not ${request.method}`, {
          status: 405,
          code: 'method_not_allowed',
          headers: { allow: 'GET, HEAD' },
        });
      const path = (request.url ?? '').replace(/\?.*$/s, '');
      const file = files.get(path);
      if (file !== undefined) return answer(response, 200, { 'content-type': file.type }, file.body);
      if (path !== '/state.json')
        throw new Refusal('the page is at /, and what it shows at /state.json', { status: 404, code: 'unknown_path' });
      answer(response, 200, { 'content-type': 'application/json' }, JSON.stringify(state()));
    } catch (error) {
      const refusal =
        error instanceof Refusal
          ? error
          : new Refusal('the gateway has failed', { status: 500, code: 'gateway_error' });
      const { status, headers, body } = answerOf(refusal);
      answer(response, status, headers, body);
    }
  };
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): void {
  response.writeHead(status, { ...everyAnswer, ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}
