import { isAscii, isUtf8 } from 'node:buffer';

/**
 * The body of a request as its caller has it: characters, or bytes of UTF-8. Lengths and places are counted in these units. Of a body that has grown most is
 * compared and nothing else, and bytes are compared without being decoded.
 */
export interface BodyText<Body extends string | Buffer> {
  /** The text from a place on; undefined for bytes that are none. */
  decode(body: Body, from: number): string | undefined;
  /** The units of a text. */
  lengthOf(text: string): number;
  /** A part that does not keep the whole body in memory, unless it is most of it. */
  copy(body: Body, from: number, to: number): Body;
  join(first: Body, second: Body): Body;
  /** Whether a piece stands at a place. */
  hasAt(body: Body, at: number, piece: Body): boolean;
}

export const characters: BodyText<string> = {
  decode: (body, from) => (from === 0 ? body : body.slice(from)),
  lengthOf: (text) => text.length,
  copy: (body, from, to) => (from === 0 ? body.slice(0, to) : detached(body.slice(from, to))),
  join: (first, second) => first + second,
  // A comparison of slices is faster than `startsWith`.
  hasAt: (body, at, piece) => body.slice(at, at + piece.length) === piece,
};

export const bytes: BodyText<Buffer> = {
  decode(body, from) {
    const part = body.subarray(from);
    // Nearly all bodies are ASCII, which is decoded in a tenth of the time.
    if (isAscii(part)) return part.toString('latin1');
    return isUtf8(part) ? part.toString() : undefined;
  },
  lengthOf: (text) => Buffer.byteLength(text),
  copy(body, from, to) {
    const part = body.subarray(from, to);
    return part.length > body.buffer.byteLength / 2 ? part : Buffer.from(part);
  },
  join: (first, second) => Buffer.concat([first, second]),
  hasAt: (body, at, piece) =>
    at + piece.length <= body.length && body.compare(piece, 0, piece.length, at, at + piece.length) === 0,
};

/** A text that no longer keeps in memory the longer text that it was cut out of, as every slice does. */
export function detached(text: string): string {
  return `[${text}`.slice(1);
}
