import { stripVTControlCharacters } from 'node:util';
import type { Io, Output } from './io.js';

export type Style = 'bold' | 'dim' | 'italic' | 'underline' | 'strikethrough' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Readonly<Record<Style, readonly [open: number, close: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  strikethrough: [9, 29],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Writes to one output, in colour on a terminal whose user wants it (https://no-color.org). */
export class Printer {
  readonly #output: Output;
  readonly coloured: boolean;

  constructor(output: Output, env: Io['env']) {
    this.#output = output;
    const { NO_COLOR, FORCE_COLOR, TERM } = env;
    const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
    this.coloured =
      (NO_COLOR === undefined || NO_COLOR === '') && (forced || (output.isTTY === true && TERM !== 'dumb'));
  }

  get isTerminal(): boolean {
    return this.#output.isTTY === true;
  }

  /** The columns of the terminal; without a terminal, lines may have any length. Some terminals report 0 columns. */
  get width(): number {
    return this.isTerminal ? Math.max(20, this.#output.columns || 80) : 1000;
  }

  write(text: string): void {
    this.#output.write(text);
  }

  line(text = ''): void {
    this.#output.write(`${text}\n`);
  }

  style(style: Style, text: string): string {
    const [open, close] = codes[style];
    return this.coloured && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  }
}

/** Removes from outside text what could control a terminal: of the control characters only line feeds and tabs stay. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

/** Control characters, and format characters that hide text, change its direction or end a line. */
const misleading = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** Format characters that belong to letters and emoji: joiners, and the tags of flags. */
const joining = /^(?:\u200c|\u200d|[\u{e0020}-\u{e007f}])$/u;

/** Outside text in which misleading characters are written as escapes, so that nothing is hidden or moved. */
export function escaped(text: string): string {
  return text.replace(misleading, (character) =>
    character === '\n' || character === '\t' ? character : escapeOf(character),
  );
}

/** Outside text in one line: any run of blanks becomes one blank, and letters and emoji stay whole. */
export function escapedLine(text: string): string {
  return text
    .replace(/[\t\n\v\f\r ]+/g, ' ')
    .replace(misleading, (character) => (joining.test(character) ? character : escapeOf(character)))
    .trim();
}

function escapeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
