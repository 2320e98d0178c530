import { setImmediate } from 'node:timers';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { sleep, type Clock } from '../base/clock.js';
import { eventText, openEventStream } from '../listener/event-stream.js';
import { reset } from '../listener/reset.js';
import type { Frame } from '../wire/wire.js';
import type { Fault } from './fault.js';

/** How often a throttled line sends a piece. */
const pieceMs = 50;

/** A reset overtakes what was sent right before it; so much later, that has arrived. */
const resetAfterMs = 20;

/** What a fault can do to the connection under a turn: a socket's whole life, or one POST. */
export interface ConnectionControl {
  /** Faults that were asked for with the upgrade or the POST, for its first turn; whoever begins that turn takes them. */
  readonly firstTurnFaults: Fault[];
  isThrottled(): boolean;
  close(code: number, reason: string): void;
  /** FIN, without a closing handshake or the end of the body. */
  end(): void;
  reset(): void;
  /** Sends the beginning of this event as if all of it were to come. */
  cut(frame: Frame, bytes: number | undefined): void;
  /** Neither reads nor writes any more. What is written is held back; the turn that caused it stops writing. */
  blackHole(): void;
  ignorePings(): void;
  throttle(bytesPerSecond: number): void;
  /** Sends an event at the throttled rate, behind those that are still being sent. */
  sendThrottled(frame: Frame, signal: AbortSignal): Promise<void>;
}

/** The line of a socket. */
export function webSocketControl(
  webSocket: WebSocket,
  tcp: Duplex,
  clock: Clock,
  firstTurnFaults: Fault[],
): ConnectionControl {
  let ignoresPings = false;
  // The server's own pongs are off (`autoPong: false`), so that a fault can leave them out.
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

/** The line of a POST. Each request has one, and few have faults: a class, whose methods all of them share. */
export class HttpConnectionControl implements ConnectionControl {
  readonly firstTurnFaults: Fault[];
  readonly #response: ServerResponse;
  readonly #tcp: Duplex;
  readonly #clock: Clock;
  #throttle: Throttle | undefined;
  /** Whether the answer is an event stream; else it is one JSON body. */
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

  /** Node holds the chunks of one tick together, and 26 drops them when the socket ends within it. */
  end(): void {
    setImmediate(() => this.#tcp.end());
  }

  reset(): void {
    setTimeout(reset, resetAfterMs, this.#tcp);
  }

  cut(frame: Frame, bytes: number | undefined): void {
    const whole = Buffer.from(this.streams ? eventText(frame) : frame.text);
    if (this.streams) openEventStream(this.#response);
    else this.#response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.byteLength });
    this.#response.write(whole.subarray(0, bytes ?? whole.byteLength >> 1));
  }

  /** The socket is corked in the next tick: Node holds the chunks of one tick together, and those of this one are to arrive. */
  blackHole(): void {
    this.#tcp.pause();
    setImmediate(() => this.#tcp.cork());
  }

  /** HTTP has no pings: who asks for this here is refused before. */
  ignorePings(): void {
    return undefined;
  }

  isThrottled(): boolean {
    return this.#throttle !== undefined;
  }

  throttle(bytesPerSecond: number): void {
    this.#throttle ??= new Throttle(this.#clock, async (frame, pieces) => {
      openEventStream(this.#response);
      for await (const piece of pieces(Buffer.from(eventText(frame)))) this.#response.write(piece);
    });
    this.#throttle.setRate(bytesPerSecond);
  }

  async sendThrottled(frame: Frame, signal: AbortSignal): Promise<void> {
    await this.#throttle?.send(frame, signal);
  }
}

/** The line of an upgrade that was not answered yet: there is nothing to cut or to throttle. */
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

type Pieces = (whole: Buffer) => AsyncIterable<Buffer>;

/** The rate at which a line sends, once a fault has set one. */
class Throttle {
  readonly #clock: Clock;
  readonly #sendPieces: (frame: Frame, pieces: Pieces) => Promise<void>;
  #bytesPerSecond = Infinity;
  /** Turns of several lanes share one rate, and a frame is never mixed with another. */
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

/** A frame in fragments: control frames may stand between them, other messages may not. */
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
