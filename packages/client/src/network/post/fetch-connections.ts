import { dialFailure } from '../failure.js';
import type { ExchangeListener, Post, PostConnection, PostConnections } from './post.js';

type Fetch = typeof globalThis.fetch;

/** Sends POSTs by a fetch of the caller, which has its own connections and proxy, and may be mocked or observed. */
export class FetchConnections implements PostConnections {
  readonly #fetch: Fetch;
  readonly #route: string;

  /** @param route where requests go, for messages. */
  constructor(fetch: Fetch, route: string) {
    this.#fetch = fetch;
    this.#route = route;
  }

  acquire(): Promise<{ connection: PostConnection; reused: boolean }> {
    return Promise.resolve({ connection: new FetchConnection(this.#fetch, this.#route), reused: false });
  }

  destroy(): void {
    // The fetch keeps its own connections.
  }
}

class FetchConnection implements PostConnection {
  readonly #fetch: Fetch;
  readonly #route: string;
  readonly #abortController = new AbortController();
  /** Resumes the loop that reads the body. */
  #resumeReading: (() => void) | undefined;
  #paused = false;

  constructor(fetch: Fetch, route: string) {
    this.#fetch = fetch;
    this.#route = route;
  }

  exchange(post: Post, listener: ExchangeListener): void {
    void this.#run(post, listener);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#resumeReading?.();
  }

  destroy(): void {
    this.#abortController.abort();
    this.resume();
  }

  async #run({ url, headers, body }: Post, listener: ExchangeListener): Promise<void> {
    const { signal } = this.#abortController;
    try {
      // A fetch does not tell when the request was sent: from here on the server may have all of it.
      listener.sent();
      const ordinary = this.#fetch;
      // The fetch sets its own `accept-encoding`.
      const { 'accept-encoding': _, ...own } = headers;
      const response = await ordinary(url.href, {
        method: 'POST',
        headers: own,
        body: body.toString(),
        // A redirect would carry the key to another place (N2).
        redirect: 'manual',
        signal,
      });
      listener.head({ status: response.status, headers: headersOf(response), persistent: false });
      for await (const chunk of chunksOf(response)) {
        if (this.#paused) await new Promise<void>((resolve) => (this.#resumeReading = resolve));
        if (signal.aborted) return;
        listener.body(bytesOf(chunk));
      }
      if (!signal.aborted) listener.end();
    } catch (error) {
      if (!signal.aborted) listener.failed(this.#failureOf(error));
    }
  }

  /** The cause of "fetch failed". If it says that there was no connection, nothing was sent. */
  #failureOf(error: unknown): Error {
    const under = (error as { cause?: unknown } | undefined)?.cause;
    const cause = under instanceof Error ? under : error;
    const failure = dialFailure(this.#route, cause);
    const { code } = (cause ?? {}) as { code?: unknown };
    if (!failure.retryable || notConnectedCodes.has(code)) return failure;
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

/** Codes of Node, undici and Bun for: no connection. */
const notConnectedCodes: ReadonlySet<unknown> = new Set([
  'ConnectionRefused',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The headers without those of the framing, which the fetch has undone. */
function headersOf({ headers }: Response): Record<string, string> {
  const all = Object.fromEntries(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) delete all[name];
  return all;
}

/** The bytes of a chunk. Bodies of mocks have texts and array buffers as well, which SDKs read. */
function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Buffer.from(chunk as ArrayBuffer);
}

/** The chunks of a body. A mocked response may have no stream. */
async function* chunksOf(response: Response): AsyncGenerator<unknown, void> {
  const { body } = response;
  if (body !== null && body !== undefined && Symbol.asyncIterator in body) yield* body;
  else yield new Uint8Array(await response.arrayBuffer());
}
