import { TextDecoder } from 'node:util';
/** The maximum length of an event. The rest of a longer one is dropped. */
const longestEvent = 64 * 1024 * 1024;

/** Cuts an event stream into its events while its bytes arrive in chunks of any size. The events are not changed. */
export class SseSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** Adds a chunk. Returns the events that end in it, each without the empty line that ends it. */
  push(chunk: Buffer): readonly string[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const parts = this.#rest.split(/\r?\n\r?\n/);
    this.#rest = (parts.pop() ?? '').slice(0, longestEvent);
    return parts;
  }

  /** The beginning of an event that has not ended. */
  get rest(): string {
    return this.#rest;
  }
}
