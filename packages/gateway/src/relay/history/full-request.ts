import { textField } from '../create.js';
import type { Json, JsonObject, KnownResponse, RelayTurn } from '@turnwire/client/relay';
import type { Create } from '../create.js';
import type { CachedHistory, HistoryCache } from './history-cache.js';

/** The same request without `previous_response_id`: its input is the whole context of that response, followed by the items of the request. */
export function withFullHistory(create: Create, history: CachedHistory): Create {
  const { previous_response_id: _, input, ...rest } = create.params;
  const items = [...history.items().filter((item) => history.stored || canBeResent(item)), ...inputItems(input)];
  return { ...create, params: { ...rest, input: items }, raw: undefined };
}

/**
 * Puts the context at the end of a turn into the cache.
 *
 * @param sent the request that was sent in the end: the client's, or the same in full.
 * @param local the longest context of this gateway that begins the input. A turn that has continued another gateway's response adds the items after that
 * context, not the whole.
 */
export function cacheContext(
  histories: HistoryCache,
  principal: string,
  turn: RelayTurn,
  { create, sent, local }: { create: Create; sent: Create; local?: KnownResponse | undefined },
): void {
  const { context, responseId: id, stored, continued } = turn;
  if (histories.off || id === undefined || context === undefined || hasConversation(create.params)) return;
  const named = textField(create.params, 'previous_response_id');
  const parent =
    named === undefined
      ? [continued, local].find((known) => known && histories.find(principal, known.responseId) !== undefined)
      : undefined;
  // The parent's items were searched for a compaction when they were kept.
  const compacted = lastCompaction(context, parent?.from ?? 0);
  // A compaction stands for all items before it.
  if (compacted !== -1)
    return histories.keep(principal, { id, stored, parent: undefined, items: context.slice(compacted) });
  // Checked before the context is written as JSON: 20 MB that are too large would hold up every other turn meanwhile.
  if (continued === undefined && create.bytes > histories.largest) return;
  if (named === undefined)
    return histories.keep(principal, { id, stored, parent: parent?.responseId, items: context.slice(parent?.from) });
  // In a turn that was sent in full, the context begins with items that are kept already.
  const before =
    sent === create ? 0 : inputItems(sent.params['input']).length - inputItems(create.params['input']).length;
  histories.keep(principal, { id, stored, parent: named, items: context.slice(before) });
}

export function inputItems(input: Json | undefined): Json[] {
  if (Array.isArray(input)) return input;
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : [];
}

/** False for a reasoning item without encrypted content: the upstream does not store such an item, so its id cannot be resolved later. */
function canBeResent(item: Json): boolean {
  if (typeOf(item) !== 'reasoning') return true;
  const { encrypted_content: content } = item as JsonObject;
  return typeof content === 'string' && content !== '';
}

function typeOf(item: Json): Json | undefined {
  return typeof item === 'object' && item !== null && !Array.isArray(item) ? item['type'] : undefined;
}

/** The index of the last compaction at or after `from`; -1 for none. */
function lastCompaction(context: readonly Json[], from: number): number {
  for (let index = context.length - 1; index >= from; index -= 1)
    if (typeOf(context[index] ?? null) === 'compaction') return index;
  return -1;
}

function hasConversation({ conversation }: JsonObject): boolean {
  return conversation !== undefined && conversation !== null;
}
