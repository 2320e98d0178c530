/** `${env.NAME}` in a value of the file, or `${NAME}` for short: it stands for a secret that is looked up when the value is used. */
const reference = /\$\{(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The names that a value refers to. */
export function namesIn(value: string): string[] {
  return [...value.matchAll(reference)].map(([, name = '']) => name);
}

/** The name in a value that is `$NAME` alone, which docker-agent replaces in some places. turnwire would send it unchanged. */
export function bareName(value: string): string | undefined {
  return /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(value)?.[1];
}

/**
 * The value with each reference replaced.
 *
 * @throws what `read` throws for a name that has no value.
 */
export async function expand(value: string, read: (name: string) => Promise<string>): Promise<string> {
  const values = new Map<string, string>();
  for (const name of new Set(namesIn(value))) values.set(name, await read(name));
  return value.replace(reference, (_whole, name: string) => values.get(name) ?? '');
}
