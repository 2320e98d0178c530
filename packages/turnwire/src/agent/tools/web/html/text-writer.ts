/** The text before lines: before the first one, and before the following ones, such as `- ` and two blanks. */
interface Prefix {
  readonly first: string;
  readonly rest: string;
  used: boolean;
}

/** The most prefixes of a line, and the most open marks: pages may nest without end, and each level is written on every line. */
const mostNested = 8;

/** The number of pieces that are joined into one. */
const joined = 1000;

/** The text before and after a part of a line: `**`, or `[` and `](address)`. */
export interface Mark {
  name: string;
  open: string;
  close: string;
  /** True where no character within has a meaning in the format. @default false */
  verbatim?: boolean;
  /** True for a mark that ends with its line; other marks are closed there and opened again. @default false */
  once?: boolean;
}

/** Writes text as lines and paragraphs. Blanks count as in HTML: several become one, and none begins a line or a paragraph. */
export class TextWriter {
  /** The written text in long pieces, and after them the short pieces that are not joined yet. */
  #text: string[] = [];
  #pieces: string[] = [];
  readonly #escape: (text: string, atLineStart: boolean) => string;
  readonly #prefixes: Prefix[] = [];
  /** The marks that were begun. The last of them may still wait for text, without which they are not written. */
  #marks: Mark[] = [];
  /** The number of marks that are written. */
  #written = 0;
  /** The line ends before the next text. */
  #ends = 0;
  #blank = false;

  /** @param escape escapes characters that have a meaning in the format */
  constructor(escape: (text: string, atLineStart: boolean) => string = (text) => text) {
    this.#escape = escape;
  }

  /** Writes text of the page. */
  text(text: string): void {
    const flat = text.replace(/\s+/g, ' ');
    if (flat.startsWith(' ')) this.#blank = true;
    const words = flat.trim();
    if (words === '') return;
    const atLineStart = this.#begin();
    const asIs = this.#marks.some(({ verbatim }) => verbatim);
    this.#put(asIs ? words : this.#escape(words, atLineStart));
    this.#blank = flat.endsWith(' ');
  }

  /** Writes markup of the format. */
  raw(text: string): void {
    this.#begin();
    this.#put(text);
  }

  blank(): void {
    this.#blank = true;
  }

  /** Begins a new line. */
  line(): void {
    this.#ends = Math.max(this.#ends, 1);
  }

  /** Adds a line end, two at most. */
  lineEnd(): void {
    this.#ends = Math.min(this.#ends + 1, 2);
  }

  /** Begins a new paragraph, unless a prefix has just begun: a bullet and its paragraph are one line. */
  paragraph(): void {
    if (this.#prefixes.at(-1)?.used !== false) this.#ends = 2;
  }

  /** Writes lines unchanged, as a paragraph of their own. */
  verbatim(text: string): void {
    this.paragraph();
    this.#beginLine();
    const rest = this.#prefixes.map((prefix) => prefix.rest).join('');
    // No line consists of blanks alone.
    this.#put(rest === '' ? text : text.replace(rest.trim() === '' ? /\n(?!\n)/g : /\n/g, `\n${rest}`));
    this.paragraph();
  }

  /** Puts a prefix before the following lines, and `first` before the first of them; false where there are too many already. */
  indent(first: string, rest: string): boolean {
    if (this.#prefixes.length >= mostNested) return false;
    this.#prefixes.push({ first, rest, used: false });
    return true;
  }

  outdent(): void {
    this.#prefixes.pop();
  }

  /** Begins a mark, which is written once text follows. */
  mark(mark: Mark): void {
    if (this.#marks.length < mostNested) this.#marks.push(mark);
  }

  /** Ends a mark and those begun within it; has no effect for a mark that was not begun. */
  endMark(name: string): void {
    const index = this.#marks.findLastIndex((mark) => mark.name === name);
    if (index === -1) return;
    this.#closeMarks(index);
    this.#marks.splice(index);
  }

  toString(): string {
    this.#closeMarks(0);
    return this.#text.join('') + this.#pieces.join('');
  }

  #put(piece: string): void {
    // Joined as they come: joining millions of pieces at the end would block everything else.
    if (this.#pieces.push(piece) < joined) return;
    this.#text.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  #closeMarks(from: number): void {
    for (const { close } of this.#marks.slice(from, this.#written).toReversed()) this.#put(close);
    this.#written = Math.min(this.#written, from);
  }

  /** Writes what is due before text: line ends with prefixes, or a blank, and marks. True where the text begins its line. */
  #begin(): boolean {
    const begins = this.#beginLine();
    for (; this.#written < this.#marks.length; this.#written += 1) this.#put(this.#marks[this.#written]?.open ?? '');
    return begins;
  }

  #beginLine(): boolean {
    const isFirst = this.#pieces.length === 0 && this.#text.length === 0;
    const begins = isFirst || this.#ends > 0;
    if (begins) {
      if (this.#written > 0) this.#endLineOfMarks();
      if (!isFirst) this.#put('\n'.repeat(this.#ends));
      for (const prefix of this.#prefixes) {
        this.#put(prefix.used ? prefix.rest : prefix.first);
        prefix.used = true;
      }
    } else if (this.#blank) {
      this.#put(' ');
    }
    this.#ends = 0;
    this.#blank = false;
    return begins;
  }

  #endLineOfMarks(): void {
    const written = this.#written;
    this.#closeMarks(0);
    this.#marks = this.#marks.filter(({ once }, index) => once !== true || index >= written);
  }
}
