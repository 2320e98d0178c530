import stringWidth from 'string-width';
import { escapedLine } from '../../process/terminal.js';

/** In code units, as a bound: an emoji of a family has eleven. */
const longestCharacter = 20;

/**
 * What people call characters, one by one. Of a long text `Intl.Segmenter` writes the whole anew for each of them, in some versions of V8: it is
 * asked about the few that need it, in pieces.
 */
export function* charactersOf(text: string): Generator<string, undefined> {
  for (const [piece] of text.matchAll(/[ -~]|[^ -~]{1,200}/gu)) {
    if (piece.length === 1) yield piece;
    else for (const { segment } of segmenter.segment(piece)) yield segment;
  }
}

const segmenter = new Intl.Segmenter();

/** With what misleads as escapes, in one line of at most `width` columns. */
export function oneLine(text: string, width: number): string {
  const part = text.slice(0, width * longestCharacter);
  const flat = escapedLine(part);
  if (part.length === text.length && stringWidth(flat) <= width) return flat;
  let cut = '';
  let room = Math.max(1, width - 1);
  for (const segment of charactersOf(flat)) {
    room -= stringWidth(segment);
    if (room < 0) break;
    cut += segment;
  }
  return `${cut}…`;
}
