import { HttpConnection } from './http-connection.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Connect } from './connect.js';
import type { ConnectionKeeper } from './http-connection.js';
import type { PostConnections } from './posts.js';

/** That rest at the same time; one more is ended. */
const maxResting = 32;

/** The connections of POSTs: kept for the next turn, however long its tools take, as long as the server keeps them. */
export class KeptConnections implements ConnectionKeeper, PostConnections {
  readonly #connect: Connect;
  readonly #clock: Clock;
  /** The one used last comes last, and is taken first. */
  readonly #resting = new Map<HttpConnection, { timer: Timer; since: number }>();
  takesExpect = true;
  #over = false;

  constructor(connect: Connect, clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
  }

  /**
   * One that has rested for `restMs` at most, if there is one, else a new one. The longer a connection rests, the likelier it is dead: a POST that
   * must not meet a dead one says how long is too long, down to 0.
   */
  async take(restMs: number, abandoned: AbortSignal): Promise<{ connection: HttpConnection; reused: boolean }> {
    const [last, rest] = [...this.#resting].at(-1) ?? [];
    if (last === undefined || rest === undefined || !(this.#clock.now() - rest.since < restMs))
      return { connection: new HttpConnection(await this.#connect(abandoned), this, this.#clock), reused: false };
    this.gone(last);
    return { connection: last, reused: true };
  }

  rested(connection: HttpConnection, ms: number): void {
    if (this.#over || this.#resting.size >= maxResting) return connection.destroy();
    connection.unref();
    const timer = this.#clock.after(ms, () => connection.destroy(), { background: true });
    this.#resting.set(connection, { timer, since: this.#clock.now() });
  }

  gone(connection: HttpConnection): void {
    this.#resting.get(connection)?.timer.cancel();
    this.#resting.delete(connection);
  }

  destroy(): void {
    this.#over = true;
    for (const connection of this.#resting.keys()) connection.destroy();
  }
}
