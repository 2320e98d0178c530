/** Mappings whose values are replaced when they are used, and not when the file is read: they may be secrets, and change. */
const mappings: ReadonlySet<string> = new Set(['env', 'headers', 'http_headers']);

/** The one value of that kind that stands by itself. */
const secretKey = 'clientSecret';

/** Whether a value is replaced when it is used, by the keys that lead to it. */
export function isReplacedLate(words: readonly string[]): boolean {
  return words.at(-1) === secretKey || words.slice(0, -1).some((key) => mappings.has(key));
}

/** Whether values below a key may name secrets. */
export function holdsSecrets(key: string): boolean {
  return key === secretKey || mappings.has(key);
}
