import { createHash } from 'node:crypto';
import type { Run } from './runs.js';

/** A thing that must be the same in all runs, byte for byte, and whether it is. */
export interface Identity {
  what: string;
  /** The SHA-256 of its bytes in each run. */
  hashes: readonly string[];
  same: boolean;
}

/** Compares the runs. Ids are left aside, since every response has new ones. */
export function compare(runs: readonly Run[]): Identity[] {
  return [
    identity('transcripts, as the program has them', runs, ({ history }) => JSON.stringify(withoutIds(history))),
    identity('contexts, as the server used them turn by turn', runs, ({ contexts }) =>
      JSON.stringify(withoutIds(contexts)),
    ),
    identity('reports, as written to disk', runs, ({ report }) => report),
  ];
}

function identity(what: string, runs: readonly Run[], bytes: (run: Run) => string): Identity {
  const hashes = runs.map((run) => createHash('sha256').update(bytes(run)).digest('hex'));
  return { what, hashes, same: new Set(hashes).size === 1 };
}

/** Replaces each id by its number in the order of first appearance: so it matters which item an id names, and not how the id is spelt. */
function withoutIds(value: unknown): unknown {
  const names = new Map<string, string>();
  const rename = (id: string): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    names.set(id, `id-${names.size + 1}`);
    return `id-${names.size}`;
  };
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(
      Object.entries(part).map(([name, inner]) => [
        name,
        (name === 'id' || name === 'call_id') && typeof inner === 'string' ? rename(inner) : walk(inner),
      ]),
    );
  };
  return walk(value);
}
