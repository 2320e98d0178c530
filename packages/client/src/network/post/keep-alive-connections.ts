import { HttpConnection } from './http-connection.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Connect } from '../connect/connect.js';
import type { HttpConnectionOwner } from './http-connection.js';
import type { PostConnections } from './post.js';

/** That rest at the same time; one more is ended. */
const maxIdleConnections = 32;

/** The connections of POSTs: kept for the next turn, however long its tools take, as long as the server keeps them. */
export class KeepAliveConnections implements HttpConnectionOwner, PostConnections {
  readonly #connect: Connect;
  readonly #clock: Clock;
  /** The one used last comes last, and is taken first. */
  readonly #idleConnections = new Map<HttpConnection, { timer: Timer; since: number }>();
  acceptsExpect = true;
  #destroyed = false;

  constructor(connect: Connect, clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
  }

  /**
   * One that has rested for `maxIdleMs` at most, if there is one, else a new one. The longer a connection rests, the likelier it is dead: a POST that
   * must not meet a dead one says how long is too long, down to 0.
   */
  async acquire(maxIdleMs: number, signal: AbortSignal): Promise<{ connection: HttpConnection; reused: boolean }> {
    const [last, rest] = [...this.#idleConnections].at(-1) ?? [];
    if (last === undefined || rest === undefined || !(this.#clock.now() - rest.since < maxIdleMs))
      return { connection: new HttpConnection(await this.#connect(signal), this, this.#clock), reused: false };
    this.removed(last);
    return { connection: last, reused: true };
  }

  idle(connection: HttpConnection, ms: number): void {
    if (this.#destroyed || this.#idleConnections.size >= maxIdleConnections) return connection.destroy();
    connection.unref();
    const timer = this.#clock.after(ms, () => connection.destroy(), { background: true });
    this.#idleConnections.set(connection, { timer, since: this.#clock.now() });
  }

  removed(connection: HttpConnection): void {
    this.#idleConnections.get(connection)?.timer.cancel();
    this.#idleConnections.delete(connection);
  }

  destroy(): void {
    this.#destroyed = true;
    for (const connection of this.#idleConnections.keys()) connection.destroy();
  }
}
