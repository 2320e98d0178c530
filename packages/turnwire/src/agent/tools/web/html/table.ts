import type { TextWriter } from './text-writer.js';

/** A table that is being read, row by row. */
export class Table {
  readonly #markdown: boolean;
  /** The rows as lines of text. `#cells` has the texts of all cells, for a table that arranges a page. */
  readonly #lines: string[] = [];
  readonly #cells: string[] = [];
  #row: string[] = [];
  #columns = 0;
  /** True where cells contain more than texts: such a table arranges a page, and its rows mean nothing. */
  arranges = false;

  constructor(markdown: boolean) {
    this.#markdown = markdown;
  }

  /** Begins a row. */
  row(): void {
    const row = this.#row;
    this.#row = [];
    if (row.every((cell) => cell === '')) return;
    this.#columns = Math.max(this.#columns, row.length);
    this.#lines.push(this.#markdown ? `| ${row.map(inCell).join(' | ')} |` : row.map(flat).join(' | '));
    if (this.#markdown && this.#lines.length === 1) this.#lines.push(`| ${row.map(() => '---').join(' | ')} |`);
  }

  cell(text: string): void {
    this.#row.push(text);
    if (text !== '') this.#cells.push(text);
  }

  writeTo(writer: TextWriter): void {
    this.row();
    const told = this.arranges || this.#columns < 2 ? this.#cells.join('\n\n') : this.#lines.join('\n');
    if (told !== '') writer.verbatim(told);
  }
}

function inCell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\n+/g, '<br>');
}

function flat(text: string): string {
  return text.replace(/\n+/g, ' ');
}
