import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** In lines of at most `width` columns, broken between words where there are some. */
export function wrapped(text: string, width: number): string[] {
  return wrapAnsi(text, Math.max(1, width), { hard: true }).split('\n');
}

/** In pieces of at most `width` columns, blanks and all. */
export function cut(line: string, width: number): string[] {
  return stringWidth(line) <= width
    ? [line]
    : wrapAnsi(line, width, { hard: true, trim: false, wordWrap: false }).split('\n');
}
