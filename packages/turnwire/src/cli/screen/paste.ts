import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Stands for a line feed in a line that is edited. */
export const lineFeed = '␊';

const begin = '\u001b[200~';
const end = '\u001b[201~';

/** What a terminal sends for keys, with pasted text made a part of the line: its line feeds do not send it, and its control characters do nothing. */
export class Paste extends Transform {
  readonly #decoder = new StringDecoder('utf8');
  #pasting = false;
  #held = '';

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let text = this.#held + this.#decoder.write(chunk);
    this.#held = '';
    let keys = '';
    for (;;) {
      const mark = this.#pasting ? end : begin;
      const at = text.indexOf(mark);
      if (at === -1) break;
      keys += this.#taken(text.slice(0, at));
      this.#pasting = !this.#pasting;
      text = text.slice(at + mark.length);
    }
    // A mark may come in two pieces. An escape alone is a key.
    const mark = this.#pasting ? end : begin;
    for (let length = mark.length - 1; length > 1; length -= 1) {
      if (!text.endsWith(mark.slice(0, length))) continue;
      this.#held = text.slice(-length);
      text = text.slice(0, -length);
      break;
    }
    keys += this.#taken(text);
    done(null, keys === '' ? undefined : keys);
  }

  #taken(text: string): string {
    if (!this.#pasting) return text;
    return text
      .replace(/\r\n|\r|\n/g, lineFeed)
      .replace(/\t/g, '  ')
      .replace(/\p{Cc}/gu, '');
  }
}
