import { read } from './scenario.js';
import type { Client, Turn, TurnOptions } from '@turnwire/client';
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
function planOf({ report: { plan, planReason } }: Turn): string {
  return planReason === undefined ? plan : `${plan}, ${planReason}`;
}
