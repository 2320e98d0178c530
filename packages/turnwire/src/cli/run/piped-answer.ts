/**
 * Writes the answer to a standard output that is no terminal. A turn that broke off is tried again, and its text cannot be taken back from a pipe. So text
 * that the next attempt repeats is not written twice, and where the attempts differ the new one begins on a line of its own. A file gets each turn when it
 * has ended, and nothing of broken attempts.
 */
export class PipedAnswer {
  readonly #write: (text: string) => void;
  readonly #isFile: boolean;
  /** The text of the running attempt. */
  #turn = '';
  /** Text of broken attempts in the output, as far as the running attempt has repeated it. */
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

  /** Begins another attempt of the turn. */
  again(): void {
    if (this.#before === '' && !this.#isFile) this.#before = this.#turn;
    this.#turn = '';
  }

  /** Ends the turn, or the run: the text of the last attempt is then final. */
  ended(): void {
    if (this.#isFile) this.#write(this.#turn);
    // The last attempt is shorter than a broken one.
    else if (this.#before !== this.#turn && this.#before !== '' && this.#turn !== '') this.#begin();
    this.#turn = '';
    this.#before = '';
  }

  #begin(): void {
    this.#write(`${this.#before.endsWith('\n') ? '' : '\n'}${this.#turn}`);
  }
}
