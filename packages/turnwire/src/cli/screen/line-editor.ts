import { createInterface, type Interface } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import stringWidth from 'string-width';
import type { Io } from '../process/io.js';
import { charactersOf } from './text/columns.js';
import { lineFeed, Paste, type Typed } from './text/paste.js';
import { wrapped } from './text/wrap.js';

export interface LineEditorOptions {
  onLine: (line: string) => void;
  /** Something has been typed. */
  onChange: () => void;
  /** Ctrl-C, which in this mode of the terminal is a key. */
  onInterrupt: () => void;
  /** Escape by itself. */
  onEscape: () => void;
  /** Ctrl-O. */
  onUnfold: () => void;
  /** Ctrl-Z, likewise. */
  onSuspend: () => void;
  /** Ctrl-D at an empty line. */
  onEnd: () => void;
  /** There is no terminal any more. */
  onGone: () => void;
  complete: (line: string) => string[];
}

/** Of what is typed or pasted before the line is sent, in characters: more is left out, for drawing it again takes time for each of them. */
const longestLine = 100_000;

/** One line that is typed at a terminal. The keys are those of Node's readline, whose own output is seen by nobody: what is typed is drawn elsewhere. */
export class LineEditor {
  readonly #io: Io;
  readonly #onChange: () => void;
  readonly #paste = new Paste(longestLine);
  readonly #keys = new Readable({ read: () => undefined });
  readonly #lines: Interface;
  #fed: Promise<void> = Promise.resolve();
  readonly #onData = (chunk: Buffer): void => {
    const typed = this.#paste.read(chunk);
    this.#fed = this.#fed.then(() => this.#feed(typed));
  };
  readonly #onGone: () => void;
  #closed = false;

  constructor(
    io: Io,
    { onLine, onChange, onInterrupt, onEscape, onUnfold, onSuspend, onEnd, onGone, complete }: LineEditorOptions,
  ) {
    this.#io = io;
    this.#onChange = onChange;
    this.#onGone = onGone;
    io.stdin.on('data', this.#onData).on('end', this.#onGone).on('error', this.#onGone);
    const unseen = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), { columns: 10_000 });
    this.#lines = createInterface({
      input: Object.assign(this.#keys, { isTTY: true, setRawMode: (raw: boolean) => (this.raw = raw) }),
      output: unseen,
      terminal: true,
      historySize: 200,
      removeHistoryDuplicates: true,
      tabSize: 2,
      completer: (line: string) => [complete(line), line],
    });
    this.#lines.on('line', (line) => onLine(line.replaceAll(lineFeed, '\n')));
    this.#lines.on('SIGINT', onInterrupt);
    this.#lines.on('SIGTSTP', onSuspend);
    this.#lines.on('close', () => {
      if (!this.#closed) onEnd();
    });
    this.#keys.on('keypress', (_text: unknown, key: { name?: string; ctrl?: boolean } | undefined) => {
      if (key?.name === 'escape') onEscape();
      if (key?.ctrl === true && key.name === 'o') onUnfold();
      onChange();
    });
  }

  /** Resolves once all that was typed so far has been taken. */
  async settled(): Promise<void> {
    // What the terminal has by now is read in the next rounds of the event loop.
    for (let round = 0; round < 3; round += 1) await nextRound();
    await this.#fed;
    await nextRound();
  }

  /** readline takes keys one by one, each at the cost of the whole line: pasted text is put there at once, in its turn. */
  async #feed(typed: readonly Typed[]): Promise<void> {
    for (const { kind, text } of typed) {
      if (this.#closed) return;
      if (kind === 'keys') {
        this.#keys.push(text);
        await nextRound();
        continue;
      }
      this.#lines.write(text.slice(0, Math.max(0, longestLine - this.text.length)));
      this.#onChange();
    }
  }

  /** Whether the terminal hands over keys instead of lines: not while the shell has it. */
  set raw(raw: boolean) {
    this.#io.stdin.setRawMode?.(raw);
  }

  get text(): string {
    return this.#lines.line;
  }

  /** Replaces what is typed. */
  set text(text: string) {
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    if (text !== '') this.#lines.write(text.replaceAll('\n', lineFeed));
  }

  /** What is typed in rows of a width, after a label; at most so many of them, those around the cursor. */
  layout(label: string, width: number, most: number): { rows: string[]; cursor: { row: number; column: number } } {
    // Broken between words, with the blank that stands between it and what is typed.
    const rows = wrapped(label.trimEnd(), width - 1);
    rows.push(`${rows.pop() ?? ''}${/\s$/.test(label) ? ' ' : ''}`);
    let column = stringWidth(rows.at(-1) ?? '');
    let cursor: { row: number; column: number } | undefined;
    let at = 0;
    for (const segment of charactersOf(this.text.replaceAll('\t', ' '))) {
      const wide = stringWidth(segment);
      if (column + wide > width) {
        rows.push('');
        column = 0;
      }
      if (at >= this.#lines.cursor) cursor ??= { row: rows.length - 1, column };
      rows[rows.length - 1] += segment;
      column += wide;
      at += segment.length;
    }
    cursor ??= { row: rows.length - 1, column: Math.min(column, width) };
    const from = Math.max(0, Math.min(cursor.row - most + 1, rows.length - most));
    return { rows: rows.slice(from, from + most), cursor: { row: cursor.row - from, column: cursor.column } };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lines.close();
    this.raw = false;
    // An error of a terminal that is gone may come later, and is still none to end with.
    this.#io.stdin.off('data', this.#onData).off('end', this.#onGone).pause();
  }
}
