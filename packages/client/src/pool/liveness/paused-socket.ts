import { maxPausedReadBytes, pausedReadBytes, pausedReadIntervalMs, pausedReadMs } from '../../base/bounds.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { ClientWebSocket } from '../../network/client-websocket.js';

/**
 * A socket that is paused because its consumer is behind. Pings wait in the same stream as events, and a client that reads nothing answers none: so the
 * socket is read for a moment each second, until nothing more comes or a mebibyte has come. The total is bounded; beyond the bound nothing is read, and
 * pings wait for the consumer.
 */
export class PausedSocket {
  readonly #clock: Clock;
  readonly #socket: ClientWebSocket;
  #timer: Timer | undefined;
  #total = 0;
  /** Bytes read in the present moment; undefined while the socket is paused. */
  #readBytes: number | undefined;

  constructor(clock: Clock, socket: ClientWebSocket) {
    this.#clock = clock;
    this.#socket = socket;
    this.#pause();
  }

  /** Called for each frame. */
  received(bytes: number): void {
    this.#total += bytes;
    if (this.#readBytes === undefined) return;
    this.#readBytes += bytes;
    if (this.#readBytes >= pausedReadBytes || this.#total >= maxPausedReadBytes) this.#pause();
  }

  /** The consumer has caught up. */
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
