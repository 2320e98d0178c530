import { AnswerReader, HttpViolation } from '../http/answer-reader.js';
import { requestHead } from '../http/head.js';
import { startDeadline } from '../base/clock.js';
import { expectContinueBytes, expectContinueMs, maxHeadBytes } from '../protocol/limits.js';
import { takeBytes } from './intake.js';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.js';
import type { AnswerListener } from '../http/answer-reader.js';
import type { Head } from '../http/head.js';
import { CutShort } from './posts.js';
import type { ExchangeListener, Post } from './posts.js';

/** Who keeps a connection between two exchanges. */
export interface ConnectionKeeper {
  /** It may carry the next exchange, within so many milliseconds as the server gives it. */
  rested(connection: HttpConnection, ms: number): void;
  /** The server has not refused a request for its `Expect`. */
  takesExpect: boolean;
  gone(connection: HttpConnection): void;
}

interface Exchange {
  listener: ExchangeListener;
  reader: AnswerReader;
  /** Not yet written. */
  body: Buffer | undefined;
  /** For the word that the body is wanted. */
  expected: Timer | undefined;
  sent: boolean;
  restMs: number;
}

/**
 * One connection for HTTP/1.1, one exchange at a time. Ours and not `node:http`'s, because all of an answer passes through here: its parser
 * and the objects of each request took a quarter of what an event over SSE costs.
 */
export class HttpConnection implements AnswerListener {
  readonly #socket: Socket;
  readonly #keeper: ConnectionKeeper;
  readonly #clock: Clock;
  #exchange: Exchange | undefined;
  #error: Error | undefined;
  /** It has carried an exchange. */
  #begun = false;

  constructor(socket: Socket, keeper: ConnectionKeeper, clock: Clock) {
    this.#socket = socket;
    this.#keeper = keeper;
    this.#clock = clock;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.once('end', () => this.#ended());
    socket.once('close', () => {
      // A connection that broke while it was paused may hold the end of an answer.
      const left = socket.read() as Buffer | null;
      if (left !== null) this.#read(left);
      this.#ended();
    });
  }

  exchange({ url, headers, body }: Post, listener: ExchangeListener): void {
    const reader = new AnswerReader(this, maxHeadBytes);
    const exchange: Exchange = { listener, reader, body, expected: undefined, sent: false, restMs: Infinity };
    this.#exchange = exchange;
    this.#socket.ref();
    this.#socket.cork();
    const asks = body.length >= expectContinueBytes && this.#keeper.takesExpect;
    const about = { 'content-length': String(body.length), ...(asks && { expect: '100-continue' }) };
    this.#socket.write(requestHead('POST', url, { ...headers, ...about }), 'latin1');
    // Who knows nothing of `Expect` waits for the body.
    if (asks) exchange.expected = startDeadline(this.#clock, expectContinueMs, () => this.#writeBody(exchange));
    else this.#writeBody(exchange);
    this.#socket.uncork();
    // Not before: what has already come, behind a proxy's answer, belongs to this exchange (A11).
    if (!this.#begun) takeBytes(this.#socket, (bytes) => this.#read(bytes));
    this.#begun = true;
  }

  /** What was already read may still arrive. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Between two exchanges it does not keep the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends it now; nobody is told but its keeper. */
  destroy(): void {
    this.#release();
    this.#drop();
  }

  head(head: Head): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (exchange.body !== undefined) {
      if (head.status === 417) return this.#withdraw(exchange);
      if (head.status < 300) this.#writeBody(exchange);
      // A refusal of a body that was never sent.
      else exchange.expected?.cancel();
    }
    // A second less than the server's word: a request on its way when it ends the connection would be lost.
    const seconds = /(?:^|,)\s*timeout=(\d+)/i.exec(head.headers['keep-alive'] ?? '')?.[1];
    if (seconds !== undefined) exchange.restMs = Number(seconds) * 1000 - 1000;
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
    this.#release();
    this.#socket.resume();
    if (reusable && exchange.sent && exchange.restMs > 0) this.#keeper.rested(this, exchange.restMs);
    else this.#drop();
    exchange.listener.end();
  }

  /** Once. */
  #writeBody(exchange: Exchange): void {
    const { body, expected } = exchange;
    if (body === undefined) return;
    exchange.body = undefined;
    expected?.cancel();
    this.#socket.write(body, (error) => {
      // Its `error` and `close` follow.
      if (error !== undefined && error !== null) return;
      exchange.sent = true;
      if (this.#exchange === exchange) exchange.listener.sent();
    });
  }

  #withdraw({ listener }: Exchange): void {
    this.#keeper.takesExpect = false;
    this.destroy();
    listener.unexpected();
  }

  #release(): void {
    this.#exchange?.expected?.cancel();
    this.#exchange = undefined;
  }

  #read(chunk: Buffer): void {
    const exchange = this.#exchange;
    // Nobody has asked: what comes here would be taken for the next answer.
    if (exchange === undefined) return this.#drop();
    try {
      exchange.reader.push(chunk);
    } catch (error) {
      if (!(error instanceof HttpViolation)) throw error;
      this.#drop();
      this.#break(error);
    }
  }

  /** The other side sends no more. */
  #ended(): void {
    if (this.#exchange?.reader.close() !== true) this.#break(this.#error ?? new CutShort());
    this.#drop();
  }

  #drop(): void {
    this.#keeper.gone(this);
    this.#socket.destroy();
  }

  #break(error: Error): void {
    const exchange = this.#exchange;
    this.#release();
    exchange?.listener.broken(error);
  }
}
