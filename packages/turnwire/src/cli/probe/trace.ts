/** The lines that a trace keeps at its beginning and at its end; those in between are only counted. */
const keptLines = 12;
const lineLength = 300;

/** Removes all secrets from a text: servers repeat keys in their messages. */
export function redacted(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, '[redacted]');
  return shown;
}

/** The messages between this program and a server, one line each, redacted and bounded. */
export class Trace {
  readonly #secrets: readonly string[];
  readonly #first: string[] = [];
  readonly #last: string[] = [];
  #dropped = 0;

  /** @param secrets texts that never appear in a line */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  sent(text: string): void {
    this.#add(`→ ${text}`);
  }

  received(text: string): void {
    this.#add(`← ${text}`);
  }

  /** Adds the lines of another trace. */
  include(lines: readonly string[]): void {
    for (const line of lines) this.#add(line);
  }

  get lines(): readonly string[] {
    const between = this.#dropped === 0 ? [] : [`… ${this.#dropped} more`];
    return [...this.#first, ...between, ...this.#last];
  }

  #add(text: string): void {
    const line = this.#redacted(text);
    if (this.#first.length < keptLines) return void this.#first.push(line);
    this.#last.push(line);
    if (this.#last.length <= keptLines) return;
    this.#last.shift();
    this.#dropped += 1;
  }

  #redacted(text: string): string {
    const line = redacted(text.slice(0, lineLength * 4), this.#secrets).replace(/[\r\n]+/g, ' ');
    return line.length <= lineLength ? line : `${line.slice(0, lineLength)}…`;
  }
}
