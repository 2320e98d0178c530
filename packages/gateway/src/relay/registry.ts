/** Which principal an id belongs to: of a response, of an item, of a conversation. Several gateways can share one. */
export interface Registry {
  /** False for an id that nobody here has seen: what is not known is not given out. */
  isOwn(principal: string, id: string): boolean | Promise<boolean>;
  /** @param ids as the upstream has given them: what a client says is nobody's. */
  note(principal: string, ids: Iterable<string>): void;
}

/** Ids that are remembered at most: some 150 bytes each. */
const mostIds = 200_000;

/** The ids that this gateway has seen itself; the oldest are forgotten first. */
export class LocalRegistry implements Registry {
  readonly #owners = new Map<string, string>();

  isOwn(principal: string, id: string): boolean {
    return this.#owners.get(id) === principal;
  }

  /** undefined for an id that was not seen here. */
  ownerOf(id: string): string | undefined {
    return this.#owners.get(id);
  }

  note(principal: string, ids: Iterable<string>): void {
    for (const id of ids) {
      // The one who had it first keeps it.
      if (this.#owners.has(id)) continue;
      this.#owners.set(id, principal);
      if (this.#owners.size <= mostIds) continue;
      const [oldest] = this.#owners.keys();
      if (oldest !== undefined) this.#owners.delete(oldest);
    }
  }
}
