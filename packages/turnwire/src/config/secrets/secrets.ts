/** A source of secrets. Both transports read it again at each dial, so that a rotated key is picked up. */
export interface Secrets {
  /**
   * The secret of that name; undefined if this source has none.
   *
   * @throws SecretError where the source itself fails: a file that cannot be read, a program that does not answer
   */
  get(name: string): Promise<Secret | undefined>;
}

export interface Secret {
  /** The value unchanged, even if it is empty. It must never be shown. */
  value: string;
  /** The name of the source, for people: `the environment`. */
  source: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Thrown where a source of secrets fails. The message is a sentence, and never contains a secret. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Joins sources: the first one that has a name decides, even with an empty value. To look further would hide that the name was set. */
export function firstOf(sources: readonly Secrets[]): Secrets {
  return {
    async get(name) {
      for (const source of sources) {
        const found = await source.get(name);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** True for a plain name. Names become parts of file paths and arguments of programs, so nothing else is allowed. */
export function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name);
}
