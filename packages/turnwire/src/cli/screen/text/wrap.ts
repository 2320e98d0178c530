import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { charactersOf } from './columns.js';

/** Of a line, in code units. The time of wrap-ansi grows with the square of what has no blanks: of 50,000 Chinese characters it takes seconds. */
const longLine = 10_000;

/** In lines of at most `width` columns, broken between words where there are some; a very long one anywhere. */
export function wrapped(text: string, width: number): string[] {
  const columns = Math.max(1, width);
  return text
    .split('\n')
    .flatMap((line) => (isTooLong(line) ? pieces(line, columns) : wrapAnsi(line, columns, { hard: true }).split('\n')));
}

/** In pieces of at most `width` columns, blanks and all. */
export function cut(line: string, width: number): string[] {
  if (isTooLong(line)) return pieces(line, width);
  return stringWidth(line) <= width
    ? [line]
    : wrapAnsi(line, width, { hard: true, trim: false, wordWrap: false }).split('\n');
}

/** Styles go on across lines, which only wrap-ansi knows. */
function isTooLong(line: string): boolean {
  return line.length > longLine && !line.includes('\u001b');
}

function pieces(line: string, width: number): string[] {
  const rows = [''];
  let column = 0;
  for (const character of charactersOf(line)) {
    const wide = stringWidth(character);
    if (column + wide > width && column > 0) {
      rows.push('');
      column = 0;
    }
    rows[rows.length - 1] += character;
    column += wide;
  }
  return rows;
}
