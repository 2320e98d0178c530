import { textField } from './create.js';
import type { Json, JsonObject, KnownResponse, RelayTurn } from '@turnwire/client/relay';
import type { Create } from './create.js';
import type { HeldHistory, Histories } from './histories.js';

/** What a turn that names the response it continues is without that name: all that the response's context held, then its own input. */
export function inFull(create: Create, history: HeldHistory): Create {
  const { previous_response_id: _, input, ...rest } = create.params;
  const items = [...history.items().filter((item) => history.stored || isWhole(item)), ...itemsIn(input)];
  return { ...create, params: { ...rest, input: items }, raw: undefined };
}

/**
 * Holds the context at the end of a turn.
 *
 * @param sent what went up in the end: the client's create, or the same in full.
 * @param own a context of this gateway's own that begins the input. A turn that has continued another gateway's adds what stands after it, and not the whole.
 */
export function holdContext(
  histories: Histories,
  principal: string,
  turn: RelayTurn,
  { create, sent, own }: { create: Create; sent: Create; own?: KnownResponse | undefined },
): void {
  const { context, responseId: id, stored, continued } = turn;
  if (histories.off || id === undefined || context === undefined || hasConversation(create.params)) return;
  const named = textField(create.params, 'previous_response_id');
  const parent =
    named === undefined
      ? [continued, own].find((one) => one && histories.find(principal, one.responseId) !== undefined)
      : undefined;
  // What is held was searched when it came.
  const compacted = lastCompaction(context, parent?.from ?? 0);
  // What stands before a compaction is in it.
  if (compacted !== -1)
    return histories.keep(principal, { id, stored, parent: undefined, items: context.slice(compacted) });
  // Without being written as JSON first: 20 MB that are refused then hold up every other turn.
  if (continued === undefined && create.bytes > histories.largest) return;
  if (named === undefined)
    return histories.keep(principal, { id, stored, parent: parent?.responseId, items: context.slice(parent?.from) });
  // Sent in full, the context begins with what is held already.
  const before = sent === create ? 0 : itemsIn(sent.params['input']).length - itemsIn(create.params['input']).length;
  histories.keep(principal, { id, stored, parent: named, items: context.slice(before) });
}

export function itemsIn(input: Json | undefined): Json[] {
  if (Array.isArray(input)) return input;
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : [];
}

/** An item that the upstream has not stored is worth something only with its content: reasoning without it is a name that means nothing any more. */
function isWhole(item: Json): boolean {
  if (typeOf(item) !== 'reasoning') return true;
  const { encrypted_content: content } = item as JsonObject;
  return typeof content === 'string' && content !== '';
}

function typeOf(item: Json): Json | undefined {
  return typeof item === 'object' && item !== null && !Array.isArray(item) ? item['type'] : undefined;
}

/** -1 for a context that has none from the item `from` on. */
function lastCompaction(context: readonly Json[], from: number): number {
  for (let index = context.length - 1; index >= from; index -= 1)
    if (typeOf(context[index] ?? null) === 'compaction') return index;
  return -1;
}

function hasConversation({ conversation }: JsonObject): boolean {
  return conversation !== undefined && conversation !== null;
}
