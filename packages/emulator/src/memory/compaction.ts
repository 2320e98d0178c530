import { isRecord, type Item } from '../wire/wire.js';
import type { OutputItem, ItemOptions } from '../wire/output-item.js';

const ciphertextPrefix = 'gAAAAAC';

interface CompactionState {
  /** How often the model had spoken, so that a scripted conversation goes on after it where it was. */
  readonly turns: number;
  /** Whether it ends a window, whose other items the model still sees. */
  readonly window: boolean;
}

/**
 * An item that stands for context before it (P77): for all of it, or, at the end of a window that `POST /responses/compact`
 * made, for what the window leaves out. The texts are gone, as they are for a model.
 */
export function compactionItem(id: string, state: CompactionState): Item {
  const text = Buffer.from(JSON.stringify({ id, ...state })).toString('base64url');
  return { id, type: 'compaction', encrypted_content: `${ciphertextPrefix}${text}` };
}

export function compaction({ ids, turnsBefore }: ItemOptions): OutputItem {
  const done = compactionItem(ids.next('cmp'), { turns: turnsBefore, window: false });
  return {
    added: done,
    done,
    progress: (at) => [{ type: 'response.compaction.compacting', ...at }],
  };
}

/** True for a compaction after which nothing before it is seen; one that was made elsewhere is taken for such. */
export function standsForAllBefore(item: Item): boolean {
  return item.type === 'compaction' && !decodeState(item).window;
}

/** How often the model had spoken in what a compaction stands for; 0 for one that was made elsewhere. */
export function compactedTurns(item: Item): number {
  return decodeState(item).turns;
}

function decodeState({ encrypted_content: text }: Item): CompactionState {
  const unknown = { turns: 0, window: false };
  if (typeof text !== 'string' || !text.startsWith(ciphertextPrefix)) return unknown;
  try {
    const opened: unknown = JSON.parse(Buffer.from(text.slice(ciphertextPrefix.length), 'base64url').toString());
    if (!isRecord(opened) || !Number.isSafeInteger(opened['turns'])) return unknown;
    return { turns: Number(opened['turns']), window: opened['window'] === true };
  } catch {
    return unknown;
  }
}
