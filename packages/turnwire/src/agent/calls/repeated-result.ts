import { isDeepStrictEqual } from 'node:util';
import type { InputItem } from '@turnwire/client';
import { toolNames } from '../../config/tool-names.js';
import type { Tool } from '../tools/tool.js';
import { readArguments } from './arguments.js';
import type { Call } from './turn-calls.js';

/** The tools of turnwire's own whose result may stand for itself: what they return depends on nothing but what they read. */
const reading: ReadonlySet<string> = new Set(
  (['filesystem', 'memory', 'git'] as const).flatMap((type) => toolNames[type] ?? []),
);

/** True for a tool that only reads, and whose own word for that is not a server's. */
export function mayRepeat({ name, readOnly, unproven, alias }: Tool): boolean {
  return readOnly && unproven !== true && alias === undefined && reading.has(name);
}

/** The text in place of a result that the model has already: it says that the tool has run, so that the model takes it for no old copy. */
export function repeatedResult(text: string): string {
  return `[the tool ran, and returned the same ${Buffer.byteLength(text)} bytes as your last call of it with these arguments; they are not repeated here]`;
}

/**
 * True where the newest result of the same call in these items is this text. The items are those that the model would be sent now: a result that was summed
 * up, cut or left out of them is one that the model does not have. After a marker the answer is false: a model that asks again wants to see the text.
 */
export function isShown(items: readonly InputItem[], { name, arguments: args }: Call, text: string): boolean {
  const wanted = readArguments(args);
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at];
    if (item?.type !== 'function_call_output') continue;
    const call = callBefore(items, at, item.call_id);
    if (call?.name === name && isDeepStrictEqual(readArguments(call.arguments), wanted)) return item.output === text;
  }
  return false;
}

/** The call that the output at this index answers. An id may have been used before: the nearest call has it. */
function callBefore(
  items: readonly InputItem[],
  at: number,
  id: string,
): { name: string; arguments: string } | undefined {
  for (let before = at - 1; before >= 0; before -= 1) {
    const item = items[before];
    if (item?.type === 'function_call' && item.call_id === id) return { name: item.name, arguments: item.arguments };
  }
  return undefined;
}
