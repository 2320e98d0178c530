import { ByteBuffer } from '../base/byte-buffer.js';

/** The `data` of an event grew beyond the limit. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

export interface SseReaderOptions {
  /** Bounds a line, and the data of an event. */
  maxBytes: number;
  /** Gets the data of an event, its bytes, and the name in its `event` field; `''` without one. */
  onData: (data: string, bytes: number, name: string) => void;
}

/**
 * Cuts a `text/event-stream` body into the `data` of its events, by the rules of the HTML standard (P22, P26): lines end in LF, CRLF or CR,
 * several `data` lines are joined by LF, comments and other fields are skipped, a chunk may end anywhere, inside a character
 * too. The `event` field is reported, because some servers name their events there alone.
 *
 * All whole lines of a chunk are decoded at once, and the lines cut out of that text: a call of the decoder for each line costs more than all
 * the rest of this class. A line end is no part of a longer character, so none is cut.
 */
export class SseReader {
  readonly #onData: SseReaderOptions['onData'];
  readonly #maxBytes: number;
  /** The beginning of a line that is not complete yet. */
  readonly #rest = new ByteBuffer();
  /** The `data` lines of the event that is being read, and their bytes. */
  #data: string | undefined;
  #bytes = 0;
  /** The `event` field of the event that is being read. */
  #name = '';
  #skipLineFeed = false;
  #first = true;

  constructor(options: SseReaderOptions) {
    this.#onData = options.onData;
    this.#maxBytes = options.maxBytes;
  }

  /** @throws EventTooLargeError; the reader must not be used after it. */
  push(chunk: Buffer): void {
    const start = this.#skipLineFeed && chunk[0] === lineFeed ? 1 : 0;
    if (chunk.length > 0) this.#skipLineFeed = false;
    const end = endOfLines(chunk);
    if (end > start) {
      this.#skipLineFeed = end === chunk.length && chunk[end - 1] === carriageReturn;
      if (this.#rest.length > 0) this.#completed(chunk, start, end);
      else this.#lines(chunk.toString('utf8', start, end), end - start);
    }
    if (end < chunk.length) {
      this.#guard(this.#rest.length + chunk.length - Math.max(start, end));
      this.#rest.append(chunk, Math.max(start, end), chunk.length);
    }
  }

  /** Called when the body has ended in good order. A last event without the empty line behind it counts: its JSON shows whether it is whole. */
  end(): void {
    if (this.#rest.length > 0) {
      this.#rest.append(Buffer.from('\n'), 0, 1);
      const bytes = this.#rest.take();
      this.#lines(bytes.toString(), bytes.length);
    }
    this.#dispatch();
  }

  /** Reads the line that has begun in earlier chunks, and the lines after it. */
  #completed(chunk: Buffer, start: number, end: number): void {
    this.#rest.append(chunk, start, end);
    const bytes = this.#rest.take();
    this.#lines(bytes.toString(), bytes.length);
  }

  /** Reads whole lines, with their ends; `bytes` is their length. */
  #lines(decoded: string, bytes: number): void {
    let text = decoded;
    let at = 0;
    // As a rule every character is one byte: then nothing has to be counted.
    const isPlain = decoded.length === bytes;
    if (this.#first) {
      this.#first = false;
      if (text.startsWith('\ufeff')) at = 1;
    }
    if (text.includes('\r')) text = text.replaceAll(/\r\n?/g, '\n');
    while (at < text.length) {
      const end = text.indexOf('\n', at);
      if (end === at) this.#dispatch();
      else if (text.startsWith('data', at)) this.#field(text, at + 4, end, isPlain);
      else if (text.startsWith('event:', at)) this.#name = text.slice(at + (text[at + 6] === ' ' ? 7 : 6), end);
      at = end + 1;
    }
  }

  /** Reads a line that begins like a `data` field. */
  #field(text: string, at: number, end: number, isPlain: boolean): void {
    const colon = text.startsWith(':', at);
    if (!colon && at !== end) return;
    const start = colon ? at + (text.startsWith(' ', at + 1) ? 2 : 1) : at;
    const value = text.slice(start, end);
    const bytes = isPlain ? value.length : Buffer.byteLength(value);
    this.#bytes = this.#data === undefined ? bytes : this.#bytes + 1 + bytes;
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    this.#guard(this.#bytes);
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    this.#name = '';
    if (data === undefined) return;
    this.#data = undefined;
    this.#onData(data, this.#bytes, name);
  }

  #guard(bytes: number): void {
    if (bytes > this.#maxBytes) throw new EventTooLargeError(`an event of more than ${this.#maxBytes} bytes`);
  }
}

/** The index behind the last end of a line. Servers usually send whole events, and nothing has to be searched. */
function endOfLines(chunk: Buffer): number {
  const last = chunk[chunk.length - 1];
  if (last === lineFeed || last === carriageReturn) return chunk.length;
  return 1 + Math.max(chunk.lastIndexOf(lineFeed), chunk.lastIndexOf(carriageReturn));
}

const lineFeed = 10;
const carriageReturn = 13;

/** Ends a stream of this wire where the server sends it (P23). */
export const doneMarker = '[DONE]';
