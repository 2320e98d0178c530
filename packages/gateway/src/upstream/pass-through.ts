import { IncomingMessage } from 'node:http';
import { PassThrough as PipedBody } from 'node:stream';
import { proxyFor } from '@turnwire/client/proxy';
// Imported by its file: for the bare name Bun has an HTTP client of its own, which knows no dispatcher, and so neither time limit nor proxy.
import { Agent, ProxyAgent, errors } from 'undici/index.js';
import { announceClose } from '../base/lingering-close.js';
import { Refusal } from '../base/refusal.js';
import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { UpstreamConfig } from '../config/schema.js';

/** A request that the gateway passes on without reading a turn in it. */
export interface PassedRequest {
  method: string;
  /** The path below the base, with its query: `/models?limit=2`. */
  path: string;
  headers: Readonly<Record<string, string>>;
  /** The request itself, to be streamed; or the body, where the gateway has read it. */
  body: IncomingMessage | Buffer | undefined;
  signal: AbortSignal;
}

export type PassedAnswer = Dispatcher.ResponseData;

/** Headers of the connection, which are removed in both directions. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Passes on every request that is no turn, over HTTP. */
export class PassThrough {
  readonly #base: URL;
  readonly #dispatcher: Dispatcher;

  constructor({
    base_url: base,
    first_event_ms: headersTimeout,
    idle_ms: bodyTimeout,
    dial_ms: timeout,
  }: UpstreamConfig) {
    this.#base = new URL(base);
    const proxy = proxyFor(this.#base);
    const options = { headersTimeout, bodyTimeout, connect: { timeout } };
    this.#dispatcher =
      proxy === undefined
        ? new Agent(options)
        : new ProxyAgent({
            ...options,
            uri: proxy.url,
            ...(proxy.authorization !== undefined && { token: proxy.authorization }),
          });
  }

  /** @throws Refusal when the upstream does not answer. */
  async ask({ method, path, headers, body, signal }: PassedRequest): Promise<PassedAnswer> {
    try {
      return await this.#dispatcher.request({
        origin: this.#base.origin,
        path: this.#below(path),
        method,
        headers,
        // undici destroys a body that an early answer has made needless; the request itself is still read to its end.
        body: body instanceof IncomingMessage ? body.pipe(new PipedBody()) : (body ?? null),
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw unreachable(cause);
    }
  }

  /** Closes the connections once the running requests have ended. */
  async close(): Promise<void> {
    await this.#dispatcher.close();
  }

  async destroy(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Joins the base and a path, as both were written. The base may have a path and a query of its own: both stay. */
  #below(path: string): string {
    const at = path.includes('?') ? path.indexOf('?') : path.length;
    const base = this.#base.pathname.replace(/\/+$/, '') + path.slice(0, at);
    const { search } = this.#base;
    if (search === '') return base + path.slice(at);
    return at + 1 < path.length ? `${base}${search}&${path.slice(at + 1)}` : base + search;
  }
}

/** The headers of an answer without those of its connection. */
function answerHeaders(headers: PassedAnswer['headers']): Record<string, string | string[]> {
  const connection = new Set(namesIn([headers['connection'] ?? []].flat().join(',')));
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopByHop.has(name) && !connection.has(name)) kept[name] = value;
  return kept;
}

function namesIn(list: string): string[] {
  return list.split(',').map((name) => name.trim().toLowerCase());
}

const noBytes = Buffer.alloc(0);

/** Passes an answer on, as fast as the client takes it. Where its body breaks off, the client's body breaks off too. */
export async function passAnswerOn(
  answer: PassedAnswer,
  response: ServerResponse,
  headers = answerHeaders(answer.headers),
): Promise<void> {
  announceClose(response);
  response.writeHead(answer.statusCode, answer.statusText, headers);
  // Sends the head now. A head that goes before text, as `flushHeaders` sends it, is written as UTF-8: what is not ASCII in it would be encoded twice.
  response.write(noBytes);
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await drained(response);
    }
    response.end();
  } catch {
    response.destroy();
  }
}

/** Resolves when the response takes more, or when the client has left. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.removeListener('drain', go);
      response.removeListener('close', go);
      resolve();
    };
    response.once('drain', go);
    response.once('close', go);
    if (response.destroyed) go();
  });
}

function unreachable(cause: unknown): Refusal {
  const isSlow = cause instanceof errors.HeadersTimeoutError || cause instanceof errors.ConnectTimeoutError;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new Refusal(
    isSlow ? 'the upstream gave no answer in time' : `the upstream could not be reached (${code ?? message})`,
    { status: isSlow ? 504 : 502, code: isSlow ? 'upstream_timeout' : 'upstream_unreachable' },
  );
}
