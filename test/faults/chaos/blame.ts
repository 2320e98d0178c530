import type { Attempt, Turn } from '@turnwire/client';
import type { Peer } from '../server/peer.js';

/**
 * Which turns a fault may have hit: the one in whose way it was put, and those that used the same connection. A connection that is ended right after
 * an answer, or that carries a second end of it, is the next turn's by then.
 */
export class Blame {
  readonly #turns = new Map<string, Turn>();
  /** Turns that may fail by a fault of their own. */
  readonly #hurt = new Set<string>();
  /** Connections that were hit, by the turn and by which of its requests they are known. */
  readonly #hit: { mark: string; request: number; peer: Peer }[] = [];
  /** The connections on which the server has had a request of a turn. */
  readonly #carried = new Map<string, Set<Peer>>();

  begun(mark: string, turn: Turn): void {
    this.#turns.set(mark, turn);
  }

  carried(mark: string, peer: Peer): void {
    this.#carried.set(mark, (this.#carried.get(mark) ?? new Set()).add(peer));
  }

  /** A fault was put in the way of the `request`-th request of this turn, from 1. */
  struck(mark: string, request: number, peer: Peer, hurts: boolean): void {
    if (hurts) this.#hurt.add(mark);
    this.#hit.push({ mark, request, peer });
  }

  /** Whether a fault explains that this turn has failed. */
  explains(mark: string): boolean {
    if (this.#hurt.has(mark)) return true;
    const used = this.#connectionsOf(mark);
    return this.#hit.some(({ mark: other, request, peer }) => {
      if (other === mark) return false;
      if (this.#carried.get(mark)?.has(peer) === true) return true;
      // A request that never arrived: the server knows nothing of it, and the client of which connection it went by.
      const connection = this.#written(other)[request - 1]?.connection;
      return connection !== undefined && used.has(connection);
    });
  }

  #connectionsOf(mark: string): ReadonlySet<number | undefined> {
    return new Set(this.#written(mark).map(({ connection }) => connection));
  }

  #written(mark: string): readonly Attempt[] {
    return this.#turns.get(mark)?.report.attempts.filter(({ sentBytes }) => sentBytes > 0) ?? [];
  }
}
