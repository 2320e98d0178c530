import type { CustomToolCallItem, FunctionCallItem, InputItem } from '@turnwire/client';
import { argumentsText } from './arguments.js';
import type { ToolCall } from '../events.js';

/** A call of a turn, and the type of the item that answers it. */
export interface Call extends ToolCall {
  answer: 'function_call_output' | 'custom_tool_call_output';
}

/** The items that a turn adds to the history, and the calls among them that need an answer. */
export interface TurnCalls {
  items: readonly InputItem[];
  calls: readonly Call[];
  /** Calls that the turn sent more than once; each is among `calls` once. */
  repeated: readonly Call[];
}

/**
 * Finds the calls of one turn. An id identifies a call only until it is answered: some servers count ids anew in each response, or give one id to all calls
 * (Q15). So an id of an earlier turn makes a new call. Within a turn, the same call with the same id is one item that was sent twice, and is left out; a
 * different call with that id gets another id.
 */
export function callsOf(added: readonly InputItem[]): TurnCalls {
  const calls: Call[] = [];
  const repeated: Call[] = [];
  const items: InputItem[] = [];
  const seen = new Set<string>();
  const ids = new Set<string>();
  for (const item of added) {
    const call = isCall(item) ? callIn(item) : undefined;
    const same = JSON.stringify(call ?? item);
    const known = seen.has(same);
    seen.add(same);
    if (!isCall(item) || call === undefined) {
      // Items without an id may be equal and still be several, such as messages of the user.
      if (!known || !('id' in item)) items.push(item);
    } else if (known) {
      repeated.push(call);
    } else {
      const id = freeId(call.id, ids);
      ids.add(id);
      calls.push({ ...call, id });
      items.push(item.call_id === id ? item : withCallId(item, id));
    }
  }
  return { items, calls, repeated };
}

type CallItem = FunctionCallItem | CustomToolCallItem;

function isCall(item: InputItem): item is CallItem {
  return item.type === 'function_call' || item.type === 'custom_tool_call';
}

/** The call of an item. Some servers leave the `call_id` out. */
function callIn(item: CallItem): Call {
  return {
    id: item.call_id || item.id || 'call',
    name: item.name ?? '',
    arguments: item.type === 'function_call' ? argumentsText(item.arguments) : item.input,
    answer: `${item.type}_output`,
  };
}

/** An id that no other call of the turn has. */
function freeId(id: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? id : `${id}_${count}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** The item with another `call_id`, and without its `id`, under which the server may know the former `call_id`. */
function withCallId({ id: _id, ...item }: CallItem, callId: string): CallItem {
  return { ...item, call_id: callId };
}
