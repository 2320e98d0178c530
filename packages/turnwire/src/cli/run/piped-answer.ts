/**
 * The answer on a standard output that is no terminal. A turn that broke off is taken again, and what was written of it cannot be taken back: as
 * far as the next attempt says the same, it is not written twice, and where it differs it begins on a line of its own. A file, which nobody reads
 * yet, gets a turn when it has ended, and nothing of what broke off.
 */
export class PipedAnswer {
  readonly #write: (text: string) => void;
  readonly #isFile: boolean;
  /** What the turn that runs has said. */
  #turn = '';
  /** What stands there of its attempts that broke off, as far as this one has said the same. */
  #before = '';

  constructor(write: (text: string) => void, { isFile }: { isFile: boolean }) {
    this.#write = write;
    this.#isFile = isFile;
  }

  put(text: string): void {
    this.#turn += text;
    if (this.#isFile) return;
    if (this.#before === '') return this.#write(text);
    if (this.#before.startsWith(this.#turn)) return;
    if (this.#turn.startsWith(this.#before)) this.#write(this.#turn.slice(this.#before.length));
    else this.#begin();
    this.#before = '';
  }

  /** The turn is taken again, from its beginning. */
  again(): void {
    if (this.#before === '' && !this.#isFile) this.#before = this.#turn;
    this.#turn = '';
  }

  /** The turn has ended; or the run has, and what came of its last turn is all there is. */
  ended(): void {
    if (this.#isFile) this.#write(this.#turn);
    // Less was said than before.
    else if (this.#before !== this.#turn && this.#before !== '' && this.#turn !== '') this.#begin();
    this.#turn = '';
    this.#before = '';
  }

  #begin(): void {
    this.#write(`${this.#before.endsWith('\n') ? '' : '\n'}${this.#turn}`);
  }
}
