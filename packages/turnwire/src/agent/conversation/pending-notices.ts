import { setTimeout as delay } from 'node:timers/promises';

/** The longest wait for the end of background work, in milliseconds. Work that takes longer is a server. */
const longestWait = 24 * 60 * 60 * 1000;

/** Background commands whose end the agent will be told of. While one of them is running, the run does not end. */
export class PendingNotices {
  #open = 0;
  readonly #ended: string[] = [];
  #wake = (): void => undefined;

  /** Notes that work has begun. Call the returned function at its end, with the text for the agent. */
  begin(): (text: string) => void {
    this.#open += 1;
    let told = false;
    return (text) => {
      if (told) return;
      told = true;
      this.#open -= 1;
      this.#ended.push(text);
      this.#wake();
    };
  }

  get waits(): boolean {
    return this.#open > 0 || this.#ended.length > 0;
  }

  get hasEnded(): boolean {
    return this.#ended.length > 0;
  }

  /** Takes the texts about work that has ended. */
  take(): string[] {
    return this.#ended.splice(0);
  }

  /** Ends the wait because the user has said something. */
  nudge(): void {
    this.#wake();
  }

  /** Resolves when some work has ended or the user has said something; rejects when the signal fires. */
  async next(signal: AbortSignal): Promise<void> {
    if (this.#ended.length > 0) return;
    const over = new AbortController();
    try {
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        delay(longestWait, undefined, { signal: AbortSignal.any([signal, over.signal]) }),
      ]);
    } finally {
      this.#wake = () => undefined;
      over.abort();
    }
  }
}
