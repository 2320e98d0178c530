import { expectContinueBytes, expectContinueMs, maxHeadBytes } from '../../base/bounds.js';
import { HttpResponseReader, HttpProtocolError } from '../../http/response-reader.js';
import { encodeRequestHead, originForm } from '../../http/head.js';
import { startDeadline } from '../../base/clock.js';
import { TurnwireError } from '../../protocol/errors/errors.js';
import { readBytes } from '../connect/shared-read-buffer.js';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.js';
import type { HttpResponseListener } from '../../http/response-reader.js';
import type { ResponseHead } from '../../http/head.js';
import { PrematureCloseError } from './post.js';
import type { ExchangeListener, Post, PostConnection } from './post.js';

/** Keeps a connection between two exchanges. */
export interface HttpConnectionOwner {
  /** The connection may carry another exchange within `ms` milliseconds, by the server's word. */
  idle(connection: HttpConnection, ms: number): void;
  /** False once the server has refused a request because of its `Expect`. */
  acceptsExpect: boolean;
  removed(connection: HttpConnection): void;
}

interface Exchange {
  listener: ExchangeListener;
  reader: HttpResponseReader;
  /** The body, until it is written. */
  body: Buffer | undefined;
  /** Runs while `100 Continue` is awaited. */
  continueTimer: Timer | undefined;
  sent: boolean;
  maxIdleMs: number;
}

/**
 * One connection for HTTP/1.1 (RFC 9112), one exchange at a time.
 *
 * The implementation is this client's own for two reasons: the library has no dependency, and an error is exact (nothing sent, sent without an
 * answer, cut in the middle), which decides whether a turn may be sent again.
 */
export class HttpConnection implements HttpResponseListener, PostConnection {
  readonly #socket: Socket;
  readonly #owner: HttpConnectionOwner;
  readonly #clock: Clock;
  #exchange: Exchange | undefined;
  #error: Error | undefined;
  /** The connection has carried an exchange. */
  #used = false;

  constructor(socket: Socket, keeper: HttpConnectionOwner, clock: Clock) {
    this.#socket = socket;
    this.#owner = keeper;
    this.#clock = clock;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.once('end', () => this.#ended());
    socket.once('close', () => {
      // A connection that broke while it was paused may hold the end of a response.
      const left = socket.read() as Buffer | null;
      if (left !== null) this.#read(left);
      this.#ended();
    });
  }

  exchange({ url, headers, body, continueMs }: Post, listener: ExchangeListener): void {
    const reader = new HttpResponseReader(this, maxHeadBytes);
    const exchange: Exchange = { listener, reader, body, continueTimer: undefined, sent: false, maxIdleMs: Infinity };
    this.#exchange = exchange;
    this.#socket.ref();
    this.#socket.cork();
    const asks = this.#owner.acceptsExpect && (continueMs !== undefined || body.length >= expectContinueBytes);
    const about = { 'content-length': String(body.length), ...(asks && { expect: '100-continue' }) };
    this.#socket.write(encodeRequestHead('POST', originForm(url), { host: url.host, ...headers, ...about }), 'latin1');
    if (asks) exchange.continueTimer = this.#awaitContinue(exchange, url, continueMs);
    else this.#writeBody(exchange);
    this.#socket.uncork();
    // Bytes that came behind a proxy's response belong to this exchange (A11).
    if (!this.#used) readBytes(this.#socket, (bytes) => this.#read(bytes));
    this.#used = true;
  }

  /** Stops reading. Bytes that were read already may still arrive. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** An idle connection does not keep the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends the connection now. Only its owner is told. */
  destroy(): void {
    this.#endExchange();
    this.#drop();
  }

  head(head: ResponseHead): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (exchange.body !== undefined) {
      if (head.status === 417) return this.#retryWithoutExpect(exchange);
      if (head.status < 300) this.#writeBody(exchange);
      // The server refuses without having seen the body.
      else exchange.continueTimer?.cancel();
    }
    // One second less than the server's time-out: a request on its way at that moment would be lost.
    const seconds = /(?:^|,)\s*timeout=(\d+)/i.exec(head.headers['keep-alive'] ?? '')?.[1];
    if (seconds !== undefined) exchange.maxIdleMs = Number(seconds) * 1000 - 1000;
    exchange.listener.head(head);
  }

  interim(status: number): void {
    if (status === 100 && this.#exchange !== undefined) this.#writeBody(this.#exchange);
  }

  body(bytes: Buffer): void {
    this.#exchange?.listener.body(bytes);
  }

  end(reusable: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#endExchange();
    this.#socket.resume();
    if (reusable && exchange.sent && exchange.maxIdleMs > 0) this.#owner.idle(this, exchange.maxIdleMs);
    else this.#drop();
    exchange.listener.end();
  }

  #awaitContinue(exchange: Exchange, { origin }: URL, ms: number | undefined): Timer {
    // A server that does not know `Expect` waits for the body.
    if (ms === undefined) return startDeadline(this.#clock, expectContinueMs, () => this.#writeBody(exchange));
    return startDeadline(this.#clock, ms, () => {
      const how = `${origin} did not ask for the body of a request within ${ms} ms (timeouts.dialMs), and has not got it`;
      this.#drop();
      this.#failExchange(new TurnwireError('dial_timeout', how));
    });
  }

  /** Writes the body, once. */
  #writeBody(exchange: Exchange): void {
    const { body, continueTimer } = exchange;
    if (body === undefined) return;
    exchange.body = undefined;
    continueTimer?.cancel();
    this.#socket.write(body, (error) => {
      // The `error` and `close` of the socket follow.
      if (error !== undefined && error !== null) return;
      exchange.sent = true;
      if (this.#exchange === exchange) exchange.listener.sent();
    });
  }

  #retryWithoutExpect({ listener }: Exchange): void {
    this.#owner.acceptsExpect = false;
    this.destroy();
    listener.expectRejected();
  }

  #endExchange(): void {
    this.#exchange?.continueTimer?.cancel();
    this.#exchange = undefined;
  }

  #read(chunk: Buffer): void {
    const exchange = this.#exchange;
    // Bytes without a request would be taken for the next response.
    if (exchange === undefined) return this.#drop();
    try {
      exchange.reader.push(chunk);
    } catch (error) {
      if (!(error instanceof HttpProtocolError)) throw error;
      this.#drop();
      this.#failExchange(error);
    }
  }

  /** The server sends no more. */
  #ended(): void {
    if (this.#exchange?.reader.close() !== true) this.#failExchange(this.#error ?? new PrematureCloseError());
    this.#drop();
  }

  #drop(): void {
    this.#owner.removed(this);
    this.#socket.destroy();
  }

  #failExchange(error: Error): void {
    const exchange = this.#exchange;
    this.#endExchange();
    exchange?.listener.failed(error);
  }
}
