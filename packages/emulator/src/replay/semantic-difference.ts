import { isItem, isRecord, type Item } from '../wire/wire.js';
import { firstDifference, type Difference } from './difference.js';

/** What a create that continues a recorded response continues: the full input of its request, and its output. */
export interface ResponseHistory {
  readonly input: readonly Item[];
  readonly output: readonly Item[];
}

/** The fields of an item that a client may send back or leave out without changing what the model reads. */
const insignificantFields = new Set(['id', 'status', 'annotations', 'logprobs']);

/**
 * The full input of a create in a normal form: the history that it continues by an id, as far as that is known, then its own items. A message
 * has the same form whether it came as a text or in parts.
 */
export function fullInput(
  body: Record<string, unknown>,
  find: (id: string) => ResponseHistory | undefined,
): readonly Item[] {
  const { input, previous_response_id: previous } = body;
  const history = typeof previous === 'string' ? find(previous) : undefined;
  return [...(history?.input ?? []), ...(history?.output ?? []).map(normalized), ...itemsOf(input).map(normalized)];
}

/**
 * The first difference in the meaning of two creates, one of which may continue a response by its id while the other brings the whole
 * history. Both inputs come from `fullInput`.
 */
export function semanticDifference(
  expected: Record<string, unknown>,
  expectedInput: readonly Item[],
  got: Record<string, unknown>,
  gotInput: readonly Item[],
): Difference | undefined {
  return firstDifference(
    { ...expected, previous_response_id: null, input: expectedInput },
    { ...got, previous_response_id: null, input: gotInput },
  );
}

function itemsOf(input: unknown): readonly Item[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return Array.isArray(input) ? input.filter(isItem) : [];
}

/**
 * The same for a reasoning item. Its encrypted content is another text in `response.output_item.done` than in the terminal response, and a client
 * may send back either.
 */
const insignificantInReasoning = new Set([...insignificantFields, 'encrypted_content']);

function normalized(item: Item): Item {
  const type = item.type ?? 'message';
  const insignificant = type === 'reasoning' ? insignificantInReasoning : insignificantFields;
  const kept = Object.entries(item).filter(([name, value]) => !insignificant.has(name) && value !== null);
  const same = { ...Object.fromEntries(kept), type };
  return type === 'message' ? { ...same, content: partsOf(item) } : same;
}

function partsOf({ role, content }: Item): unknown {
  if (typeof content === 'string') {
    return [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: content }];
  }
  if (!Array.isArray(content)) return content;
  return content.map((part: unknown) =>
    isRecord(part) ? Object.fromEntries(Object.entries(part).filter(([name]) => !insignificantFields.has(name))) : part,
  );
}
