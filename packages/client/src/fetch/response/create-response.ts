import { builtin } from '../../base/builtin.js';
import type * as http from 'node:http';
import type { TurnReport } from '../../turn/report.js';

// An `import` of node:http would load all of undici, for a WebSocket that it exports too: 17 ms of Node 24's start.
const { STATUS_CODES } = builtin('node:http') as typeof http;

export interface CreateResponseOptions {
  status?: number;
  /** The headers of the server; those of its connection and encoding are left out. */
  headers?: Readonly<Record<string, string>> | undefined;
  report: TurnReport;
  /** The address of the request. */
  url: string;
}

/** A `Response` like the one of an ordinary fetch, with headers that say what carried it. */
export function createResponse(
  body: string | ReadableStream<Uint8Array> | null,
  options: CreateResponseOptions,
): Response {
  const { status = 200, report, url } = options;
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const [name, value] of Object.entries(options.headers ?? {}))
    if (!isFraming(name)) setHeader(headers, name, value);
  setHeader(headers, 'x-turnwire-transport', report.transport);
  setHeader(headers, 'x-turnwire-plan', report.plan);
  if (report.planReason !== undefined) setHeader(headers, 'x-turnwire-plan-reason', report.planReason);
  setHeader(headers, 'x-turnwire-attempts', String(report.attempts.length));
  const response = new Response(body, { status, statusText: STATUS_CODES[status] ?? '', headers });
  // A constructed `Response` has no address, and callers log it.
  Object.defineProperty(response, 'url', { value: url, configurable: true });
  return response;
}

/** Sets a header. A value that no header can hold is left out. */
function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // A header that cannot be set is left out.
  }
}

/** A header of the connection or of its encoding: of no meaning for whoever the answer is handed to. */
export function isFraming(name: string): boolean {
  return framing.has(name) || name.startsWith('sec-websocket-');
}

const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
