import { closeMs, maxEventBytes } from '../base/bounds.js';
import { startDeadline } from '../base/clock.js';
import { abnormalClosure } from '../protocol/errors/close-codes.js';
import { sanitize } from '../protocol/errors/server-error.js';
import type { Secrets } from '../protocol/errors/secrets.js';
import { FrameMemory } from '../websocket/frame-memory.js';
import { encodeFrame, closePayload, opcodes } from '../websocket/frame.js';
import { MessageReader } from '../websocket/message-reader.js';
import { WebSocketProtocolError } from '../websocket/protocol-error.js';
import { readBytes } from './connect/shared-read-buffer.js';
import type { Socket as NetSocket } from 'node:net';
import type { Clock, Timer } from '../base/clock.js';
import type { MessageText } from '../websocket/frame.js';

export type { MessageText } from '../websocket/frame.js';

/** The messages and the end of a WebSocket. */
export interface WebSocketListener {
  message(text: string, bytes: number): void;
  /** The server has sent a ping, and was answered. */
  pinged(): void;
  ponged(payload: string): void;
  /** The socket has ended. Called once. The code is 1006 if no close frame came. */
  closed(end: WebSocketEnd): void;
}

export interface WebSocketEnd {
  code: number;
  reason: string;
  /** A `WebSocketProtocolError` of the server, or what ended the socket on this side. */
  cause: Error | undefined;
  /** What the server did wrong, as a sentence. */
  violation: string | undefined;
}

/** The limits of a message. Without a limit of frames, a flood of tiny ones would be work without end (N8). The largest event passes in frames of 4 KiB. */
const limits = { maxBytes: maxEventBytes, maxFragments: maxEventBytes / 4096 };

/** Of all WebSockets of this process: frames are written one after the other. */
const frameMemory = new FrameMemory();

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
  /** The fingerprint of the headers of the handshake: `Network.identityOf`. */
  readonly identity: string;
  /** The response headers of the upgrade, without cookies; names in lower case. */
  readonly upgradeHeaders: Readonly<Record<string, string>>;
  readonly #raw: NetSocket;
  readonly #listener: WebSocketListener;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #reader: MessageReader;
  /** When the bytes that are being read, or the last ones, came; on the clock. */
  heardAt: number;
  #state: State = 'open';
  /** The close frame of the server. */
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
    this.heardAt = clock.now();
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
    // `close` follows. Without a listener an `error` would end the process (I5, I6).
    raw.on('error', () => {});
    // Frames that came in one piece with the upgrade are read first: they may end the socket.
    readBytes(raw, (bytes) => this.#read(bytes));
  }

  /** All bytes received so far. The number also grows in the middle of a frame. */
  get bytesRead(): number {
    return this.#raw.bytesRead;
  }

  /**
   * Sends a text. `done` is called once: when the operating system has taken the last byte, or with an error. After an error the socket has ended, and
   * `closed` follows.
   */
  send(text: MessageText, done: (error: Error | undefined) => void): void {
    if (this.#state !== 'open') return queueMicrotask(() => done(new Error('the WebSocket is closing')));
    let memory: Buffer | undefined;
    const frame = encodeFrame(opcodes.text, text, (length) => (memory = frameMemory.take(length)));
    this.#raw.write(frame, (error) => {
      // After an error the system may still read the memory.
      if (!error && memory !== undefined) frameMemory.giveBack(memory);
      done(error ?? undefined);
    });
  }

  /** Sends a ping; `ponged` brings the payload back. */
  ping(payload: string): void {
    this.#write(opcodes.ping, payload);
  }

  /** Stops reading. Messages that were read already may still arrive. */
  pause(): void {
    this.#raw.pause();
  }

  resume(): void {
    this.#raw.resume();
  }

  /** Keeps the process alive: a turn uses the socket. */
  ref(): void {
    this.#raw.ref();
  }

  unref(): void {
    this.#raw.unref();
  }

  /** Closes with a close frame. Without an answer in time the socket is destroyed. */
  close(code: number, reason: string): void {
    this.#write(opcodes.close, closePayload(code, reason));
    this.#startClosing();
  }

  /** Destroys the socket now. */
  terminate(): void {
    this.#raw.destroy();
  }

  #read(chunk: Buffer): void {
    this.heardAt = this.#clock.now();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.#write(opcodes.close, closePayload(error.closeCode, ''));
      this.#startClosing();
      // The turn does not wait for the server's close frame.
      this.#reportClosed({
        code: abnormalClosure,
        reason: '',
        cause: error,
        violation: `the server sent ${error.message}`,
      });
    }
  }

  /** Answers a close frame. */
  #answerClose(code: number, reason: string): void {
    this.#closeFrame = { code, reason: sanitize(this.#secrets.redact(reason)) };
    this.#write(opcodes.close, closePayload(code, ''));
    this.#startClosing();
    this.#raw.end();
  }

  #write(opcode: number, payload: string | Uint8Array): void {
    if (this.#state === 'open') this.#raw.write(encodeFrame(opcode, payload));
  }

  /** Starts closing: the server has a bounded time to end the connection. */
  #startClosing(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    // A paused socket would never read the close frame.
    this.#raw.resume();
    this.#timer = startDeadline(this.#clock, closeMs, () => this.#raw.destroy());
  }

  #socketClosed(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
    // A connection that broke while it was paused may hold unread frames.
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
