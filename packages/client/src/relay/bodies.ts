import { BodyCache } from '../fetch/request/body-cache.js';
import type { JsonObject } from '../json/json.js';

/** A request, parsed. Nothing of it may be changed: its items are shared with those of the requests before it. */
export interface RelayBody {
  readonly params: JsonObject;
  /** To be called once the answer was read to its end: the next request may begin with the same text. */
  keep(): void;
}

/**
 * Reads requests as JSON. A history that has grown begins with the text of the request before it: that text is compared, which costs a tenth of
 * parsing it, and only what is new is parsed. What is read is what `JSON.parse` says of the whole.
 */
export class RelayBodies {
  readonly #known: BodyCache;

  /** @param maxBytes for the texts of earlier requests. */
  constructor(maxBytes: number) {
    this.#known = new BodyCache(maxBytes);
  }

  /** @returns undefined for a text that is no JSON object, or is nested too deep to be a request. */
  read(text: string): RelayBody | undefined {
    return this.#known.read(text);
  }

  /** Forgets all texts, and remembers none from now on. */
  close(): void {
    this.#known.close();
  }
}
