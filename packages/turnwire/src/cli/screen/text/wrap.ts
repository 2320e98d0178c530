import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { charactersOf } from './columns.js';

/** The longest line that wrap-ansi wraps, in code units. Its time grows with the square of a text without blanks: 50,000 Chinese characters take seconds. */
const longLine = 10_000;

/** A text in lines of at most `width` columns, broken between words where it has some. A very long line is broken anywhere. */
export function wrapped(text: string, width: number): string[] {
  const columns = Math.max(1, width);
  return text
    .split('\n')
    .flatMap((line) => (isTooLong(line) ? pieces(line, columns) : wrapAnsi(line, columns, { hard: true }).split('\n')));
}

/** A line in pieces of at most `width` columns, with all its blanks. */
export function cut(line: string, width: number): string[] {
  if (isTooLong(line)) return pieces(line, width);
  return stringWidth(line) <= width
    ? [line]
    : wrapAnsi(line, width, { hard: true, trim: false, wordWrap: false }).split('\n');
}

/** True for a line that wrap-ansi would take too long for. Shorter lines go through wrap-ansi, since it carries styles on across lines. */
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
