import type { Turn } from '@turnwire/client';
import type { Peer } from '../server/peer.js';

/**
 * Which turns a fault may have hit: the one in whose way it was put, and those that used the same connection. A connection that is ended right after
 * an answer, or that carries a second end of it, is the next turn's by then.
 */
export class Blame {
  readonly #turns = new Map<string, Turn>();
  /** Turns that may fail by a fault of their own. */
  readonly #hurt = new Set<string>();
  /** Connections that were hit, each with the turn of the fault. */
  readonly #hit: { mark: string; peer: Peer }[] = [];
  /** The turns whose requests the server has had on each connection. */
  readonly #carried = new Map<Peer, Set<string>>();

  begun(mark: string, turn: Turn): void {
    this.#turns.set(mark, turn);
  }

  carried(mark: string, peer: Peer): void {
    this.#carried.set(peer, (this.#carried.get(peer) ?? new Set()).add(mark));
  }

  /** A fault was put in the way of a request of this turn. */
  struck(mark: string, peer: Peer, hurts: boolean): void {
    if (hurts) this.#hurt.add(mark);
    this.#hit.push({ mark, peer });
  }

  /** Whether a fault explains that this turn has failed. */
  explains(mark: string): boolean {
    if (this.#hurt.has(mark)) return true;
    const used = this.#connectionsOf(mark);
    return this.#hit.some(({ mark: other, peer }) => {
      if (other === mark) return false;
      if (this.#carried.get(peer)?.has(mark) === true) return true;
      // A request that never arrived: the server knows nothing of it, and the client only the number of its connection.
      return this.#numbersOf(peer).some((number) => used.has(number));
    });
  }

  /**
   * The client's numbers of a connection that the server knows: those on which every turn of the connection has written. Requests are not counted, since
   * an attempt that never arrived is counted by the client alone.
   */
  #numbersOf(peer: Peer): number[] {
    const [first, ...others] = [...(this.#carried.get(peer) ?? [])].map((mark) => this.#connectionsOf(mark));
    return [...(first ?? [])].filter((number) => others.every((numbers) => numbers.has(number)));
  }

  /** The numbers of the WebSocket connections on which a turn has written. */
  #connectionsOf(mark: string): ReadonlySet<number> {
    const attempts = this.#turns.get(mark)?.report.attempts ?? [];
    return new Set(
      attempts.flatMap(({ sentBytes, connection }) => (sentBytes > 0 && connection !== undefined ? [connection] : [])),
    );
  }
}
