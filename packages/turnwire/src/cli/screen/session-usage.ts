import type { AgentEvent, TokenUsage } from '../../agent/events.js';
import { addUsage, noTokens } from '../../agent/turn/usage.js';

/** The tokens and the cost of a conversation, earlier runs included. */
export class SessionUsage {
  #turns = 0;
  #tokens: TokenUsage;
  #cost: number | undefined;

  /** @param before the usage of earlier runs of the session */
  constructor(before: { usage: TokenUsage; cost: number | undefined } = { usage: noTokens, cost: undefined }) {
    this.#tokens = before.usage;
    this.#cost = before.cost;
  }

  note(event: AgentEvent): void {
    if (event.type === 'turn_finished') this.#turns += 1;
    if (event.type !== 'token_usage') return;
    this.#tokens = addUsage(this.#tokens, event.usage);
    if (event.cost !== undefined) this.#cost = (this.#cost ?? 0) + event.cost;
  }

  get summary(): string {
    const {
      input_tokens: input,
      cached_tokens: cached,
      output_tokens: output,
      reasoning_tokens: reasoning,
    } = this.#tokens;
    const cost =
      this.#cost === undefined ? 'no cost is known: no model has one in the file' : `$${this.#cost.toFixed(4)}`;
    return [
      `${this.#turns} ${this.#turns === 1 ? 'turn' : 'turns'} since turnwire began`,
      `${input} tokens in, ${cached} of them cached; ${output} out, ${reasoning} of them reasoning`,
      cost,
    ].join('\n');
  }
}
