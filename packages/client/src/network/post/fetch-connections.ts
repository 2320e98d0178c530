import { dialFailure } from '../failure.js';
import type { ExchangeListener, Post, PostConnection, PostConnections } from './post.js';

type Fetch = typeof globalThis.fetch;

/** POSTs by a fetch of the caller's: its connections, its proxy and what it is mocked or observed by are its own. */
export class FetchConnections implements PostConnections {
  readonly #fetch: Fetch;
  readonly #route: string;

  /** `route` is for people: where a request goes to. */
  constructor(fetch: Fetch, route: string) {
    this.#fetch = fetch;
    this.#route = route;
  }

  acquire(): Promise<{ connection: PostConnection; reused: boolean }> {
    return Promise.resolve({ connection: new FetchConnection(this.#fetch, this.#route), reused: false });
  }

  destroy(): void {
    // What rests is the fetch's.
  }
}

class FetchConnection implements PostConnection {
  readonly #fetch: Fetch;
  readonly #route: string;
  readonly #abortController = new AbortController();
  /** Of a reader that waits: goes on. */
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
      // How much of it has left is not told: from here on the server may have it all.
      listener.sent();
      const ordinary = this.#fetch;
      // What it decodes, the fetch says itself.
      const { 'accept-encoding': _, ...own } = headers;
      const response = await ordinary(url.href, {
        method: 'POST',
        headers: own,
        body: body.toString(),
        // A redirect would carry the key elsewhere (N2).
        redirect: 'manual',
        signal,
      });
      listener.head({ status: response.status, headers: headersOf(response), persistent: false });
      for await (const chunk of chunksOf(response)) {
        if (this.#paused) await new Promise<void>((resolve) => (this.#resumeReading = resolve));
        if (signal.aborted) return;
        listener.body(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      }
      if (!signal.aborted) listener.end();
    } catch (error) {
      if (!signal.aborted) listener.failed(this.#failureOf(error));
    }
  }

  /** What lies under "fetch failed"; where it says that there was no connection, nothing was sent. */
  #failureOf(error: unknown): Error {
    const under = (error as { cause?: unknown } | undefined)?.cause;
    const cause = under instanceof Error ? under : error;
    const failure = dialFailure(this.#route, cause);
    const { code } = (cause ?? {}) as { code?: unknown };
    if (!failure.retryable || notConnectedCodes.has(code)) return failure;
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

/** By Node's names, undici's and Bun's. */
const notConnectedCodes: ReadonlySet<unknown> = new Set([
  'ConnectionRefused',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Without those of a framing that the fetch has undone. */
function headersOf({ headers }: Response): Record<string, string> {
  const all = Object.fromEntries(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) delete all[name];
  return all;
}

/** A body that is mocked may have no stream. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array, void> {
  const { body } = response;
  if (body !== null && body !== undefined && Symbol.asyncIterator in body) yield* body;
  else yield new Uint8Array(await response.arrayBuffer());
}
