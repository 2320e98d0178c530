import http from 'node:http';
import https from 'node:https';
import { addressOf, authorization } from './target.js';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Credential, Target } from './target.js';
import type { Trace } from './trace.js';

/** The largest body of an answer, in bytes; a larger one ends the exchange. */
const maxBodyBytes = 16 * 1024 * 1024;

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** The path below the base URL. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** @default 'own' */
  credential?: Credential;
  /** Ends the connection once this is true of the body so far, like a client that leaves. */
  leaveWhen?: (body: string) => boolean;
}

/** A part of a body and the time at which it came. */
export interface Piece {
  at: number;
  text: string;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The parsed body; undefined for a body that is no JSON. */
  json: unknown;
  pieces: readonly Piece[];
  /** Milliseconds of `performance.now()`. */
  sentAt: number;
  headAt: number;
  endedAt: number;
  /** How the body ended: properly, broken off, not within the time limit, or by this side's leaving. */
  end: 'complete' | 'cut' | 'timeout' | 'left';
}

/** Thrown where there is no answer at all: no connection, or no head of an answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code: string | undefined;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    const { cause } = this;
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  }
}

/**
 * One exchange over a connection of its own. Nothing is repeated or decoded, and no redirect is followed.
 *
 * @throws NoAnswer
 */
export async function exchange(target: Target, trace: Trace, request: HttpRequest): Promise<HttpAnswer> {
  const url = addressOf(target, request.path);
  const { method, body, leaveWhen } = request;
  const headers = {
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...authorization(target, request.credential ?? 'own'),
    ...request.headers,
  };
  trace.sent(`${method} ${url.pathname}${typeof body === 'string' ? ` ${body}` : ''}`);
  const socket = await target.connect?.();
  const connection = socket === undefined ? { agent: false as const } : { createConnection: () => socket };
  const sentAt = performance.now();
  return new Promise<HttpAnswer>((resolve, reject) => {
    const send = url.protocol === 'https:' ? https.request : http.request;
    const outgoing = send(url, { method, headers, ...connection });
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${seconds(target.timeoutMs)}`));
    }, target.timeoutMs);
    outgoing.once('error', (error) => {
      clearTimeout(timer);
      trace.received(`(no answer: ${error.message})`);
      reject(new NoAnswer(error.message || String(error), { cause: error }));
    });
    outgoing.once('response', (incoming) => {
      clearTimeout(timer);
      trace.received(`${incoming.statusCode ?? 0} ${describeHeaders(incoming.headers)}`);
      const headAt = performance.now();
      readBody(incoming, { leaveWhen, timeoutMs: target.timeoutMs }, (read) => {
        outgoing.destroy();
        if (read.end !== 'complete') trace.received(`(the body ended: ${read.end})`);
        const status = incoming.statusCode ?? 0;
        const { headers } = incoming;
        resolve({ status, headers, json: parsed(read.body), ...read, sentAt, headAt, endedAt: performance.now() });
      });
    });
    // The result of this upgrade is of no interest here: any answer counts as an ordinary one.
    outgoing.once('upgrade', (incoming, socket) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new NoAnswer(`status ${incoming.statusCode ?? 0} in answer to no upgrade`));
    });
    outgoing.end(body);
  });
}

interface ReadBody extends Pick<HttpAnswer, 'body' | 'pieces' | 'end'> {}

function readBody(
  incoming: IncomingMessage,
  { leaveWhen, timeoutMs }: { leaveWhen: HttpRequest['leaveWhen']; timeoutMs: number },
  done: (read: ReadBody) => void,
): void {
  const pieces: Piece[] = [];
  let body = '';
  let bytes = 0;
  let ended = false;
  const end = (how: HttpAnswer['end']): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    done({ body, pieces, end: how });
  };
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  incoming.setEncoding('utf8');
  incoming.on('data', (text: string) => {
    if (ended) return;
    body += text;
    bytes += Buffer.byteLength(text);
    pieces.push({ at: performance.now(), text });
    if (bytes > maxBodyBytes || leaveWhen?.(body) === true) end('left');
  });
  incoming.once('end', () => end('complete'));
  incoming.once('error', () => end('cut'));
  incoming.once('close', () => end('cut'));
}

/** Headers that tell something about this API and contain no secret. */
const shownHeaders = [
  'content-type',
  'transfer-encoding',
  'upgrade',
  'allow',
  'retry-after',
  'www-authenticate',
  'server',
];

export function describeHeaders(headers: IncomingHttpHeaders): string {
  return shownHeaders
    .filter((name) => headers[name] !== undefined)
    .map((name) => `${name}: ${String(headers[name])}`)
    .join(', ');
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
