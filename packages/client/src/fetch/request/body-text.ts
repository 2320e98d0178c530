import { isAscii, isUtf8 } from 'node:buffer';
import type { ByteChunks } from './byte-chunks.js';

/**
 * The operations on the body of a request, and on the pieces of it that are kept: characters, or bytes of UTF-8. Lengths and positions are counted in these
 * units. Most of a body that has grown is only compared; bytes are compared without being decoded.
 */
export interface BodyTextOperations<Body extends Sized, Piece extends Sized> {
  /** The text from a position on; undefined for bytes that are not UTF-8. */
  decode(body: Body, from: number): string | undefined;
  /** The length of a text in units. */
  lengthOf(text: string): number;
  /** A part that does not keep the whole body in memory, unless it is most of it. */
  copy(body: Body, from: number, to: number): Piece;
  join(first: Piece, second: Piece): Piece;
  /** Whether a piece stands at a position. */
  hasAt(body: Body, at: number, piece: Piece): boolean;
}

export interface Sized {
  readonly length: number;
}

export const characters: BodyTextOperations<string, string> = {
  decode: (body, from) => (from === 0 ? body : body.slice(from)),
  lengthOf: (text) => text.length,
  copy: (body, from, to) => (from === 0 ? body.slice(0, to) : detached(body.slice(from, to))),
  join: (first, second) => first + second,
  // A comparison of slices is faster than `startsWith`.
  hasAt: (body, at, piece) => body.slice(at, at + piece.length) === piece,
};

export const bytes: BodyTextOperations<ByteChunks, Buffer> = {
  decode(body, from) {
    const part = body.slice(from, body.length);
    // Nearly all bodies are ASCII, which is decoded in a tenth of the time.
    if (isAscii(part)) return part.toString('latin1');
    return isUtf8(part) ? part.toString() : undefined;
  },
  lengthOf: (text) => Buffer.byteLength(text),
  copy(body, from, to) {
    const part = body.slice(from, to);
    return part.length > part.buffer.byteLength / 2 ? part : Buffer.from(part);
  },
  join: (first, second) => Buffer.concat([first, second]),
  hasAt: (body, at, piece) => body.hasAt(at, piece),
};

/** A text that no longer keeps in memory the longer text that it was cut out of, as every slice does. */
export function detached(text: string): string {
  return `[${text}`.slice(1);
}
