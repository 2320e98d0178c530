import stringWidth from 'string-width';
import type { Output } from '../process/io.js';

/** What stays at the bottom. Its rows are as wide as the screen at most. */
export interface Footer {
  rows: readonly string[];
  /** Where the cursor stands; the end of the last row if nobody types. */
  cursor?: { row: number; column: number } | undefined;
}

/** Redraws within this time are one, in milliseconds. */
const frame = 33;

/** Whether pasted text comes between marks. */
const marked = '\u001b[?2004h';
const unmarked = '\u001b[?2004l';

/**
 * A terminal whose last rows are drawn again and again, while what is printed goes above them, into the history of the terminal. It moves
 * relative to the cursor alone, and asks the terminal nothing.
 */
export class Screen {
  readonly #output: Output;
  readonly #footer: (size: { columns: number; rows: number }) => Footer;
  /** The widths of the rows that were drawn last, and where the cursor was left. */
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

  /** Columns that are written to. The last one is left free: some terminals wrap as soon as it is filled. */
  get columns(): number {
    return Math.max(10, (this.#output.columns || 80) - 1);
  }

  get rows(): number {
    return Math.max(4, this.#output.rows || 24);
  }

  /** Lines that stay, above the footer. */
  print(lines: readonly string[]): void {
    if (lines.length > 0) this.#draw(lines, true);
  }

  /** An empty screen; what was printed before stays in the history of the terminal. */
  clear(): void {
    if (this.#closed) return;
    this.#output.write(`${this.#erased()}\u001b[2J\u001b[H`);
    this.#draw([], true);
  }

  /** The footer has changed. */
  refresh(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw([], false);
    }, frame);
  }

  /** Takes the footer away, until it is drawn again; the cursor stands below what was printed. */
  hide(): void {
    this.#output.write(`${this.#erased()}${unmarked}`);
  }

  /** Puts it below where the cursor stands now. */
  show(): void {
    this.#drawn = { widths: [], row: 0, column: 0 };
    this.#output.write(marked);
    this.#draw([], true);
  }

  /** Takes the footer away for good. */
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
    // Between these marks, terminals that know them show nothing half done.
    this.#output.write(`\u001b[?2026h${this.#erased()}${printed}${shown}\u001b[?2026l`);
    this.#drawn = { widths, ...place };
  }

  /** To the beginning of the footer, and nothing below. In a window that has become narrower, its rows have become more. */
  #erased(): string {
    const columns = this.#output.columns || 80;
    const { widths, row, column } = this.#drawn;
    let up = Math.floor(column / columns);
    for (const width of widths.slice(0, row)) up += Math.max(1, Math.ceil(width / columns));
    this.#drawn = { widths: [], row: 0, column: 0 };
    return `${up > 0 ? `\u001b[${up}A` : ''}\r\u001b[J`;
  }
}
