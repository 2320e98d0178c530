import { maxChunkLineBytes } from '../base/bounds.js';
import { parseResponseHead } from './head.js';
import type { ResponseHead } from './head.js';

/** The parts of a response, in order. */
export interface HttpResponseListener {
  /** An interim response has come: 100, 103. */
  interim?(status: number): void;
  head(head: ResponseHead): void;
  /** A part of the body, without the framing of chunks. Its memory is valid during the call only. */
  body(bytes: Buffer): void;
  /** The response is whole. `reusable`: the connection may carry the next request. */
  end(reusable: boolean): void;
}

/** The server broke RFC 9112. The message continues "the server sent". */
export class HttpProtocolError extends Error {
  override readonly name = 'HttpProtocolError';
}

/**
 * head ──▶ length ──────────────────────────────▶ over
 *   ├───▶ until_close ──the connection ends─────▶ over
 *   └───▶ size ──▶ chunk ──▶ gap ──▶ size
 *          └──0──▶ trailer ───────────────────────▶ over
 */
type ReaderState = 'head' | 'length' | 'size' | 'chunk' | 'gap' | 'trailer' | 'until_close' | 'over';

/**
 * Reads one response in HTTP/1.1 (RFC 9112) from chunks of bytes. Interim responses (100, 103) are reported apart. `content-encoding` is left to the
 * content decoder.
 */
export class HttpResponseReader {
  readonly #listener: HttpResponseListener;
  readonly #maxHeadBytes: number;
  /** A head or a line that is not complete yet. */
  #partialLine: Buffer | undefined;
  #state: ReaderState = 'head';
  /** The bytes that are left of the body, or of the chunk that is being read. */
  #left = 0;
  #persistent = false;

  constructor(listener: HttpResponseListener, maxHeadBytes: number) {
    this.#listener = listener;
    this.#maxHeadBytes = maxHeadBytes;
  }

  get over(): boolean {
    return this.#state === 'over';
  }

  /** @throws HttpProtocolError; the reader must not be used after it. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#partialLine !== undefined) {
      bytes = Buffer.concat([this.#partialLine, chunk]);
      this.#partialLine = undefined;
    }
    let at = 0;
    while (at < bytes.length) {
      const next = this.#read(bytes, at);
      if (next === undefined) {
        // A copy: the memory of the whole chunk is not kept for the beginning of a line.
        this.#partialLine = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** Called when the connection has ended. Whether the response is whole. */
  close(): boolean {
    if (this.#state === 'until_close') this.#end(false);
    return this.over;
  }

  /** Returns where the next part begins; undefined if more bytes are needed. */
  #read(bytes: Buffer, at: number): number | undefined {
    const state = this.#state;
    switch (state) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'length':
      case 'chunk': {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        // Set before the call: the listener may end the exchange in it.
        if (this.#left === 0 && state === 'chunk') this.#state = 'gap';
        this.#listener.body(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
        if (this.#left === 0 && state === 'length') this.#end(this.#persistent);
        return end;
      }
      case 'until_close':
        this.#listener.body(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'gap':
        if (bytes.length - at < 2) return undefined;
        if (bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed)
          throw new HttpProtocolError('a chunk that is longer than it said');
        this.#state = 'size';
        return at + 2;
      case 'size':
        return this.#readSize(bytes, at) ?? this.#readLine(bytes, at, state);
      case 'trailer':
        return this.#readLine(bytes, at, state);
      default:
        throw new HttpProtocolError('more than its answer');
    }
  }

  /**
   * The size of a chunk as nearly all servers write it: a few digits and nothing else. Real servers send each event in a chunk of its own, so this is
   * read as often as an event. undefined for any other line.
   */
  #readSize(bytes: Buffer, begin: number): number | undefined {
    let size = 0;
    let at = begin;
    for (const end = begin + plainDigits; at < end; at += 1) {
      const value = hexValue(bytes[at]);
      if (value === -1) break;
      size = size * 16 + value;
    }
    if (at === begin || bytes[at] !== carriageReturn || bytes[at + 1] !== lineFeed) return undefined;
    this.#beginChunk(size);
    return at + 2;
  }

