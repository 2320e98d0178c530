import type { FunctionCallItem, InputItem } from '@turnwire/client';
import { argumentsText, readArguments } from '../calls/arguments.js';
import { wellFormed } from '../base/well-formed.js';

/**
 * An item as every server takes it back: one item that a strict server refuses makes each later turn of the conversation fail. A call's arguments are
 * a JSON object, its name is a name, and no text holds half a character. An item that is fine is returned as it is, the same object.
 */
export function sendable(item: InputItem): InputItem {
  const mended = wellFormed(item);
  return mended.type === 'function_call' ? sendableCall(mended) : mended;
}

/** What the model wrote instead of an object, the answer to the call tells it. */
function sendableCall(item: FunctionCallItem): FunctionCallItem {
  const name = functionName(item.name ?? '');
  const text = argumentsText(item.arguments);
  const args = text.trim() === '' || 'problem' in readArguments(text) ? '{}' : text;
  return name === item.name && args === item.arguments ? item : { ...item, name, arguments: args };
}

/** What the API takes as the name of a function. */
function functionName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'unknown';
}
