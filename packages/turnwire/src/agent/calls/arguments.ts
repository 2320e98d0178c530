import { repeatedKey } from '../base/json-text.js';
import { firstCharacters, wellFormed } from '../base/well-formed.js';

/** The arguments of a call, or the problem with the text that the model wrote. */
export type Arguments = { value: Readonly<Record<string, unknown>> } | { problem: string };

/** The part of an invalid text that the model is shown again, in UTF-16 units. */
const shownText = 1000;

/** The arguments of a call as text. The API sends a text; some servers send the object itself, or null. */
export function argumentsText(sent: unknown): string {
  return typeof sent === 'string' ? sent : JSON.stringify(sent ?? {});
}

/**
 * Reads the arguments of a call. A text is refused where JSON parsers differ about it, because rules, hooks, tools and the provider's template must all see
 * the same call: an object with one key twice, and an unpaired surrogate.
 */
export function readArguments(text: string): Arguments {
  // Models often write an empty text for a call without arguments.
  if (text.trim() === '') return { value: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: `the arguments are not valid JSON. They were: ${shown(text)}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: `the arguments must be a JSON object, not ${kindOf(value)}. They were: ${shown(text)}` };
  const twice = repeatedKey(text);
  if (twice !== undefined) return { problem: `the arguments have the key ${JSON.stringify(twice)} more than once` };
  if (wellFormed(value) !== value) return { problem: 'the arguments hold half of a character (an unpaired surrogate)' };
  return { value: value as Readonly<Record<string, unknown>> };
}

function shown(text: string): string {
  return text.length <= shownText ? text : `${firstCharacters(text, shownText)} […]`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
