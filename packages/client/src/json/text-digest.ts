import { createHash } from 'node:crypto';
import { sampleHash } from './sample-hash.js';

/** In characters: what is shorter takes little memory, and its digest as much time. */
export const minDigestedLength = 4096;

/**
 * A long text of an answer, as what it takes to recognise it: its SHA-256. Most answers are never asked about again, and a text that lives on costs
 * more than reading it did: kept as such, those of short events made each event a quarter dearer.
 *
 * Once it was recognised the text is held itself, for it comes again in each later turn, mostly as the very string that the caller has anyway.
 */
export class TextDigest {
  /** In characters, as that of the text. */
  readonly length: number;
  /** Of the text. */
  readonly sampleHash: number;
  readonly #sha256: string;
  #text: string | undefined;

  private constructor(text: string) {
    this.length = text.length;
    this.sampleHash = sampleHash(text);
    this.#sha256 = sha256(text);
  }

  /** The text itself where it is short, or where its bytes do not tell it: halves of characters all become the same ones. */
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
