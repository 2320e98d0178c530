import { createHash } from 'node:crypto';
import type { Run } from './runs.js';

/** What must be the same for all runs, byte for byte, and whether it is. */
export interface Identity {
  what: string;
  /** SHA-256 of the bytes, one for each run. */
  hashes: readonly string[];
  same: boolean;
}

/** Compares the runs; ids aside, which every response has anew. */
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

/** Ids replaced by the order in which they first appear: which item an id names still counts, how it is spelt does not. */
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
