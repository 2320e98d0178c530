import { publish } from '../diagnostics.js';
import { TurnwireError } from '../protocol/errors.js';
import { Connection } from './connection.js';
import type { Clock } from '../clock.js';
import type { Network } from '../network/network.js';
import type { Occupant } from './connection.js';

export interface PoolSettings {
  network: Network;
  clock: Clock;
  maxConnections: number;
  maxAgeMs: number;
  dialMs: number;
  queueMs: number;
}

/** What a turn says about itself, so that the right connection is found for it. */
export interface Placement {
  previousResponseId: string | undefined;
  /** Not one that has rested: the last one proved dead. */
  fresh: boolean;
}

/** A connection, occupied by the one who asked. */
export interface Place {
  connection: Connection;
  /** It has carried turns before. */
  reused: boolean;
}

interface Waiter {
  /** Called when something has changed; true if it was served. */
  serve: () => boolean;
  fail: (error: TurnwireError) => void;
}

/**
 * The connections of one client, and the rule that places a turn on one of them:
 *
 * 1. the idle connection that holds the response which the turn continues;
 * 2. the idle connection used last, if nothing would be lost: its chain is stored, or there is none;
 * 3. a new connection, up to the maximum;
 * 4. the idle connection whose chain was used least recently;
 * 5. wait, in order of arrival.
 *
 * 2 and 4 differ because a chain that is not stored lives on its connection only: another turn there would end it (P70, P71).
 */
export class Pool {
  readonly #settings: PoolSettings;
  readonly #connections = new Set<Connection>();
  readonly #dials = new Set<AbortController>();
  readonly #waiters: Waiter[] = [];
  #numbers = 0;
  #closed = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  get stats(): { dialled: number; connections: number; busy: number } {
    const all = [...this.#connections];
    return {
      dialled: this.#numbers,
      connections: all.length,
      busy: all.filter((connection) => !connection.idle).length,
    };
  }

  /**
   * Finds a connection and lets `occupant` have it, in one step: nobody else can be given it in between.
   *
   * @throws TurnwireError as `openSocket`, `queue_timeout`, `client_closed`; or what `signal` was aborted with.
   */
  async acquire(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    if (this.#closed) throw closedError();
    // Who came first is served first, also when a connection has just become free.
    if (this.#waiters.length > 0) return this.#wait(placement, occupant, signal);
    const rested = this.#choose(placement);
    if (rested !== undefined) {
      rested.occupy(occupant);
      return { connection: rested, reused: true };
    }
    if (this.#hasRoom) return this.#dial(occupant, signal);
    return this.#wait(placement, occupant, signal);
  }

  /**
   * A turn has left its connection, or a connection has ended: the next in line may be served. Not in the same tick: what the server sent
   * in one piece with the end of a turn must still meet an idle connection, which it ends (F9), and not the next turn's.
   */
  changed(): void {
    queueMicrotask(() => {
      while (this.#waiters[0]?.serve()) this.#waiters.shift();
    });
  }

  holds(responseId: string): boolean {
    for (const { idle, chain } of this.#connections) if (idle && chain?.responseId === responseId) return true;
    return false;
  }

  async warm(): Promise<void> {}

  /** Closes every connection; for when no turn runs any more. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all([...this.#connections].map((connection) => connection.close('client closed')));
  }

  /** Ends dials and connections now; whoever uses one must be told by its owner. */
  destroy(): void {
    this.#end();
    for (const connection of this.#connections) connection.destroy('client destroyed');
  }

  #end(): void {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.fail(closedError());
    for (const dial of this.#dials) dial.abort(closedError());
  }

  /** Rules 1, 2 and 4; undefined says: dial or wait. */
  #choose(placement: Placement): Connection | undefined {
    for (const connection of this.#connections) if (connection.idle) this.#rotateIfOld(connection);
    if (placement.fresh) {
      if (!this.#hasRoom) void this.#leastRecent()?.close('its place is needed');
      return undefined;
    }
    const { previousResponseId } = placement;
    return (
      (previousResponseId === undefined
        ? undefined
        : this.#idle((connection) => connection.chain?.responseId === previousResponseId).at(-1)) ??
      this.#idle(({ chain }) => chain === undefined || chain.stored).at(-1) ??
      (this.#hasRoom ? undefined : this.#leastRecent())
    );
  }

  #leastRecent(): Connection | undefined {
    return this.#idle(() => true)[0];
  }

  /** The idle connections that fit, the one used last at the end. */
  #idle(fits: (connection: Connection) => boolean): Connection[] {
    return [...this.#connections]
      .filter((connection) => connection.idle && fits(connection))
      .sort((a, b) => a.idleSince - b.idleSince);
  }

  #rotateIfOld(connection: Connection): void {
    const { ageMs } = connection;
    if (ageMs < this.#settings.maxAgeMs) return;
    publish('rotate', { connection: connection.number, ageMs });
    void connection.close('too old');
  }

  get #hasRoom(): boolean {
    return this.#connections.size + this.#dials.size < this.#settings.maxConnections;
  }

  async #dial(occupant: Occupant, signal: AbortSignal): Promise<Place> {
    const { network, clock, dialMs } = this.#settings;
    this.#numbers += 1;
    const connection = new Connection({
      number: this.#numbers,
      network,
      clock,
      dialMs,
      onClosed: (closed) => {
        this.#connections.delete(closed);
        this.changed();
      },
    });
    const dial = new AbortController();
    const onAbort = (): void => dial.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#dials.add(dial);
    try {
      await connection.dial(dial.signal);
      if (dial.signal.aborted) {
        connection.destroy('not wanted any more');
        dial.signal.throwIfAborted();
      }
      this.#connections.add(connection);
      connection.occupy(occupant);
      return { connection, reused: false };
    } finally {
      this.#dials.delete(dial);
      signal.removeEventListener('abort', onAbort);
      // A dial that failed leaves room for the next in line.
      this.changed();
    }
  }

  #wait(placement: Placement, occupant: Occupant, signal: AbortSignal): Promise<Place> {
    return new Promise((resolve, reject) => {
      const { clock, queueMs, maxConnections } = this.#settings;
      const leave = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const giveUp = (error: unknown): void => {
        leave();
        const index = this.#waiters.indexOf(waiter);
        if (index !== -1) this.#waiters.splice(index, 1);
        reject(error);
      };
      const onAbort = (): void => giveUp(signal.reason);
      const waiter: Waiter = {
        serve: () => {
          const rested = this.#choose(placement);
          if (rested === undefined && !this.#hasRoom) return false;
          leave();
          if (rested === undefined) {
            this.#dial(occupant, signal).then(resolve, reject);
          } else {
            rested.occupy(occupant);
            resolve({ connection: rested, reused: true });
          }
          return true;
        },
        fail: giveUp,
      };
      const timer = clock.after(queueMs, () =>
        giveUp(
          new TurnwireError(
            'queue_timeout',
            `all ${maxConnections} connections were busy for ${queueMs} ms: raise pool.maxConnections or timeouts.queueMs`,
            { retryable: true },
          ),
        ),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }
}

function closedError(): TurnwireError {
  return new TurnwireError('client_closed', 'this client is closed: create another one');
}
