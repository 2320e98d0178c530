import { repeatedKey } from '../base/json-text.js';
import { firstCharacters, wellFormed } from '../base/well-formed.js';

/** The arguments of a call: an object, or what is wrong with the text that the model wrote. */
export type Arguments = { value: Readonly<Record<string, unknown>> } | { problem: string };

/** Of a text that is no arguments, so much is shown to the model again, in UTF-16 units. */
const shownText = 1000;

/** The text of a call's arguments. The API sends a text; some servers send the object itself, or null. */
export function argumentsText(sent: unknown): string {
  return typeof sent === 'string' ? sent : JSON.stringify(sent ?? {});
}

/**
 * Reads the arguments of a call. A text that readers of JSON would take in different ways is refused, because rules, hooks, tools and the provider's
 * template have to see the same call: a key that occurs twice, and half of a character.
 */
export function readArguments(text: string): Arguments {
  // Models write nothing at all where there is nothing to say.
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
