import { setTimeout as delay } from 'node:timers/promises';

/** What is waited for at most, in milliseconds: what takes longer is a server. */
const longestWait = 24 * 60 * 60 * 1000;

/** What an agent is told of when it has ended: commands in the background. While one of them runs, the run does not end. */
export class PendingNotices {
  #open = 0;
  readonly #ended: string[] = [];
  #wake = (): void => undefined;

  /** Something has begun; call what is returned with what the agent is to be told of its end. */
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

  /** What has ended since. */
  take(): string[] {
    return this.#ended.splice(0);
  }

  /** The user has said something, which is a reason to go on as well. */
  nudge(): void {
    this.#wake();
  }

  /** Resolves when something has ended, or the user has said something; rejects when the signal fires. */
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
