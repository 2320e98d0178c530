/** Where keys come from. One source for both transports, asked again at each dial, so that a rotated key is picked up. */
export interface Secrets {
  /**
   * The value of that name, and where it was; undefined if this source has none.
   *
   * @throws SecretError where the source itself fails: a file that cannot be read, a program that gives no answer.
   */
  get(name: string): Promise<Secret | undefined>;
}

export interface Secret {
  /** As it is, an empty one too. Never shown. */
  value: string;
  /** Where it was found, for people: `the environment`. */
  source: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A source of secrets that cannot be asked. Its message is a sentence, and never holds a secret. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** The first source that has a name decides, even if its value is empty: to look further would hide that it was set. */
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

/** Names reach file paths and the arguments of programs, so that they are names and nothing else. */
export function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name);
}