  #beginChunk(size: number): void {
    this.#left = size;
    this.#state = size === 0 ? 'trailer' : 'chunk';
  }

  #readHead(bytes: Buffer, at: number): number | undefined {
    // Some servers send an empty line behind a body, which comes before the next head then.
    if (bytes[at] === carriageReturn && bytes.length - at === 1) return undefined;
    if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) return at + 2;
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1 && bytes.length - at <= this.#maxHeadBytes) return undefined;
    const length = end === -1 ? Infinity : end - at;
    const head = parseResponseHead(bytes.toString('latin1', at, at + Math.min(length, this.#maxHeadBytes)));
    if (head === undefined) throw new HttpProtocolError('an answer that is not HTTP');
    if (length > this.#maxHeadBytes)
      throw new HttpProtocolError(`a head that has no end within ${this.#maxHeadBytes} bytes`);
    if (head.status >= 200 || head.status === 101) this.begin(head);
    else this.#listener.interim?.(head.status);
    return end + 4;
  }

  /**
   * The head was read: the body follows. Called from outside if the head was read elsewhere.
   *
   * @throws HttpProtocolError
   */
  begin(head: ResponseHead): void {
    const { status, headers } = head;
    this.#persistent = head.persistent;
    const coding = transferCodingOf(headers);
    const length = headers['content-length'];
    if (status === 101) this.#state = 'until_close';
    else if (status === 204 || status === 304) this.#beginLength(0);
    else if (coding !== undefined) {
      if (coding !== 'chunked') throw new HttpProtocolError(`a body with transfer-encoding "${coding}"`);
      // Both together are a sign of request smuggling: the connection is not reused (RFC 9112, 6.3).
      if (length !== undefined) this.#persistent = false;
      this.#state = 'size';
    } else if (length === undefined) this.#state = 'until_close';
    else if (/^\d{1,15}$/.test(length)) this.#beginLength(Number(length));
    else throw new HttpProtocolError('a content-length that is none');
    const isEmpty = this.#state === 'length' && this.#left === 0;
    this.#listener.head(head);
    if (isEmpty) this.#end(this.#persistent);
  }

  #beginLength(length: number): void {
    this.#left = length;
    this.#state = 'length';
  }

  #readLine(bytes: Buffer, at: number, name: 'size' | 'trailer'): number | undefined {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1 && bytes.length - at <= maxChunkLineBytes) return undefined;
    if (end === -1 || end - at > maxChunkLineBytes)
      throw new HttpProtocolError(`a line of its framing with more than ${maxChunkLineBytes} bytes`);
    if (name === 'trailer') {
      if (end === at) this.#end(this.#persistent);
      return end + 2;
    }
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(bytes.toString('latin1', at, end))?.[1];
    if (size === undefined) throw new HttpProtocolError('a chunk without its size');
    this.#beginChunk(Number.parseInt(size, 16));
    return end + 2;
  }

  #end(reusable: boolean): void {
    this.#state = 'over';
    this.#listener.end(reusable);
  }
}

/** The transfer codings of a body; undefined for none. One that is named twice, as two programs in a row do, was applied once. */
function transferCodingOf({ 'transfer-encoding': given }: ResponseHead['headers']): string | undefined {
  const codings = (given ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  const applied = new Set(codings.filter((coding) => coding !== '' && coding !== 'identity'));
  return applied.size === 0 ? undefined : [...applied].join(', ');
}

/** The most digits of a size that is read without a regular expression: chunks up to 256 MiB. */
const plainDigits = 7;

/** The value of one hexadecimal digit; -1 for anything else, and behind the end of the bytes. */
function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

const carriageReturn = 13;
const lineFeed = 10;
