import { read } from './scenario.js';
import type { Client, ClientOptions, Turn, TurnOptions } from '@turnwire/client';
import type { Json } from './server/events.js';
import type { Result } from './scenario.js';

/** A conversation as agents have it: the caller holds the history and hands it over whole. */
export class Caller {
  readonly #client: Client;
  readonly #fields: Json;
  history: Json[] = [];

  constructor(client: Client, fields: Json = { store: false }) {
    this.#client = client;
    this.#fields = fields;
  }

  /** Asks one more question; the answer becomes part of the history. */
  async ask(text: string, more: Json = {}, options: TurnOptions = {}): Promise<Result & { turn: Turn; plan: string }> {
    this.history.push({ role: 'user', content: text });
    const turn = this.#client.turn(
      { model: 'test', ...this.#fields, ...more, input: structuredClone(this.history) as never },
      options,
    );
    const result = await read(turn);
    if (result.error === undefined) this.history.push(...((await turn.response()).output as unknown as Json[]));
    return { ...result, turn, plan: planOf(turn) };
  }
}

/** `delta`, or `full` with the reason. */
function planOf(turn: Turn): string {
  const { plan, planReason } = turn.report as { plan: string; planReason?: string };
  return planReason === undefined ? plan : `${plan}, ${planReason}`;
}

/** Options that the client of this commit does not know yet. */
export function coming(options: object): ClientOptions {
  return options;
}
