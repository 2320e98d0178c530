import { AgentError } from '../agent-error.js';
import type { ToolCall } from '../events.js';

/** Notices a model that asks for the same thing again and again, whatever it is answered. */
export class Repetition {
  readonly #most: number;
  #last = '';
  #count = 0;

  /** @param most identical calls one after another that end a run */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws AgentError `repeated_calls` at the last identical call in a row that is allowed, before it runs. */
  watch(call: ToolCall): void {
    const key = `${call.name} ${canonical(call.arguments)}`;
    this.#count = key === this.#last ? this.#count + 1 : 1;
    this.#last = key;
    if (this.#count < this.#most) return;
    throw new AgentError(
      'repeated_calls',
      `the model asked ${this.#most} times in a row for the same call of ${call.name}; the run was ended before the last of them ran`,
    );
  }
}

/** The same arguments with other blanks are the same call. */
function canonical(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
