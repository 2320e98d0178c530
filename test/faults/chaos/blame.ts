import type { Turn } from '@turnwire/client';
import type { Peer } from '../server/peer.js';

/** A connection that was hit so long ago is gone, in milliseconds. */
const settlingMs = 500;

/**
 * Which turns a fault may have hit: the one in whose way it was put, and those that used the same connection. A connection that is ended right after
 * an answer, or that carries a second end of it, is the next turn's by then.
 */
export class Blame {
  readonly #mayUse: ((mark: string, peer: Peer) => boolean) | undefined;
  readonly #turns = new Map<string, Turn>();
  /** Turns that may fail by a fault of their own. */
  readonly #hurt = new Set<string>();
  /** Connections that were hit, each with the turn of the fault, and when (milliseconds). */
  readonly #hit: { mark: string; peer: Peer; at: number }[] = [];
  readonly #begunAt = new Map<string, number>();
  /** The turns whose requests the server has had on each connection. */
  readonly #carried = new Map<Peer, Set<string>>();

  /**
   * `mayUse`: behind a gateway, whether a turn may have been written on a connection, of which its client knows nothing. @default the client numbers
   * its connections itself
   */
  constructor(mayUse?: (mark: string, peer: Peer) => boolean) {
    this.#mayUse = mayUse;
  }

  begun(mark: string, turn: Turn): void {
    this.#turns.set(mark, turn);
    this.#begunAt.set(mark, performance.now());
  }

  carried(mark: string, peer: Peer): void {
    this.#carried.set(peer, (this.#carried.get(peer) ?? new Set()).add(mark));
  }

  /** A fault was put in the way of a request of this turn. */
  struck(mark: string, peer: Peer, hurts: boolean): void {
    if (hurts) this.#hurt.add(mark);
    this.#hit.push({ mark, peer, at: performance.now() });
  }

  /** Whether a fault explains that this turn has failed. */
  explains(mark: string): boolean {
    if (this.#hurt.has(mark)) return true;
    const used = this.#connectionsOf(mark);
    const hasArrived = [...this.#carried.values()].some((marks) => marks.has(mark));
    return this.#hit.some(({ mark: other, peer, at }) => {
      if (other === mark) return false;
      if (this.#carried.get(peer)?.has(mark) === true) return true;
      // A request that never arrived: the server knows nothing of it, and the client only the number of its connection.
      if (this.#mayUse === undefined) return this.#numbersOf(peer).some((number) => used.has(number));
      // Behind a gateway not even that: it went down with a connection that was hit at about its time.
      return !hasArrived && this.#mayUse(mark, peer) && at > (this.#begunAt.get(mark) ?? Infinity) - settlingMs;
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
