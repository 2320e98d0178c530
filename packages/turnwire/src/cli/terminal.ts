import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
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

/** Writes to one output, coloured if that is a terminal whose user wants it (https://no-color.org). */
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

  /** Columns of the terminal; where there is none, lines need not be short. A terminal that nobody has measured says 0. */
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

/** Text from outside without what could drive a terminal: only line feeds and tabs are left of the control characters. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

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

/** In one line of at most `width` columns. */
export function oneLine(text: string, width: number): string {
  const part = text.slice(0, width * longestCharacter);
  const flat = printable(part).replace(/\s+/g, ' ').trim();
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
