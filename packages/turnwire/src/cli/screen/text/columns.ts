import stringWidth from 'string-width';
import { escapedLine } from '../../process/terminal.js';

/** The longest character in code units: an emoji of a family has eleven. */
const longestCharacter = 20;

/**
 * The characters of a text, as people count them. Some versions of V8 copy the whole text for each character that `Intl.Segmenter` finds, so it is asked
 * about short pieces alone.
 */
export function* charactersOf(text: string): Generator<string, undefined> {
  for (const [piece] of text.matchAll(/[ -~]|[^ -~]{1,200}/gu)) {
    if (piece.length === 1) yield piece;
    else for (const { segment } of segmenter.segment(piece)) yield segment;
  }
}

const segmenter = new Intl.Segmenter();

/** A text in one line of at most `width` columns, with misleading characters as escapes. */
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
