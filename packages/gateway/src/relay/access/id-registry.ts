/** Remembers which principal an id belongs to: the id of a response, an item or a conversation. Several gateways can share one registry. */
export interface IdRegistry {
  /** False also for an unknown id: the gateway refuses ids that it does not know. */
  isOwn(principal: string, id: string): boolean | Promise<boolean>;
  /** @param ids ids out of answers of the upstream. Ids out of requests prove no ownership. */
  note(principal: string, ids: Iterable<string>): void;
}

/** The most ids that are remembered, of some 150 bytes each. */
const maxIds = 200_000;

/** The ids that this gateway has seen itself; the oldest are forgotten first. */
export class LocalIdRegistry implements IdRegistry {
  readonly #owners = new Map<string, string>();

  isOwn(principal: string, id: string): boolean {
    return this.#owners.get(id) === principal;
  }

  /** undefined for an id that this gateway has not seen. */
  ownerOf(id: string): string | undefined {
    return this.#owners.get(id);
  }

  note(principal: string, ids: Iterable<string>): void {
    for (const id of ids) {
      // The first owner stays.
      if (this.#owners.has(id)) continue;
      this.#owners.set(id, principal);
      if (this.#owners.size <= maxIds) continue;
      const [oldest] = this.#owners.keys();
      if (oldest !== undefined) this.#owners.delete(oldest);
    }
  }
}
