import type { Socket } from 'node:net';
import { proxyFor } from '@turnwire/client/proxy';
// Imported by its file: for the bare name Bun has an HTTP client of its own, which knows no dispatcher, and so no proxy.
import { Agent, buildConnector, fetch as undiciFetch, type Dispatcher, type Response } from 'undici/index.js';
import { causeOf, McpFailure } from '../failure.js';
import { tunnel } from './tunnel.js';

/** The longest wait for a connection, through a proxy or not, in milliseconds. */
const connectMs = 15_000;
/** The longest wait for a short answer, in milliseconds; and its largest size, in bytes. */
const shortMs = 30_000;
const shortLimit = 1024 ** 2;
/** The most redirects in a row. */
const mostRedirects = 5;

export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE';
  headers: Readonly<Record<string, string>>;
  body?: string;
  signal?: AbortSignal | undefined;
}

/** HTTP to one server, over connections that are kept until it is closed. */
export interface Http {
  /**
   * Sends a request. A redirect within the server is followed; any other redirect is given as the answer. No answer is an error, whatever its status.
   *
   * @throws McpFailure, or the reason of the signal
   */
  request(url: URL, request: HttpRequest): Promise<Response>;
  /** The `fetch` of the platform over the same connections, for short answers: a MiB within half a minute. */
  fetch: (url: string | URL, init?: RequestInit) => Promise<globalThis.Response>;
  /** Ends every connection, those in use included. */
  close(): void;
}

/** Thrown where no connection could be opened: nothing was sent. */
class ConnectFailure extends Error {}

/** Opens HTTP to a server. The proxies are those of the environment, by the rules of docs/network.md; each opens a tunnel to the server. */
export function openHttp(): Http {
  // The dispatcher has no time limits: a stream of events rests while its server has nothing to say, and each call has its own limit.
  const dispatcher = new Agent({ connect: connector(), headersTimeout: 0, bodyTimeout: 0 });
  return {
    async request(url, request) {
      for (let at = url, redirects = 0; ; redirects += 1) {
        const response = await send(at, request, dispatcher);
        const target = redirectTarget(at, response);
        if (target === undefined || redirects === mostRedirects || !isSameServer(at, target)) return response;
        // A status of 303 asks for a GET, which would be another request.
        if (response.status === 303 && request.method !== 'GET') return response;
        await response.body?.cancel();
        at = target;
      }
    },
    async fetch(url, init = {}) {
      const { method = 'GET', headers, body, redirect = 'follow' } = init;
      const response = await undiciFetch(url, {
        method,
        headers: [...new Headers(headers)],
        redirect,
        dispatcher,
        signal: AbortSignal.timeout(shortMs),
        ...(body !== null && body !== undefined && { body: body as string | URLSearchParams }),
      });
      const { status } = response;
      const text = await textOf(response, shortLimit);
      return new globalThis.Response([101, 204, 205, 304].includes(status) ? null : text, {
        status,
        headers: [...response.headers],
      });
    },
    close: () => void dispatcher.destroy().catch(() => undefined),
  };
}

/** The target of a redirect; undefined for any other answer. */
export function redirectTarget(from: URL, { status, headers }: Response): URL | undefined {
  const location = [301, 302, 303, 307, 308].includes(status) ? headers.get('location') : null;
  if (location === null || !URL.canParse(location, from.href)) return undefined;
  return new URL(location, from);
}

/** True where a redirect stays at the server, so that its headers may be sent along. From http to https on the same host is the same server. */
function isSameServer(from: URL, to: URL): boolean {
  if (to.username !== '' || to.password !== '') return false;
  if (from.origin === to.origin) return true;
  const plain = from.protocol === 'http:' && to.protocol === 'https:';
  return plain && from.hostname === to.hostname && from.port === '' && to.port === '';
}

async function send(url: URL, request: HttpRequest, dispatcher: Dispatcher): Promise<Response> {
  const { method, headers, body, signal } = request;
  const init = { method, headers, redirect: 'manual', dispatcher } as const;
  try {
    return await undiciFetch(url, { ...init, ...(body !== undefined && { body }), ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const kind = wasConnecting(error) ? 'refused' : 'unanswered';
    throw new McpFailure(kind, causeOf(error), { cause: error });
  }
}

function wasConnecting(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof ConnectFailure) return true;
  return false;
}

function connector(): buildConnector.connector {
  const connect = buildConnector({ timeout: connectMs });
  return (options, callback) => {
    const done: buildConnector.Callback = (...[error, socket]) => {
      if (error !== null) callback(new ConnectFailure(error.message, { cause: error }), null);
      else callback(null, socket);
    };
    void openConnection(options, connect, done);
  };
}

async function openConnection(
  options: buildConnector.Options,
  connect: buildConnector.connector,
  done: buildConnector.Callback,
): Promise<void> {
  const { protocol, hostname, port } = options;
  const secure = protocol === 'https:';
  const authority = `${hostname}:${port === '' ? (secure ? 443 : 80) : port}`;
  let tunnelled: Socket | undefined;
  try {
    const proxy = proxyFor(`${protocol}//${authority}`);
    tunnelled = proxy && (await tunnel(proxy, authority, connectMs));
  } catch (error) {
    done(error as Error, null);
    return;
  }
  if (tunnelled === undefined) connect(options, done);
  else if (secure) connect({ ...options, httpSocket: tunnelled }, done);
  else done(null, tunnelled);
}

/** The text of an answer. @throws McpFailure for one that is too long or breaks off, or the reason of the signal */
export async function textOf(response: Response, limit: number, signal?: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      const bytes = chunk as Uint8Array;
      length += bytes.length;
      if (length > limit) throw new McpFailure('unanswered', `its answer has more than ${limit / 1024 ** 2} MiB`);
      text += decoder.decode(bytes, { stream: true });
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof McpFailure) throw error;
    throw new McpFailure('unanswered', `its answer broke off: ${causeOf(error)}`, { cause: error });
  }
  return text + decoder.decode();
}
