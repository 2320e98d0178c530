/** Mappings whose values are replaced when they are used and not when the file is read: they may be secrets, which change. */
const mappings: ReadonlySet<string> = new Set(['env', 'headers', 'http_headers']);

/** A single key whose value is replaced in the same way. */
const secretKey = 'clientSecret';

/** True where the value at these keys is replaced when it is used. */
export function isReplacedLate(words: readonly string[]): boolean {
  return words.at(-1) === secretKey || words.slice(0, -1).some((key) => mappings.has(key));
}

/** True where values below a key may name secrets. */
export function holdsSecrets(key: string): boolean {
  return key === secretKey || mappings.has(key);
}
