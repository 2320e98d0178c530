/**
 * The operations on the body of a request, and on the beginning of it that is kept: characters, or bytes of UTF-8. Lengths and positions are counted in these
 * units. Most of a body that has grown is only compared; bytes are compared without being decoded.
 */
export interface BodyTextOperations<Body extends Sized, Piece, Stored> {
  /** The text from a position on; undefined for bytes that are not UTF-8. */
  decode(body: Body, from: number): string | undefined;
  /** The length of a text in units. */
  lengthOf(text: string): number;
  /** The memory for this many units, in bytes. */
  memoryFor(length: number): number;
  /** Keeps the body up to a position. */
  store(body: Body, end: number): Stored;
  /** A part that does not keep the whole body in memory. */
  piece(body: Body, from: number, to: number): Piece;
  /** Adds a piece. `known` must not be used afterwards. */
  grow(known: Stored, added: Piece): Stored;
  copy(stored: Stored): Stored;
  isBeginningOf(body: Body, stored: Stored): boolean;
  /** Gives the memory back. `stored` must not be used afterwards. */
  free(stored: Stored): void;
}

export interface Sized {
  readonly length: number;
}

/** The beginning of a text, in the pieces that one body after the other has added. */
export interface StoredText {
  readonly pieces: readonly string[];
  /** The last characters, compared first: few bodies have the same ones. */
  readonly mark: string;
  readonly length: number;
}

const markLength = 64;

export const characters: BodyTextOperations<string, string, StoredText> = {
  decode: (body, from) => (from === 0 ? body : body.slice(from)),
  lengthOf: (text) => text.length,
  memoryFor: (length) => length,
  store: (body, end) => ({ pieces: [body.slice(0, end)], mark: endOf(body, end), length: end }),
  piece: (body, from, to) => detached(body.slice(from, to)),
  grow: ({ pieces, mark, length }, added) => {
    const end = mark + added;
    return { pieces: append(pieces, added), mark: endOf(end, end.length), length: length + added.length };
  },
  copy: (stored) => stored,
  isBeginningOf(body, { pieces, mark, length }) {
    if (!hasAt(body, length - mark.length, mark)) return false;
    let at = 0;
    for (const piece of pieces) {
      if (!hasAt(body, at, piece)) return false;
      at += piece.length;
    }
    return true;
  },
  free: () => {},
};

function endOf(text: string, end: number): string {
  return detached(text.slice(Math.max(0, end - markLength), end));
}

/** Whether a piece stands at a position. A comparison of slices is faster than `startsWith`. */
function hasAt(body: string, at: number, piece: string): boolean {
  return body.slice(at, at + piece.length) === piece;
}

/**
 * Adds a piece. Each piece costs a comparison of its own, so a piece is joined to those before it unless they are twice as long: there are never
 * many, and none is copied often.
 */
function append(pieces: readonly string[], piece: string): readonly string[] {
  let last = piece;
  let count = pieces.length;
  for (
    let before: string | undefined;
    (before = pieces[count - 1]) !== undefined && before.length < 2 * last.length;
    count -= 1
  )
    last = before + last;
  return [...pieces.slice(0, count), last];
}

/** A text that no longer keeps in memory the longer text that it was cut out of, as every slice does. */
export function detached(text: string): string {
  return `[${text}`.slice(1);
}
