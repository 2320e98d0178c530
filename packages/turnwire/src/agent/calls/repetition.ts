import { AgentError } from '../agent-error.js';
import type { ToolCall } from '../events.js';

/** Detects a model that makes the same call again and again. */
export class Repetition {
  readonly #most: number;
  #last = '';
  #count = 0;

  /** @param most the number of identical calls in a row that ends a run */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws AgentError `repeated_calls` at the last identical call that is allowed, before it runs. */
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

/** Arguments without blanks between them: two calls that differ in blanks alone are the same. */
function canonical(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
