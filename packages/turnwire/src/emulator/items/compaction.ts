import { isRecord, type Item } from '../wire.js';
import type { Draft, Drafting } from './draft.js';

const PREFIX = 'gAAAAAC';

/**
 * An item that stands for all context before it (P77). What it seals is how often the model had spoken, so that a scripted
 * conversation goes on after it where it was; the texts are gone, as they are for a model.
 */
export function compactionItem(id: string, turns: number): Item {
  const sealed = Buffer.from(JSON.stringify({ id, turns })).toString('base64url');
  return { id, type: 'compaction', encrypted_content: `${PREFIX}${sealed}` };
}

export function compaction({ ids, turnsBefore }: Drafting): Draft {
  const done = compactionItem(ids.next('cmp'), turnsBefore);
  return {
    added: done,
    done,
    between: (at) => [{ type: 'response.compaction.compacting', ...at }],
  };
}

/** How often the model had spoken in what a compaction stands for; 0 for one that was made elsewhere. */
export function compactedTurns(item: Item): number {
  const { encrypted_content: sealed } = item;
  if (typeof sealed !== 'string' || !sealed.startsWith(PREFIX)) return 0;
  try {
    const opened: unknown = JSON.parse(Buffer.from(sealed.slice(PREFIX.length), 'base64url').toString());
    return isRecord(opened) && Number.isSafeInteger(opened['turns']) ? Number(opened['turns']) : 0;
  } catch {
    return 0;
  }
}
