import { createHash } from 'node:crypto';

/** The SHA-256 of a sequence, which can be asked for at any place. */
export class RunningDigest {
  readonly #hash = createHash('sha256');

  add(part: Buffer): void {
    this.#hash.update(part);
  }

  /** In base64url. */
  get current(): string {
    return this.#hash.copy().digest('base64url');
  }
}

export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
