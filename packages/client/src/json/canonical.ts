import { maxJsonDepth } from '../base/bounds.js';
import { unmarkedInteger } from './exact-integers.js';
import type { Json } from './json.js';

/**
 * Text that is the same for two values exactly if they are equal: keys are sorted. undefined for what is deeper than {@link maxJsonDepth}.
 *
 * A string stands behind its length as it is, since escaping a long one costs more than its digest. One with half a surrogate pair is escaped: UTF-8 has
 * no bytes for it. An integer that JavaScript cannot hold stands as its client wrote it.
 */
export function canonicalText(value: Json): string | undefined {
  return canonicalPieces(value)?.join('');
}

/** The canonical text in pieces. A long string is one of them, for whoever need not join it with the rest. */
export function canonicalPieces(value: Json): string[] | undefined {
  const pieces: string[] = [];
  return write(value, pieces, 0) ? pieces : undefined;
}

function write(value: Json, pieces: string[], depth: number): boolean {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string' && value.isWellFormed()) writeText(value, pieces);
    else pieces.push(JSON.stringify(value));
    return true;
  }
  if (depth >= maxJsonDepth) return false;
  if (Array.isArray(value)) {
    pieces.push('[');
    for (const element of value) {
      if (!write(element, pieces, depth + 1)) return false;
      pieces.push(',');
    }
    pieces.push(']');
    return true;
  }
  pieces.push('{');
  for (const name of Object.keys(value).sort()) {
    pieces.push(JSON.stringify(name), ':');
    if (!write(value[name] ?? null, pieces, depth + 1)) return false;
    pieces.push(',');
  }
  pieces.push('}');
  return true;
}

function writeText(text: string, pieces: string[]): void {
  const integer = unmarkedInteger(text);
  if (integer === undefined) pieces.push(`${text.length}"`, text);
  else pieces.push(integer);
}
