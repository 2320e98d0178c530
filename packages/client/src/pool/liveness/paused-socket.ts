import { maxPausedReadBytes, pausedReadBytes, pausedReadIntervalMs, pausedReadMs } from '../../protocol/limits.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { ClientWebSocket } from '../../network/client-websocket.js';

/**
 * Holds a socket whose reader is slow. Pings stand in line with everything else, and who reads nothing answers none: so a paused
 * socket takes a sip each second, until nothing more comes or a mebibyte has. What comes by that is bounded; beyond the bound nothing more
 * is read, and pings have to wait for the reader.
 */
export class PausedSocket {
  readonly #clock: Clock;
  readonly #socket: ClientWebSocket;
  #timer: Timer | undefined;
  #total = 0;
  /** Of the present sip; undefined between two. */
  #readBytes: number | undefined;

  constructor(clock: Clock, socket: ClientWebSocket) {
    this.#clock = clock;
    this.#socket = socket;
    this.#pause();
  }

  /** A frame has come nevertheless. */
  received(bytes: number): void {
    this.#total += bytes;
    if (this.#readBytes === undefined) return;
    this.#readBytes += bytes;
    if (this.#readBytes >= pausedReadBytes || this.#total >= maxPausedReadBytes) this.#pause();
  }

  /** The reader goes on. */
  resume(): void {
    this.#timer?.cancel();
    this.#socket.resume();
  }

  #pause(): void {
    this.#timer?.cancel();
    this.#readBytes = undefined;
    this.#socket.pause();
    if (this.#total >= maxPausedReadBytes) return;
    this.#timer = this.#clock.after(pausedReadIntervalMs, () => {
      this.#readBytes = 0;
      this.#timer = this.#clock.after(pausedReadMs, () => this.#pause());
      this.#socket.resume();
    });
  }
}
