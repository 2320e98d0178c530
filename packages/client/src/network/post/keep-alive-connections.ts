import { maxIdlePostConnections } from '../../base/bounds.js';
import { HttpConnection } from './http-connection.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Connect } from '../connect/connect.js';
import type { HttpConnectionOwner } from './http-connection.js';
import type { PostConnections } from './post.js';

/** Keeps the connections of POSTs for the next turn, as long as the server keeps them. */
export class KeepAliveConnections implements HttpConnectionOwner, PostConnections {
  readonly #connect: Connect;
  readonly #clock: Clock;
  /** Idle connections in the order of their last use; the last one is taken first. */
  readonly #idleConnections = new Map<HttpConnection, { timer: Timer; since: number }>();
  acceptsExpect = true;
  #destroyed = false;

  constructor(connect: Connect, clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
  }

  /**
   * A kept connection that was idle for `maxIdleMs` at most, else a new one. The longer a connection is idle, the likelier it is dead: a POST that must not
   * be sent twice asks for a short time, down to 0.
   */
  async acquire(maxIdleMs: number, signal: AbortSignal): Promise<{ connection: HttpConnection; reused: boolean }> {
    const [last, rest] = [...this.#idleConnections].at(-1) ?? [];
    if (last === undefined || rest === undefined || !(this.#clock.now() - rest.since < maxIdleMs))
      return { connection: new HttpConnection(await this.#connect(signal), this, this.#clock), reused: false };
    this.removed(last);
    return { connection: last, reused: true };
  }

  idle(connection: HttpConnection, ms: number): void {
    if (this.#destroyed || this.#idleConnections.size >= maxIdlePostConnections) return connection.destroy();
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
