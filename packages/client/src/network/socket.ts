import { startDeadline } from '../base/clock.js';
import { abnormalClosure } from '../protocol/errors/close-codes.js';
import { maxEventBytes } from '../protocol/limits.js';
import { sanitize } from '../protocol/errors/server-error.js';
import type { EventText } from '../protocol/frame.js';
import type { Secrets } from '../protocol/errors/secrets.js';
import { clientFrame, closePayload, opcodes } from '../websocket/frame.js';
import { MessageReader } from '../websocket/message-reader.js';
import { Violation } from '../websocket/violation.js';
import { takeBytes } from './intake.js';
import type { Socket as NetSocket } from 'node:net';
import type { Clock, Timer } from '../base/clock.js';

/** Who is told of a socket. */
export interface SocketListener {
  message(text: EventText, bytes: number): void;
  /** The peer has sent a ping, and has been answered. */
  pinged(): void;
  ponged(payload: string): void;
  /** Called once, whatever ended it. `code` 1006: no close frame came. */
  closed(end: SocketEnd): void;
}

export interface SocketEnd {
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
 * One WebSocket, open: a connection after its upgrade (RFC 6455). Ours, because each event passes through here: a library made for both sides,
 * extensions and streams costs as much per event as all the rest of this client.
 *
 * Not done, on purpose: no compression (P7; a deflate bomb is not worth its savings here), no subprotocol (P5), no binary messages.
 */
export class Socket {
  /** `Network.identityOf` the headers it was dialled with. */
  readonly identity: string;
  /** The headers with which the upgrade was answered, without cookies; names in lower case. */
  readonly welcome: Readonly<Record<string, string>>;
  readonly #raw: NetSocket;
  readonly #listener: SocketListener;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #reader: MessageReader;
  #state: State = 'open';
  /** What the peer's close frame said. */
  #farewell: { code: number; reason: string } | undefined;
  #told = false;
  #timer: Timer | undefined;

  constructor(
    raw: NetSocket,
    { identity, welcome, secrets }: Pick<Socket, 'identity' | 'welcome'> & { secrets: Secrets },
    listener: SocketListener,
    clock: Clock,
  ) {
    this.#raw = raw;
    this.identity = identity;
    this.welcome = welcome;
    this.#secrets = secrets;
    this.#listener = listener;
    this.#clock = clock;
    this.#reader = new MessageReader(
      {
        message: (text, bytes) => listener.message(text, bytes),
        pinged: (payload) => {
          this.#say(opcodes.pong, payload);
          listener.pinged();
        },
        ponged: (payload) => listener.ponged(payload.toString('latin1')),
        closing: (code, reason) => this.#answer(code, reason),
      },
      limits,
    );
    raw.once('end', () => this.#leave());
    raw.once('close', () => this.#closed());
    // That it ended is told by the `close` that follows. An `error` that nobody listens to would end the process (I5, I6).
    raw.on('error', () => {});
    // What came in one piece with the answer to the upgrade is read before anybody can use it: it may be the end.
    takeBytes(raw, (bytes) => this.#read(bytes));
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
    this.#raw.write(clientFrame(opcodes.text, text), (error) => done(error ?? undefined));
  }

  /** `ponged` of the listener brings the payload back. */
  ping(payload: string): void {
    this.#say(opcodes.ping, payload);
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
    this.#say(opcodes.close, closePayload(code, reason));
    this.#leave();
  }

  /** Ends it now. */
  terminate(): void {
    this.#raw.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#say(opcodes.close, closePayload(error.closeCode, ''));
      this.#leave();
      // The turn need not wait for the peer's answer to that.
      this.#tell({ code: abnormalClosure, reason: '', cause: error, violation: `the server sent ${error.message}` });
    }
  }

  /** The peer says goodbye. */
  #answer(code: number, reason: string): void {
    this.#farewell = { code, reason: sanitize(this.#secrets.redact(reason)) };
    this.#say(opcodes.close, closePayload(code, ''));
    this.#leave();
    this.#raw.end();
  }

  #say(opcode: number, payload: string | Uint8Array): void {
    if (this.#state === 'open') this.#raw.write(clientFrame(opcode, payload));
  }

  /** It ends, in good order if the peer does its part in time. */
  #leave(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    // Who reads nothing never reads the answer.
    this.#raw.resume();
    this.#timer = startDeadline(this.#clock, closeTimeout, () => this.#raw.destroy());
  }

  #closed(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
    // A connection that broke while it was paused may hold the end of an answer.
    const left = this.#raw.read() as Buffer | null;
    if (left !== null && !this.#told) this.#read(left);
    this.#tell({
      cause: undefined,
      violation: undefined,
      ...(this.#farewell ?? { code: abnormalClosure, reason: '' }),
    });
  }

  #tell(end: SocketEnd): void {
    if (this.#told) return;
    this.#told = true;
    this.#reader.stop();
    this.#listener.closed(end);
  }
}
