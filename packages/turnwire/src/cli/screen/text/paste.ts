import { StringDecoder } from 'node:string_decoder';

/** The character that stands for a line feed in the edited line. */
export const lineFeed = '␊';

/** A piece of input: keys, or pasted text in the form in which the line can hold it. */
export type Typed = { kind: 'keys' | 'pasted'; text: string };

const begin = '\u001b[200~';
const end = '\u001b[201~';

/**
 * Separates pasted text from keys: its line feeds do not send the line, and its control characters have no effect. A pasted text is given whole, at its end.
 */
export class Paste {
  readonly #most: number;
  readonly #decoder = new StringDecoder('utf8');
  #pasting = false;
  #pasted = '';
  /** Input that may be the beginning of a mark. */
  #held = '';

  /** @param most the most characters of a pasted text: the rest is left out. */
  constructor(most: number) {
    this.#most = most;
  }

  read(chunk: Buffer): Typed[] {
    const typed: Typed[] = [];
    let text = this.#held + this.#decoder.write(chunk);
    this.#held = '';
    for (;;) {
      const mark = this.#pasting ? end : begin;
      const at = text.indexOf(mark);
      if (at === -1) break;
      this.#add(typed, text.slice(0, at));
      if (this.#pasting) typed.push({ kind: 'pasted', text: inLine(this.#pasted) });
      this.#pasted = '';
      this.#pasting = !this.#pasting;
      text = text.slice(at + mark.length);
    }
    // A mark may arrive in two pieces. An escape by itself is a key.
    const mark = this.#pasting ? end : begin;
    for (let length = mark.length - 1; length > 1; length -= 1) {
      if (!text.endsWith(mark.slice(0, length))) continue;
      this.#held = text.slice(-length);
      text = text.slice(0, -length);
      break;
    }
    this.#add(typed, text);
    return typed;
  }

  #add(typed: Typed[], text: string): void {
    if (this.#pasting) this.#pasted += text.slice(0, this.#most - this.#pasted.length);
    else if (text !== '') typed.push({ kind: 'keys', text });
  }
}

function inLine(text: string): string {
  return text
    .replace(/\r\n|\r|\n/g, lineFeed)
    .replace(/\t/g, '  ')
    .replace(/\p{Cc}/gu, '');
}
