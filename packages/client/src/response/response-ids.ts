import { maxKnownIds } from '../base/bounds.js';

/** An id such as `msg_1`, `item_0` or `3`: some servers number the items of each response anew. It does not tell the response. */
const counterId = /^[a-z]*[-_]?\d{1,3}$/i;

/** The response of a connection to which each id belongs, its own id and those of its items: an event with an id of another response is foreign (F4). */
export class ResponseIds {
  readonly #responses = new Map<string, number>();
  /** Beside the former: one response with many items does not make the responses before it forgotten. */
  readonly #items = new Map<string, number>();
  #count = 0;

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
    return this.#count;
  }

  /** Assigns an id to a response; false if it belongs to another one. */
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
  if (owners.size > maxKnownIds) for (const oldest of owners.keys()) return owners.delete(oldest);
  return true;
}
