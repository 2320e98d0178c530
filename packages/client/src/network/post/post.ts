import type { ResponseHead } from '../../http/head.js';

/** A POST. `host` and `content-length` are added when it is sent. */
export interface Post {
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /**
   * The body is sent only once the server has asked for it (`100 Continue`), or has begun to answer; the exchange fails with `dial_timeout` when neither
   * comes within so many milliseconds. @default without a limit: a large body is sent after a short wait, and a small one at once
   */
  continueMs?: number | undefined;
}

/** The server has ended the connection in good order (FIN) before its response was whole. Most proxies cut like this. */
export class PrematureCloseError extends Error {
  constructor() {
    super('the other side closed the connection before its answer was whole');
    this.name = 'PrematureCloseError';
  }
}

/** A request on its way, and its response. */
export interface ExchangeListener {
  /** A connection is there; `reused` if it has carried other requests. */
  connected(reused: boolean): void;
  /** The request goes out now, with a body of so many bytes. */
  sending(bytes: number): void;
  /** The server does not know `Expect`, and has got nothing of the body: the request must be sent again. No call follows. */
  expectRejected(): void;
  /** The operating system has taken the whole request. */
  sent(): void;
  head(head: ResponseHead): void;
  body(bytes: Buffer): void;
  /** The response is whole. */
  end(): void;
  /**
   * The exchange failed: by an `HttpProtocolError`, a `PrematureCloseError`, an error of the operating system, or a `TurnwireError` that says more. No call
   * follows.
   */
  failed(error: Error): void;
}

/** A connection for one POST at a time. */
export interface PostConnection {
  exchange(post: Post, listener: ExchangeListener): void;
  /** Stops reading. Bytes that were read already may still arrive. */
  pause(): void;
  resume(): void;
  /** Ends the connection now. */
  destroy(): void;
}

/** The connections of POSTs. */
export interface PostConnections {
  /** A kept connection that was idle for `maxIdleMs` at most, else a new one. */
  acquire(maxIdleMs: number, signal: AbortSignal): Promise<{ connection: PostConnection; reused: boolean }>;
  /** Ends the idle connections. */
  destroy(): void;
}
