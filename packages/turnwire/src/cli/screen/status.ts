import type { AgentEvent, TokenUsage } from '../../agent/events.js';
import { oneLine } from './text/columns.js';

/** The status line of the screen: model, transport, turns, tokens, cached tokens, and the time. */
export class Status {
  #model: string;
  #transport = '';
  #turns = 0;
  #total: TokenUsage | undefined;
  #cost: number | undefined;
  #began: number | undefined;

  constructor(model: string) {
    this.#model = model;
  }

  note(event: AgentEvent): void {
    if (event.type === 'stream_started') {
      this.#model = event.model;
      this.#turns = 0;
      this.#total = undefined;
      this.#cost = undefined;
      this.#began = performance.now();
    }
    if (event.type === 'turn_finished') {
      this.#transport = event.transport;
      this.#turns += 1;
    }
    if (event.type === 'token_usage') {
      this.#total = event.total;
      this.#cost = event.total_cost;
    }
    if (event.type === 'model_fallback') this.#model = event.to;
    if (event.type === 'stream_stopped') this.#began = undefined;
  }

  set model(name: string) {
    this.#model = name;
  }

  get working(): boolean {
    return this.#began !== undefined;
  }

  /** The status in one line of a width; the least important parts are left out first. */
  line(width: number): string {
    let parts = [
      this.#model,
      ...(this.#began === undefined ? [] : [clock(performance.now() - this.#began)]),
      ...(this.#transport === '' ? [] : [this.#transport]),
      ...this.#numbers,
    ];
    while (parts.length > 1 && parts.join(' · ').length > width) parts = parts.slice(0, -1);
    return oneLine(parts.join(' · '), width);
  }

  /** The summary of a run that has ended. */
  get summary(): string {
    return [this.#transport, ...this.#numbers].join(' · ');
  }

  get #numbers(): string[] {
    const { input_tokens: input = 0, cached_tokens: cached = 0, output_tokens: output = 0 } = this.#total ?? {};
    return [
      ...(this.#turns === 0 ? [] : [`${this.#turns} ${this.#turns === 1 ? 'turn' : 'turns'}`]),
      ...(this.#total === undefined ? [] : [`${short(input)} in, ${short(output)} out`]),
      ...(input === 0 ? [] : [`${Math.round((100 * cached) / input)} % cached`]),
      ...(this.#cost === undefined ? [] : [`$${this.#cost.toFixed(4)}`]),
    ];
  }
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function short(tokens: number): string {
  return tokens < 10_000 ? String(tokens) : `${(tokens / 1000).toFixed(tokens < 100_000 ? 1 : 0)}k`;
}
