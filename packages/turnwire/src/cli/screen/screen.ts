import stringWidth from 'string-width';
import type { Output } from '../process/io.js';

/** The rows at the bottom of the screen, each no wider than the screen. */
export interface Footer {
  rows: readonly string[];
  /** The position of the cursor; the end of the last row where the user cannot type. */
  cursor?: { row: number; column: number } | undefined;
}

/** The time within which several redraws become one, in milliseconds. */
const frame = 33;

/** Makes the terminal put marks around pasted text. */
const marked = '\u001b[?2004h';
const unmarked = '\u001b[?2004l';

/**
 * A terminal whose last rows are redrawn, while printed lines go above them into the terminal's history. All movements are relative to the cursor, and the
 * terminal is asked nothing.
 */
export class Screen {
  readonly #output: Output;
  readonly #footer: (size: { columns: number; rows: number }) => Footer;
  /** The widths of the rows drawn last, and the position at which the cursor was left. */
  #drawn: { widths: readonly number[]; row: number; column: number } = { widths: [], row: 0, column: 0 };
  #shown = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #onResize = (): void => this.#draw([], true);

  constructor(output: Output, footer: (size: { columns: number; rows: number }) => Footer) {
    this.#output = output;
    this.#footer = footer;
    output.on('resize', this.#onResize);
    output.write(marked);
  }

  /** The columns that may be written to. The last one stays free: some terminals wrap as soon as it is filled. */
  get columns(): number {
    return Math.max(10, (this.#output.columns || 80) - 1);
  }

  get rows(): number {
    return Math.max(4, this.#output.rows || 24);
  }

  /** Prints lines above the footer. */
  print(lines: readonly string[]): void {
    if (lines.length > 0) this.#draw(lines, true);
  }

  /** Clears the screen; printed lines stay in the terminal's history. */
  clear(): void {
    if (this.#closed) return;
    this.#output.write(`${this.#erased()}\u001b[2J\u001b[H`);
    this.#draw([], true);
  }

  /** Redraws the footer after a change. */
  refresh(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw([], false);
    }, frame);
  }

  /** Removes the footer until `show`; the cursor is left below the printed lines. */
  hide(): void {
    this.#output.write(`${this.#erased()}${unmarked}`);
  }

  /** Draws the footer below the cursor's present position. */
  show(): void {
    this.#drawn = { widths: [], row: 0, column: 0 };
    this.#output.write(marked);
    this.#draw([], true);
  }

  /** Removes the footer for good. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#output.off('resize', this.#onResize);
    this.hide();
  }

  #draw(lines: readonly string[], always: boolean): void {
    if (this.#closed) return;
    const { rows, cursor } = this.#footer({ columns: this.columns, rows: this.rows });
    const widths = rows.map((row) => stringWidth(row));
    const last = Math.max(0, rows.length - 1);
    const place = { row: cursor?.row ?? last, column: cursor?.column ?? widths[last] ?? 0 };
    const back = `${last > place.row ? `\u001b[${last - place.row}A` : ''}\r${place.column > 0 ? `\u001b[${place.column}C` : ''}`;
    const shown = `${rows.join('\r\n')}${back}`;
    if (!always && shown === this.#shown) return;
    this.#shown = shown;
    const printed = lines.map((line) => `${line}\r\n`).join('');
    // Between these marks, terminals that know them show no half-drawn screen.
    this.#output.write(`\u001b[?2026h${this.#erased()}${printed}${shown}\u001b[?2026l`);
    this.#drawn = { widths, ...place };
  }

  /** Moves to the beginning of the footer and erases it. In a window that has become narrower, its rows take more rows of the screen. */
  #erased(): string {
    const columns = this.#output.columns || 80;
    const { widths, row, column } = this.#drawn;
    let up = Math.floor(column / columns);
    for (const width of widths.slice(0, row)) up += Math.max(1, Math.ceil(width / columns));
    this.#drawn = { widths: [], row: 0, column: 0 };
    return `${up > 0 ? `\u001b[${up}A` : ''}\r\u001b[J`;
  }
}
