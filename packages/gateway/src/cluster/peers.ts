import { request } from 'undici/index.js';
import { Relays } from '../upstream/relays.js';
import type { Lease, RelaysOptions } from '../upstream/relays.js';
import type { Principal } from '../upstream/principal.js';
import type { Keys } from './keys.js';
import type { Place } from './contexts.js';
import type { Tally } from './tally.js';

/** The path at which a node answers whether it takes a turn. */
export const offerPath = '/cluster/offer';

/** The header by which a request shows that another node sent it, and that it is for this one. */
export const relayedHeader = 'x-turnwire-relayed';

/** The wait for the answer to an offer, in milliseconds. Without one, this gateway sends the turn to the upstream in full. */
const offerMs = 250;

const dialMs = 1000;

/** The most turns of this node that run on others. */
const mostRelayed = 1000;

/** The most nodes to which connections are kept. */
const mostPeers = 16;

export type PeersOptions = Omit<RelaysOptions, 'upstream'> & {
  upstream: () => RelaysOptions['upstream'];
  tally: Tally;
};

/** Relays to the other nodes. A turn is handed over once at most: the node that takes it sends it to the upstream. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #keys: Keys;
  /** Relays by session, in the order of their last use. */
  readonly #relays = new Map<string, Relays>();
  #running = 0;

  constructor(keys: Keys, options: PeersOptions) {
    this.#keys = keys;
    this.#options = options;
  }

  /** Asks a node to take the turn, and gives the relay to it when it agrees. Never rejects. */
  async offer(place: Extract<Place, { name: 'node' }>, { name, received }: Principal): Promise<Lease | undefined> {
    const { session, address, response } = place;
    const { tally } = this.#options;
    if (address === '') return undefined;
    if (this.#running >= mostRelayed) {
      tally.count('offers', 'busy');
      return undefined;
    }
    const headers = { [relayedHeader]: this.#keys.relayed(session) };
    try {
      const url = new URL(`${address.replace(/\/+$/, '')}${offerPath}?response=${response}`);
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers,
        signal: AbortSignal.timeout(offerMs),
      });
      await body.dump();
      tally.count('offers', statusCode === 204 ? 'taken' : 'declined');
      if (statusCode !== 204) return undefined;
    } catch {
      tally.count('offers', 'unreachable');
      return undefined;
    }
    const lease = this.#relaysTo(session, address, headers).take({ name, identity: received });
    this.#running += 1;
    let isReleased = false;
    return {
      relay: lease.relay,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#running -= 1;
        lease.release();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relays) => relays.close()));
  }

  destroy(): void {
    for (const relays of this.#relays.values()) relays.destroy();
    this.#relays.clear();
  }

  #relaysTo(session: string, address: string, headers: Record<string, string>): Relays {
    const { upstream, limits, onWarning } = this.#options;
    const relays =
      this.#relays.get(session) ??
      new Relays({
        limits,
        onWarning,
        upstream: {
          ...upstream(),
          base_url: `${address.replace(/\/+$/, '')}/v1`,
          transport: 'sse',
          headers,
          allow_plaintext: true,
          replay: 'unsent',
          dial_ms: dialMs,
        },
      });
    this.#relays.delete(session);
    this.#relays.set(session, relays);
    if (this.#relays.size > mostPeers) {
      const [[oldest, left] = []] = this.#relays;
      if (oldest !== undefined) this.#relays.delete(oldest);
      void left?.close();
    }
    return relays;
  }
}
