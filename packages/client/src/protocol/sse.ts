import { GrowingBytes } from '../growing-bytes.js';

/** The `data` of an event grew beyond the limit. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

/**
 * Cuts a `text/event-stream` body into the `data` of its events, by the rules of the HTML standard (P22, P26): lines end in LF, CRLF or CR,
 * several `data` lines are joined by LF, comments and other fields are skipped, a chunk may end anywhere, inside a character
 * too. The `event` field is not reported: on this wire it repeats the `type` of the JSON.
 *
 * All whole lines of a chunk are decoded at once, and the lines cut out of that text: a call of the decoder for each line costs more than all
 * the rest of this class. A line end is no part of a longer character, so none is cut.
 */
export class SseReader {
  readonly #onData: (data: string) => void;
  readonly #maxBytes: number;
  /** The beginning of a line whose end has not come yet. */
  readonly #rest = new GrowingBytes();
  /** The `data` lines of the event that is being read. */
  #data: string | undefined;
  #skipLineFeed = false;
  #first = true;

  /** `maxBytes`: of one line, and of the data of one event. */
  constructor(options: { maxBytes: number; onData: (data: string) => void }) {
    this.#onData = options.onData;
    this.#maxBytes = options.maxBytes;
  }

  /** @throws EventTooLargeError; the reader is then of no more use. */
  push(chunk: Buffer): void {
    const start = this.#skipLineFeed && chunk[0] === lineFeed ? 1 : 0;
    if (chunk.length > 0) this.#skipLineFeed = false;
    const end = 1 + Math.max(chunk.lastIndexOf(lineFeed), chunk.lastIndexOf(carriageReturn));
    if (end > start) {
      this.#skipLineFeed = end === chunk.length && chunk[end - 1] === carriageReturn;
      this.#lines(this.#rest.length === 0 ? chunk.toString('utf8', start, end) : this.#completed(chunk, start, end));
    }
    if (end < chunk.length) {
      this.#guard(this.#rest.length + chunk.length - Math.max(start, end));
      this.#rest.add(chunk, Math.max(start, end), chunk.length);
    }
  }

  /** The line that has begun in earlier pieces, and those after it. */
  #completed(chunk: Buffer, start: number, end: number): string {
    this.#rest.add(chunk, start, end);
    return this.#rest.take().toString();
  }

  /** Whole lines, with their ends. */
  #lines(decoded: string): void {
    let text = decoded;
    let at = 0;
    if (this.#first) {
      this.#first = false;
      if (text.startsWith('\ufeff')) at = 1;
    }
    if (text.includes('\r')) text = text.replaceAll(/\r\n?/g, '\n');
    while (at < text.length) {
      const end = text.indexOf('\n', at);
      if (end === at) this.#dispatch();
      else if (text.startsWith('data', at)) this.#field(text, at + 4, end);
      at = end + 1;
    }
  }

  /** A line that begins like a `data` field, from there on. */
  #field(text: string, at: number, end: number): void {
    const colon = text.startsWith(':', at);
    if (!colon && at !== end) return;
    const start = colon ? at + (text.startsWith(' ', at + 1) ? 2 : 1) : at;
    const value = text.slice(start, end);
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    this.#guard(this.#data.length);
  }

  #dispatch(): void {
    const data = this.#data;
    if (data === undefined) return;
    this.#data = undefined;
    this.#onData(data);
  }

  #guard(bytes: number): void {
    if (bytes > this.#maxBytes) throw new EventTooLargeError(`an event of more than ${this.#maxBytes} bytes`);
  }
}

const lineFeed = 10;
const carriageReturn = 13;

/** Ends a stream of this wire where the server sends it (P23). */
export const doneMarker = '[DONE]';
