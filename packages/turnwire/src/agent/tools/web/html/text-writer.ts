/** What stands before lines: before the first one, and before those that follow, such as `- ` and two blanks. */
interface Prefix {
  readonly first: string;
  readonly rest: string;
  used: boolean;
}

/** Prefixes of a line, and marks that are open in it, at most: pages may nest without end, and each level is written on every line. */
const mostNested = 8;

/** Pieces of text that are joined into one. */
const joined = 1000;

/** What surrounds a part of a line: `**`, or `[` and `](address)`. */
export interface Mark {
  name: string;
  open: string;
  close: string;
  /** Nothing in it means anything but itself. @default false */
  verbatim?: boolean;
  /** Ends with its line; others are closed there and opened again. @default false */
  once?: boolean;
}

/** Writes text as lines and paragraphs. Blanks count as in HTML: many are one, and none begins a line or a paragraph. */
export class TextWriter {
  /** What is written, in long pieces, and behind them the short ones of the moment. */
  #text: string[] = [];
  #pieces: string[] = [];
  readonly #escape: (text: string, atLineStart: boolean) => string;
  readonly #prefixes: Prefix[] = [];
  /** Those that were begun; the last ones of them may still wait for text, without which they are not written. */
  #marks: Mark[] = [];
  /** How many of them are written. */
  #written = 0;
  /** Ends of lines that come before the next text. */
  #ends = 0;
  #blank = false;

  /** @param escape makes text mean itself in the format that is written */
  constructor(escape: (text: string, atLineStart: boolean) => string = (text) => text) {
    this.#escape = escape;
  }

  /** Text of the page. */
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

  /** Something of the format's own, where text may stand. */
  raw(text: string): void {
    this.#begin();
    this.#put(text);
  }

  blank(): void {
    this.#blank = true;
  }

  /** What follows begins a line. */
  line(): void {
    this.#ends = Math.max(this.#ends, 1);
  }

  /** One more end of a line, two at most. */
  lineEnd(): void {
    this.#ends = Math.min(this.#ends + 1, 2);
  }

  /** What follows begins a paragraph. Not where a prefix has just begun: a bullet and its paragraph are one line. */
  paragraph(): void {
    if (this.#prefixes.at(-1)?.used !== false) this.#ends = 2;
  }

  /** Lines as they are, a paragraph by themselves. */
  verbatim(text: string): void {
    this.paragraph();
    this.#beginLine();
    const rest = this.#prefixes.map((prefix) => prefix.rest).join('');
    // No line is made of blanks alone.
    this.#put(rest === '' ? text : text.replace(rest.trim() === '' ? /\n(?!\n)/g : /\n/g, `\n${rest}`));
    this.paragraph();
  }

  /** The lines that follow have this before them, the first one `first`; false where too much stands there already. */
  indent(first: string, rest: string): boolean {
    if (this.#prefixes.length >= mostNested) return false;
    this.#prefixes.push({ first, rest, used: false });
    return true;
  }

  outdent(): void {
    this.#prefixes.pop();
  }

  /** Begins a mark, which is written where text follows. */
  mark(mark: Mark): void {
    if (this.#marks.length < mostNested) this.#marks.push(mark);
  }

  /** Ends a mark, and those begun in it; nothing where it was not begun. */
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
    // Joined as they come: millions of pieces at the end would stop everything else.
    if (this.#pieces.push(piece) < joined) return;
    this.#text.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  #closeMarks(from: number): void {
    for (const { close } of this.#marks.slice(from, this.#written).toReversed()) this.#put(close);
    this.#written = Math.min(this.#written, from);
  }

  /** Writes what is due before text: ends of lines with prefixes, or a blank, and marks. True where the text begins its line. */
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
