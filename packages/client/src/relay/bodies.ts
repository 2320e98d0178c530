import { BodyCache } from '../fetch/request/body-cache.js';
import { ByteChunks } from '../fetch/request/byte-chunks.js';
import { ByteMemory } from '../fetch/request/byte-memory.js';
import { unmarkIntegers } from '../json/exact-integers.js';
import type { StoredBytes } from '../fetch/request/byte-memory.js';
import type { JsonObject } from '../json/json.js';

/** A request, parsed. Nothing of it may be changed: its items are shared with those of the requests before it. */
export interface RelayBody {
  readonly params: JsonObject;
  /** To be called once the answer was read to its end: the next request may begin with the same bytes. */
  keep(): void;
}

/**
 * Reads requests as JSON. A history that has grown begins with the bytes of the request before it: they are compared, which costs a hundredth of
 * parsing them, and only what is new is decoded and parsed. What is read is what `JSON.parse` says of the whole.
 */
export class RelayBodies {
  readonly #known: BodyCache<ByteChunks, Buffer, StoredBytes>;

  /** @param maxBytes for the bytes of earlier requests. */
  constructor(maxBytes: number) {
    this.#known = new BodyCache(new ByteMemory(), maxBytes);
  }

  /**
   * @param chunks the bytes of one request, in their order, as they came: they need not be joined.
   * @returns undefined for bytes that are no UTF-8, no JSON object, or nested too deep to be a request.
   */
  read(chunks: readonly Uint8Array[]): RelayBody | undefined {
    return this.#known.read(new ByteChunks(chunks));
  }

  /** Forgets all requests, and remembers none from now on. */
  close(): void {
    this.#known.close();
  }
}

/** The text of fields that `RelayBodies` has read. Not that of `JSON.stringify`: integers that JavaScript cannot hold are as their client wrote them. */
export function bodyText(params: JsonObject): string {
  return unmarkIntegers(JSON.stringify(params));
}
