import { maxKnownIds } from '../base/bounds.js';

/** An id such as `msg_1`, `item_0` or `3`: some servers number the items of each response anew. Such an id does not show which response an event belongs to. */
const counterId = /^[a-z]*[-_]?\d{1,3}$/i;

/** The response of a connection to which each id belongs, its own id and those of its items: an event with an id of another response is foreign (F4). */
export class ResponseIds {
  readonly #responses = new OwnedIds();
  /** The ids of items are kept apart from those of responses, so that a response with many items does not push earlier responses out. */
  readonly #items = new OwnedIds();
  #count = 0;
  #atRest = true;

  /** No response has begun on the connection since the last one ended. */
  get atRest(): boolean {
    return this.#atRest;
  }

  /** A response has begun on the connection. */
  get hasResponses(): boolean {
    return this.#count > 0;
  }

  /** More than one response has begun on the connection. */
  get hasSeveralResponses(): boolean {
    return this.#count > 1;
  }

  /** Called when a response begins. Returns its number on this connection. */
  begin(): number {
    this.#count += 1;
    this.#atRest = false;
    return this.#count;
  }

  /** Called when a response has ended. */
  end(): void {
    this.#atRest = true;
  }

  /** Assigns an id to a response; false if it belongs to another one. */
  claim(id: string, response: number): boolean {
    return this.#responses.claim(id, response);
  }

  /** As `claim`, for the id of an item. */
  claimItem(id: unknown, response: number): boolean {
    return typeof id !== 'string' || id === '' || counterId.test(id) || this.#items.claim(id, response);
  }
}

/** The owners of ids, in two generations: the older one is forgotten as a whole, which costs nothing for each id. */
class OwnedIds {
  #recent = new Map<string, number>();
  #older: ReadonlyMap<string, number> = new Map();

  claim(id: string, response: number): boolean {
    const owner = this.#recent.get(id) ?? this.#older.get(id);
    if (owner !== undefined) return owner === response;
    if (this.#recent.size === maxKnownIds / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(id, response);
    return true;
  }
}
