import type { FunctionCallItem, InputItem } from '@turnwire/client';
import { argumentsText, readArguments } from '../calls/arguments.js';
import { wellFormed } from '../base/well-formed.js';

/**
 * An item in a form that every server accepts: an item that a strict server refuses would make each later turn of the conversation fail. The arguments of a
 * call must be a JSON object, its name must be a valid name, and no text may have an unpaired surrogate. An item without a fault is returned unchanged, as
 * the same object.
 */
export function sendable(item: InputItem): InputItem {
  const mended = wellFormed(item);
  return mended.type === 'function_call' ? sendableCall(mended) : mended;
}

/** A call whose arguments are an object. The answer to the call tells the model what it wrote instead. */
function sendableCall(item: FunctionCallItem): FunctionCallItem {
  const name = functionName(item.name ?? '');
  const text = argumentsText(item.arguments);
  const args = text.trim() === '' || 'problem' in readArguments(text) ? '{}' : text;
  return name === item.name && args === item.arguments ? item : { ...item, name, arguments: args };
}

/** A name that the API accepts for a function. */
function functionName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'unknown';
}
