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

export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
