import { createHash } from 'node:crypto';

/** The longest name of a function in the API, which takes letters, digits, - and _. */
const longestName = 64;

/**
 * The names of a server's tools as functions, in their order. Where two would be the same, each gets a part of the hash of its own name: so a tool has the
 * same name in every run, whatever the order of the server's list.
 */
export function functionNames(names: readonly string[]): string[] {
  const taken = new Set(names.filter((name) => functionName(name) === name));
  const counts = new Map<string, number>();
  for (const name of names) counts.set(functionName(name), (counts.get(functionName(name)) ?? 0) + 1);
  return names.map((name) => {
    const plain = functionName(name);
    if (plain === name || (counts.get(plain) === 1 && !taken.has(plain))) return plain;
    for (let length = 6; ; length += 2) {
      const hash = createHash('sha256').update(name).digest('hex').slice(0, length);
      const distinct = `${plain.slice(0, longestName - length - 1)}_${hash}`;
      if (taken.has(distinct) || counts.has(distinct)) continue;
      taken.add(distinct);
      return distinct;
    }
  });
}

function functionName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, longestName);
}
