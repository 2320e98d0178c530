import { startDeadline } from '../base/clock.js';
import { abnormalClosure } from '../protocol/errors/close-codes.js';
import { maxEventBytes } from '../protocol/limits.js';
import { sanitize } from '../protocol/errors/server-error.js';
import type { EventText } from '../protocol/frame.js';
import type { Secrets } from '../protocol/errors/secrets.js';
import { encodeFrame, closePayload, opcodes } from '../websocket/frame.js';
import { MessageReader } from '../websocket/message-reader.js';
import { WebSocketViolation } from '../websocket/violation.js';
import { readBytes } from './connect/shared-read-buffer.js';
import type { Socket as NetSocket } from 'node:net';
import type { Clock, Timer } from '../base/clock.js';

/** Who is told of a socket. */
export interface WebSocketListener {
  message(text: EventText, bytes: number): void;
  /** The peer has sent a ping, and has been answered. */
  pinged(): void;
  ponged(payload: string): void;
  /** Called once, whatever ended it. `code` 1006: no close frame came. */
  closed(end: WebSocketEnd): void;
}

export interface WebSocketEnd {
  code: number;
  reason: string;
  /** A `Violation`: the peer broke the rules of WebSocket. Or what ended it from this side. */
  cause: Error | undefined;
  /** What it did, in words. */
  violation: string | undefined;
}

/** How long the peer has to end the connection once a close frame was sent or read, in milliseconds. */
const closeTimeout = 1000;

/**
 * A message in more frames ends the connection: a flood of tiny ones would be work without end (N8). The largest event passes in frames of
 * 4 KiB.
 */
const limits = { maxBytes: maxEventBytes, maxFragments: maxEventBytes / 4096 };

/**
 * open ──close frame sent or read, rules broken, FIN──▶ closing ──▶ closed
 *   └──────────────────the connection broke────────────────────────▶
 */
type State = 'open' | 'closing' | 'closed';

/**
 * One WebSocket after its upgrade (RFC 6455), the client's side.
 *
 * The implementation is this client's own for two reasons: the library has no dependency, and what ended a socket is exact (the close frame, the rule
 * that the server broke, the size that was exceeded).
 *
 * Not done on purpose: compression (P7), subprotocols (P5), binary messages.
 */
export class ClientWebSocket {
  /** `Network.identityOf` the headers it was dialled with. */
  readonly identity: string;
  /** The headers with which the upgrade was answered, without cookies; names in lower case. */
  readonly upgradeHeaders: Readonly<Record<string, string>>;
  readonly #raw: NetSocket;
  readonly #listener: WebSocketListener;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #reader: MessageReader;
  #state: State = 'open';
  /** What the peer's close frame said. */
  #closeFrame: { code: number; reason: string } | undefined;
  #reported = false;
  #timer: Timer | undefined;

  constructor(
    raw: NetSocket,
    { identity, upgradeHeaders, secrets }: Pick<ClientWebSocket, 'identity' | 'upgradeHeaders'> & { secrets: Secrets },
    listener: WebSocketListener,
    clock: Clock,
  ) {
    this.#raw = raw;
    this.identity = identity;
    this.upgradeHeaders = upgradeHeaders;
    this.#secrets = secrets;
    this.#listener = listener;
    this.#clock = clock;
    this.#reader = new MessageReader(
      {
        message: (text, bytes) => listener.message(text, bytes),
        ping: (payload) => {
          this.#write(opcodes.pong, payload);
          listener.pinged();
        },
        pong: (payload) => listener.ponged(payload.toString('latin1')),
        close: (code, reason) => this.#answerClose(code, reason),
      },
      limits,
    );
    raw.once('end', () => this.#startClosing());
    raw.once('close', () => this.#socketClosed());
    // That it ended is told by the `close` that follows. An `error` that nobody listens to would end the process (I5, I6).
    raw.on('error', () => {});
    // What came in one piece with the answer to the upgrade is read before anybody can use it: it may be the end.
    readBytes(raw, (bytes) => this.#read(bytes));
  }

  /** All bytes that ever came: they grow also in the middle of a frame. */
  get bytesRead(): number {
    return this.#raw.bytesRead;
  }

  /**
   * `done` is called once: when the operating system has taken the last byte, or with the error that kept it from doing so. The socket has
   * then ended, and `closed` tells how.
   */
  send(text: string, done: (error: Error | undefined) => void): void {
    if (this.#state !== 'open') return queueMicrotask(() => done(new Error('the WebSocket is closing')));
    this.#raw.write(encodeFrame(opcodes.text, text), (error) => done(error ?? undefined));
  }

  /** `ponged` of the listener brings the payload back. */
  ping(payload: string): void {
    this.#write(opcodes.ping, payload);
  }

  /** What was already read may still arrive. */
  pause(): void {
    this.#raw.pause();
  }

  resume(): void {
    this.#raw.resume();
  }

  /** An idle socket does not keep the process alive; one that a turn uses does. */
  ref(): void {
    this.#raw.ref();
  }

  unref(): void {
    this.#raw.unref();
  }

  /** Ends it with a close frame, and without one if the peer does not answer in time. */
  close(code: number, reason: string): void {
    this.#write(opcodes.close, closePayload(code, reason));
    this.#startClosing();
  }

  /** Ends it now. */
  terminate(): void {
    this.#raw.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof WebSocketViolation)) throw error;
      this.#write(opcodes.close, closePayload(error.closeCode, ''));
      this.#startClosing();
      // The turn need not wait for the peer's answer to that.
      this.#reportClosed({
        code: abnormalClosure,
        reason: '',
        cause: error,
        violation: `the server sent ${error.message}`,
      });
    }
  }

  /** The peer says goodbye. */
  #answerClose(code: number, reason: string): void {
    this.#closeFrame = { code, reason: sanitize(this.#secrets.redact(reason)) };
    this.#write(opcodes.close, closePayload(code, ''));
    this.#startClosing();
    this.#raw.end();
  }

  #write(opcode: number, payload: string | Uint8Array): void {
    if (this.#state === 'open') this.#raw.write(encodeFrame(opcode, payload));
  }

  /** It ends, in good order if the peer does its part in time. */
  #startClosing(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    // Who reads nothing never reads the answer.
    this.#raw.resume();
    this.#timer = startDeadline(this.#clock, closeTimeout, () => this.#raw.destroy());
  }

  #socketClosed(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
    // A connection that broke while it was paused may hold the end of an answer.
    const left = this.#raw.read() as Buffer | null;
    if (left !== null && !this.#reported) this.#read(left);
    this.#reportClosed({
      cause: undefined,
      violation: undefined,
      ...(this.#closeFrame ?? { code: abnormalClosure, reason: '' }),
    });
  }

  #reportClosed(end: WebSocketEnd): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#reader.stop();
    this.#listener.closed(end);
  }
}
