/** The `data` of an event grew beyond the limit. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

/**
 * Cuts a `text/event-stream` body into the `data` of its events, by the rules of the HTML standard (P22, P26): lines end in LF, CRLF or CR,
 * several `data` lines are joined by LF, comments and other fields are skipped, a chunk may end anywhere, inside a character
 * too. The `event` field is not reported: on this wire it repeats the `type` of the JSON.
 *
 * Works on bytes, for speed: a line is decoded once, whole, when its end is known.
 */
export class SseReader {
  readonly #onData: (data: string, bytes: number) => void;
  readonly #maxBytes: number;
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** The `data` lines of the event that is being read. */
  #data: string | undefined;
  #dataBytes = 0;
  #skipLineFeed = false;
  #first = true;

  constructor(options: { maxBytes: number; onData: (data: string, bytes: number) => void }) {
    this.#onData = options.onData;
    this.#maxBytes = options.maxBytes;
  }

  /** @throws EventTooLargeError; the reader is then of no more use. */
  push(chunk: Buffer): void {
    let start = 0;
    if (this.#skipLineFeed && chunk.length > 0) {
      if (chunk[0] === lineFeed) start = 1;
      this.#skipLineFeed = false;
    }
    // Searching for CR in every line would read all bytes twice; most streams have none.
    let nextReturn = chunk.indexOf(carriageReturn, start);
    let nextFeed = chunk.indexOf(lineFeed, start);
    while (nextFeed !== -1 || nextReturn !== -1) {
      const byReturn = nextReturn !== -1 && (nextFeed === -1 || nextReturn < nextFeed);
      const end = byReturn ? nextReturn : nextFeed;
      this.#line(chunk, start, end);
      start = end + 1;
      if (byReturn) {
        if (start === chunk.length) this.#skipLineFeed = true;
        else if (chunk[start] === lineFeed) start += 1;
        nextReturn = chunk.indexOf(carriageReturn, start);
      }
      if (nextFeed !== -1 && nextFeed < start) nextFeed = chunk.indexOf(lineFeed, start);
    }
    if (start < chunk.length) {
      this.#restBytes += chunk.length - start;
      this.#guard(this.#restBytes);
      // A copy: the chunk's memory may be a large pool that this small rest would keep.
      this.#rest.push(Buffer.from(chunk.subarray(start)));
    }
  }

  #line(chunk: Buffer, start: number, end: number): void {
    let line = chunk.subarray(start, end);
    if (this.#restBytes > 0) {
      this.#rest.push(line);
      line = Buffer.concat(this.#rest);
      this.#rest = [];
      this.#restBytes = 0;
    }
    if (this.#first) {
      this.#first = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    if (line.length === 0) {
      this.#dispatch();
    } else if (isDataField(line)) {
      const value = line.toString('utf8', line.length === 4 ? 4 : line[5] === space ? 6 : 5);
      this.#dataBytes += line.length;
      this.#guard(this.#dataBytes);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    }
  }

  #dispatch(): void {
    const data = this.#data;
    if (data === undefined) return;
    const bytes = this.#dataBytes;
    this.#data = undefined;
    this.#dataBytes = 0;
    this.#onData(data, bytes);
  }

  #guard(bytes: number): void {
    if (bytes > this.#maxBytes) throw new EventTooLargeError(`an event of more than ${this.#maxBytes} bytes`);
  }
}

const lineFeed = 10;
const carriageReturn = 13;
const space = 32;
const colon = 58;

/** `data` alone, or followed by a colon. */
function isDataField(line: Buffer): boolean {
  return (
    line[0] === 100 && line[1] === 97 && line[2] === 116 && line[3] === 97 && (line.length === 4 || line[4] === colon)
  );
}

/** Ends a stream of this wire where the server sends it (P23). */
export const doneMarker = '[DONE]';
