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
  /** Called when the text has changed. */
  onChange: () => void;
  /** Called for Ctrl-C, which is a key in the raw mode of a terminal. */
  onInterrupt: () => void;
  /** Called for Escape alone. */
  onEscape: () => void;
  /** Called for Ctrl-O. */
  onUnfold: () => void;
  /** Called for Ctrl-Z, which is a key in the raw mode of a terminal. */
  onSuspend: () => void;
  /** Called for Ctrl-D at an empty line. */
  onEnd: () => void;
  /** Called when the terminal is gone. */
  onGone: () => void;
  complete: (line: string) => string[];
}

/** The most characters in the line; further ones are left out, since each redraw takes time for every character. */
const longestLine = 100_000;

/** One line that the user edits at a terminal. Node's readline handles the keys, with its own output discarded: the line is drawn by the screen. */
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

  /** Resolves once all keys so far have been handled. */
  async settled(): Promise<void> {
    // Input that has arrived is read in the next rounds of the event loop.
    for (let round = 0; round < 3; round += 1) await nextRound();
    await this.#fed;
    await nextRound();
  }

  /** Handles keys and pasted text in their order. readline handles key by key, each at the cost of the whole line, so pasted text is inserted at once. */
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

  /** Switches the terminal's raw mode, in which it sends keys instead of lines. The mode is off while the shell has the terminal. */
  set raw(raw: boolean) {
    this.#io.stdin.setRawMode?.(raw);
  }

  get text(): string {
    return this.#lines.line;
  }

  /** Replaces the text of the line. */
  set text(text: string) {
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    if (text !== '') this.#lines.write(text.replaceAll('\n', lineFeed));
  }

  /** The label and the text in rows of a width: at most `most` rows, those around the cursor. */
  layout(label: string, width: number, most: number): { rows: string[]; cursor: { row: number; column: number } } {
    // The label is wrapped without the blank that separates it from the text.
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
    // The listener for errors stays: a terminal that is gone may report one later, which must not end the process.
    this.#io.stdin.off('data', this.#onData).off('end', this.#onGone).pause();
  }
}
