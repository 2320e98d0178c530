import { AgentError } from './agent-error.js';
import type { ToolCall } from './events.js';

/** Identical calls one after another that end a run. docker-agent's number. */
const mostIdenticalCalls = 5;

/** Notices a model that asks for the same thing again and again, whatever it is answered. */
export class Repetition {
  #last = '';
  #count = 0;

  /** @throws AgentError `repeated_calls` at the fifth identical call in a row, before it runs. */
  watch(call: ToolCall): void {
    const key = `${call.name} ${canonical(call.arguments)}`;
    this.#count = key === this.#last ? this.#count + 1 : 1;
    this.#last = key;
    if (this.#count < mostIdenticalCalls) return;
    throw new AgentError(
      'repeated_calls',
      `the model asked ${mostIdenticalCalls} times in a row for the same call of ${call.name}; the run was ended before the last of them ran`,
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
