import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../base/clock.js';
import { sleep } from '../base/sleep.js';
import { setImmediate, setTimeout } from '../base/timers.js';
import { sseEvent, openEventStream } from '../listener/event-stream.js';
import { reset } from '../listener/reset.js';
import type { Frame } from '../wire/wire.js';
import type { Fault } from './fault.js';

/** The time between two pieces of a throttled connection, in milliseconds. */
const pieceMs = 50;

/** The delay of a reset, in milliseconds. Without it the reset would overtake the bytes that were sent right before it. */
const resetAfterMs = 20;

/** The actions of faults and of replay on the connection under a turn. One object belongs to one WebSocket, or to one POST. */
export interface ConnectionControl {
  /** The faults that the upgrade or the POST has asked for and that strike a turn. The first turn of the connection takes them. */
  readonly firstTurnFaults: Fault[];
  isThrottled(): boolean;
  /** Closes a WebSocket with a close frame. Over HTTP the answer ends early, with a well-formed body. */
  close(code: number, reason: string): void;
  /** Ends the TCP connection with a FIN, without a closing handshake or the end of the body. */
  end(): void;
  reset(): void;
  /** Sends the first `bytes` bytes of an event (default: half of it), as if the rest were to follow. */
  cut(frame: Frame, bytes: number | undefined): void;
  /** Stops reading and writing, and leaves the connection open. Bytes that are written afterwards are held back. */
  blackHole(): void;
  ignorePings(): void;
  throttle(bytesPerSecond: number): void;
  /** Sends an event at the throttled rate, after the events that are still being sent. */
  sendThrottled(frame: Frame, signal: AbortSignal): Promise<void>;
}

/** The control of the connection of a WebSocket. */
export function webSocketControl(
  webSocket: WebSocket,
  tcp: Duplex,
  clock: Clock,
  firstTurnFaults: Fault[],
): ConnectionControl {
  let ignoresPings = false;
  // Pongs are sent here, and not by ws (`autoPong: false`), so that a fault can leave them out.
  webSocket.on('ping', (data: Buffer) => {
    if (!ignoresPings && webSocket.readyState === webSocket.OPEN) webSocket.pong(data);
  });
  const throttle = new Throttle(clock, (frame, pieces) => fragments(webSocket, frame, pieces));
  return {
    ...common(tcp, firstTurnFaults),
    close: (code, reason) => webSocket.close(code, reason),
    cut({ text }, bytes) {
      const payload = Buffer.from(text);
      tcp.write(Buffer.concat([frameHead(payload.byteLength), payload.subarray(0, bytes ?? payload.byteLength >> 1)]));
    },
    ignorePings: () => void (ignoresPings = true),
    isThrottled: () => throttle.isOn,
    throttle: (bytesPerSecond) => throttle.setRate(bytesPerSecond),
    sendThrottled: (frame, signal) => throttle.send(frame, signal),
  };
}

/** The control of the connection of a POST. Each POST has one and few have faults, so it is a class, whose methods cost nothing per object. */
export class HttpConnectionControl implements ConnectionControl {
  readonly firstTurnFaults: Fault[];
  readonly #response: ServerResponse;
  readonly #tcp: Duplex;
  readonly #clock: Clock;
  #throttle: Throttle | undefined;
  /** Whether the answer is an event stream; otherwise it is one JSON body. */
  streams = false;

  constructor(response: ServerResponse, clock: Clock, firstTurnFaults: Fault[]) {
    this.firstTurnFaults = firstTurnFaults;
    this.#response = response;
    this.#tcp = response.socket ?? new Socket();
    this.#clock = clock;
  }

