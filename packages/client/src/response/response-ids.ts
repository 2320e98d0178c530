/** Of either kind; the oldest is forgotten first. */
const maxIds = 256;

/**
 * `msg_1`, `item_0`, `3`: servers that number the items of each response anew. Such a name says nothing of the response that it belongs to.
 */
const counterId = /^[a-z]*[-_]?\d{1,3}$/i;

/**
 * Which response of one connection each id belongs to, its own and those of its items: an id of an earlier response, or of another one that runs,
 * is no word of this one (F4).
 */
export class ResponseIds {
  readonly #responses = new Map<string, number>();
  /** Beside the former: one response with many items does not make the responses before it forgotten. */
  readonly #items = new Map<string, number>();
  #count = 0;

  /** More than one response has begun here. */
  get hasSeveralResponses(): boolean {
    return this.#count > 1;
  }

  /** A response begins; what is given names it here. */
  begin(): number {
    this.#count += 1;
    return this.#count;
  }

  /** Notes that an id belongs to this response; false where it is another one's. */
  claim(id: string, response: number): boolean {
    return claimIn(this.#responses, id, response);
  }

  /** As `claim`, for the id of an item. */
  claimItem(id: unknown, response: number): boolean {
    return typeof id !== 'string' || id === '' || counterId.test(id) || claimIn(this.#items, id, response);
  }
}

function claimIn(owners: Map<string, number>, id: string, response: number): boolean {
  const owner = owners.get(id);
  if (owner !== undefined) return owner === response;
  owners.set(id, response);
  if (owners.size > maxIds) for (const oldest of owners.keys()) return owners.delete(oldest);
  return true;
}
