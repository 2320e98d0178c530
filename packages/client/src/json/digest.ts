import { createHash, hash } from 'node:crypto';

/** The SHA-256 of a sequence, which can be asked for at any place. */
export class RunningDigest {
  readonly #hash = createHash('sha256');
  /** Parts that are hashed together: a call for each would cost more than the hash. */
  #parts: Buffer[] = [];

  add(part: Buffer): void {
    this.#parts.push(part);
  }

  /** The digest of all parts so far, in base64url. */
  get current(): string {
    this.#hash.update(Buffer.concat(this.#parts));
    this.#parts = [];
    return this.#hash.copy().digest('base64url');
  }
}

/** The length of a piece, in characters, from which a copy of the piece into a longer text costs more than a call of the hash. */
const longPiece = 1024;

/** The SHA-256 of a text in pieces, each of which is well-formed Unicode. */
export function digestOf(pieces: readonly string[]): Buffer {
  if (!pieces.some(isLong)) return hash('sha256', pieces.join(''), 'buffer');
  const digest = createHash('sha256');
  let short = '';
  for (const piece of pieces) {
    if (!isLong(piece)) {
      short += piece;
      continue;
    }
    if (short !== '') digest.update(short);
    digest.update(piece);
    short = '';
  }
  if (short !== '') digest.update(short);
  return digest.digest();
}

function isLong(piece: string): boolean {
  return piece.length >= longPiece;
}
