import { createHash } from 'node:crypto';
import { sampleHash } from './sample-hash.js';

/** The shortest text that gets a digest, in characters. */
export const minDigestedLength = 4096;

/**
 * A long output text, kept as its SHA-256: most outputs are never compared. Once a text has matched, it is kept itself, because each later turn of the chain
 * brings the same string.
 */
export class TextDigest {
  /** The length of the text, in characters. */
  readonly length: number;
  /** The sample hash of the text. */
  readonly sampleHash: number;
  readonly #sha256: string;
  #text: string | undefined;

  private constructor(text: string) {
    this.length = text.length;
    this.sampleHash = sampleHash(text);
    this.#sha256 = sha256(text);
  }

  /** The digest of a long text. A short one stays, and so does one with lone surrogates, which all have the same bytes. */
  static of(text: string): TextDigest | string {
    return text.length < minDigestedLength || !text.isWellFormed() ? text : new TextDigest(text);
  }

  matches(text: string): boolean {
    if (this.#text !== undefined) return this.#text === text;
    if (text.length !== this.length || !text.isWellFormed() || sha256(text) !== this.#sha256) return false;
    this.#text = text;
    return true;
  }

  equals(other: TextDigest): boolean {
    return this.length === other.length && this.#sha256 === other.#sha256;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