  close(): void {
    if (this.#response.headersSent) this.#response.end();
    else this.#tcp.end();
  }

  /** Ends the TCP connection in the next tick: Node.js holds the chunks of one tick back, and version 26 drops them if the socket ends in it. */
  end(): void {
    setImmediate(() => this.#tcp.end());
  }

  reset(): void {
    setTimeout(reset, resetAfterMs, this.#tcp);
  }

  cut(frame: Frame, bytes: number | undefined): void {
    const whole = Buffer.from(this.streams ? sseEvent(frame) : frame.text);
    if (this.streams) openEventStream(this.#response);
    else this.#response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.byteLength });
    this.#response.write(whole.subarray(0, bytes ?? whole.byteLength >> 1));
  }

  /** Corks the socket in the next tick: Node.js holds the chunks of one tick back, and those of the current tick have to arrive. */
  blackHole(): void {
    this.#tcp.pause();
    setImmediate(() => this.#tcp.cork());
  }

  /** Does nothing: HTTP has no pings, and a request that asks for this fault is refused before. */
  ignorePings(): void {
    return undefined;
  }

  isThrottled(): boolean {
    return this.#throttle !== undefined;
  }

  throttle(bytesPerSecond: number): void {
    this.#throttle ??= new Throttle(this.#clock, async (frame, pieces) => {
      openEventStream(this.#response);
      for await (const piece of pieces(Buffer.from(sseEvent(frame)))) this.#response.write(piece);
    });
    this.#throttle.setRate(bytesPerSecond);
  }

  async sendThrottled(frame: Frame, signal: AbortSignal): Promise<void> {
    await this.#throttle?.send(frame, signal);
  }
}

/** The control of the connection of an upgrade that was not answered yet. It has no events to cut or to throttle. */
export function upgradeControl(tcp: Duplex): ConnectionControl {
  return {
    ...common(tcp, []),
    close: () => void tcp.end(),
    cut: () => void tcp.end(),
    ignorePings: () => undefined,
    isThrottled: () => false,
    throttle: () => undefined,
    sendThrottled: () => Promise.resolve(),
  };
}

function common(
  tcp: Duplex,
  firstTurnFaults: Fault[],
): Pick<ConnectionControl, 'firstTurnFaults' | 'end' | 'reset' | 'blackHole'> {
  return {
    firstTurnFaults,
    end: () => void tcp.end(),
    reset: () => void setTimeout(reset, resetAfterMs, tcp),
    blackHole() {
      tcp.pause();
      tcp.cork();
    },
  };
}

/** Gives out the pieces of a message, each when the rate allows it. */
type Pieces = (whole: Buffer) => AsyncIterable<Buffer>;

/** The rate at which a connection sends, once a fault has set one. */
class Throttle {
  readonly #clock: Clock;
  readonly #sendPieces: (frame: Frame, pieces: Pieces) => Promise<void>;
  #bytesPerSecond = Infinity;
  /** The event that is sent last. Events follow each other, because the turns of all lanes share the rate and frames must not be mixed. */
  #last: Promise<void> = Promise.resolve();

  constructor(clock: Clock, sendPieces: (frame: Frame, pieces: Pieces) => Promise<void>) {
    this.#clock = clock;
    this.#sendPieces = sendPieces;
  }

  get isOn(): boolean {
    return this.#bytesPerSecond !== Infinity;
  }

  setRate(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  send(frame: Frame, signal: AbortSignal): Promise<void> {
    const sent = this.#last.then(() => this.#sendPieces(frame, (whole) => this.#pieces(whole, signal)));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async *#pieces(whole: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
    const size = Math.max(1, Math.floor((this.#bytesPerSecond * pieceMs) / 1000));
    for (let at = 0; at < whole.byteLength; at += size) {
      const piece = whole.subarray(at, at + size);
      await sleep(this.#clock, (piece.byteLength * 1000) / this.#bytesPerSecond, signal);
      yield piece;
    }
  }
}

/** Sends a frame in fragments. Control frames may be sent between them, other messages may not. */
async function fragments(webSocket: WebSocket, { text }: Frame, pieces: Pieces): Promise<void> {
  const whole = Buffer.from(text);
  let sent = 0;
  for await (const piece of pieces(whole)) {
    sent += piece.byteLength;
    if (webSocket.readyState !== webSocket.OPEN) return;
    webSocket.send(piece, { binary: false, fin: sent === whole.byteLength });
  }
}

/** The head of an unmasked text frame (RFC 6455 §5.2). */
function frameHead(bytes: number): Buffer {
  if (bytes < 126) return Buffer.from([0x81, bytes]);
  const head = Buffer.alloc(bytes < 65_536 ? 4 : 10);
  head[0] = 0x81;
  if (bytes < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(bytes, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(bytes), 2);
  }
  return head;
}
