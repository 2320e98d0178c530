import { TextDecoder } from 'node:util';
/** More than this without the end of an event is no event stream. */
const longestEvent = 64 * 1024 * 1024;

/** Cuts an event stream into its events as its bytes come, wherever they are cut, without changing them. */
export class SseSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The events that end in these bytes, each without the empty line that ends it. */
  push(chunk: Buffer): readonly string[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const parts = this.#rest.split(/\r?\n\r?\n/);
    this.#rest = (parts.pop() ?? '').slice(0, longestEvent);
    return parts;
  }

  /** What has come of an event that has not ended. */
  get rest(): string {
    return this.#rest;
  }
}
