/** Lines that are kept at the beginning and at the end of a trace; what stands between them is counted only. */
const keptLines = 12;
const lineLength = 300;

/** A text in which no secret is left: servers repeat keys in what they say. */
export function redacted(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, '[redacted]');
  return shown;
}

/** What passed between this program and a server, one line a message: redacted and bounded. */
export class Trace {
  readonly #secrets: readonly string[];
  readonly #first: string[] = [];
  readonly #last: string[] = [];
  #dropped = 0;

  /** `secrets` never appear in a line. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  sent(text: string): void {
    this.#add(`→ ${text}`);
  }

  received(text: string): void {
    this.#add(`← ${text}`);
  }

  /** Takes over the lines of another trace. */
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
