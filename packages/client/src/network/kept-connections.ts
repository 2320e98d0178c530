import { HttpConnection } from './http-connection.js';
import type { Clock, Timer } from '../clock.js';
import type { Connect } from './connect.js';
import type { ConnectionKeeper } from './http-connection.js';

/** That rest at the same time; one more is ended. */
const maxResting = 32;

/** The connections of POSTs: kept for the next turn, however long its tools take, as long as the server keeps them. */
export class KeptConnections implements ConnectionKeeper {
  readonly #connect: Connect;
  readonly #clock: Clock;
  /** The one used last comes last, and is taken first. */
  readonly #resting = new Map<HttpConnection, Timer>();
  #over = false;

  constructor(connect: Connect, clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
  }

  /** One that rests, if there is one; with `fresh`, for a POST that must not meet a dead one, a new one. */
  async take(fresh: boolean, abandoned: AbortSignal): Promise<{ connection: HttpConnection; reused: boolean }> {
    const last = fresh ? undefined : [...this.#resting.keys()].at(-1);
    if (last === undefined)
      return { connection: new HttpConnection(await this.#connect(abandoned), this), reused: false };
    this.gone(last);
    return { connection: last, reused: true };
  }

  rested(connection: HttpConnection, ms: number): void {
    if (this.#over || this.#resting.size >= maxResting) return connection.destroy();
    connection.unref();
    this.#resting.set(
      connection,
      this.#clock.after(ms, () => connection.destroy(), { background: true }),
    );
  }

  gone(connection: HttpConnection): void {
    this.#resting.get(connection)?.cancel();
    this.#resting.delete(connection);
  }

  destroy(): void {
    this.#over = true;
    for (const connection of this.#resting.keys()) connection.destroy();
  }
}
