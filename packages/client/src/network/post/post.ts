import type { HttpConnection } from './http-connection.js';
import type { ResponseHead } from '../../http/head.js';

/** A request as a transport makes it; how long its body is, and to which host it goes, says what sends it. */
export interface Post {
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** The other side has ended the connection in good order (FIN) before its answer was whole: most proxies cut so. */
export class PrematureCloseError extends Error {
  constructor() {
    super('the other side closed the connection before its answer was whole');
    this.name = 'CutShort';
  }
}

/** Who is told of a request and of its answer. */
export interface ExchangeListener {
  /** A connection is there; `reused` if it has carried other requests. */
  connected(reused: boolean): void;
  /** The request goes out now, with a body of so many bytes. */
  sending(bytes: number): void;
  /** The server does not know `Expect`, and has got nothing of the body: the request is to be made again. Nothing is told after it. */
  expectRejected(): void;
  /** All of the request has left this process. */
  sent(): void;
  head(head: ResponseHead): void;
  body(bytes: Buffer): void;
  /** The answer is whole. */
  end(): void;
  /**
   * It broke before that: `HttpViolation`, `CutShort`, what the operating system says, or a `TurnwireError` where more is known than that. Nothing is told
   * after it.
   */
  failed(error: Error): void;
}

/** What carries one POST at a time. */
export type PostConnection = Pick<HttpConnection, 'destroy' | 'exchange' | 'pause' | 'resume'>;

/** Where the connections for POSTs come from. */
export interface PostConnections {
  /** One that has rested for `maxIdleMs` at most. */
  acquire(maxIdleMs: number, signal: AbortSignal): Promise<{ connection: PostConnection; reused: boolean }>;
  /** Ends those that rest. */
  destroy(): void;
}
