import { isRecord, type Item } from '../wire/wire.js';
import type { OutputItem, ItemOptions } from '../wire/output-item.js';

const ciphertextPrefix = 'gAAAAAC';

/** What a compaction item remembers of the context that it replaces. */
interface CompactionState {
  /** The number of model turns before it, so that a scripted conversation goes on with the right turn. */
  readonly turns: number;
  /** Whether the item ends a window of `POST /responses/compact`, whose other items the model still sees. */
  readonly window: boolean;
}

/**
 * A compaction item (P77). It replaces all of the context before it; at the end of a window that `POST /responses/compact` made, it replaces
 * what the window leaves out. The texts of the replaced context are lost, as they are for a model.
 */
export function compactionItem(id: string, state: CompactionState): Item {
  const text = Buffer.from(JSON.stringify({ id, ...state })).toString('base64url');
  return { id, type: 'compaction', encrypted_content: `${ciphertextPrefix}${text}` };
}

/** The compaction that a model writes as an item of its output. */
export function compaction({ ids, turnsBefore }: ItemOptions): OutputItem {
  const done = compactionItem(ids.next('cmp'), { turns: turnsBefore, window: false });
  return {
    added: done,
    done,
    progress: (at) => [{ type: 'response.compaction.compacting', ...at }],
  };
}

/** True for a compaction that replaces all items before it. A compaction that another server made counts as one. */
export function standsForAllBefore(item: Item): boolean {
  return item.type === 'compaction' && !decodeState(item).window;
}

/** The number of model turns that a compaction replaces; 0 for a compaction that another server made. */
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
