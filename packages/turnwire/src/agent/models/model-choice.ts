import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { routeOf } from './routing.js';

/**
 * The model that an agent uses now: the one that reads the results of a toolset, the one that the agent has picked, the one for prompts like this, or, of
 * several, the one whose turn it is. A fallback that works is used for a while: to begin with a failing model would cost its failure each time.
 */
export class ModelChoice {
  readonly #own: readonly Model[];
  readonly #fallbacks: readonly Model[];
  readonly #cooldownMs: number;
  readonly #now: () => number;
  #turns = 0;
  #prompt = '';
  #reader: Model | undefined;
  #picked: Model | undefined;
  #kept: { model: Model; until: number } | undefined;

  constructor({ model, alternates, fallback }: Agent, now: () => number = Date.now) {
    this.#own = alternates.length === 0 ? [model] : alternates;
    this.#fallbacks = fallback.models;
    this.#cooldownMs = fallback.cooldownMs;
    this.#now = now;
  }

  /** The models to try, in this order. */
  candidates(): readonly Model[] {
    const models = [...new Set([this.#first(), ...this.#fallbacks])];
    if (this.#kept !== undefined && this.#kept.until <= this.#now()) this.#kept = undefined;
    const first = this.#kept === undefined ? 0 : Math.max(0, models.indexOf(this.#kept.model));
    return [...models.slice(first), ...models.slice(0, first)];
  }

  #first(): Model {
    if (this.#reader !== undefined) return this.#reader;
    const own = this.#picked ?? this.#own[this.#turns % this.#own.length];
    if (own === undefined) throw new Error('an agent has at least one model');
    return routeOf(this.#prompt, own.links.routes) ?? own;
  }

  /** Notes which model has answered. */
  worked(model: Model): void {
    const isFallback = model !== this.#first();
    this.#turns += 1;
    this.#reader = undefined;
    if (isFallback && this.#kept?.model !== model) this.#kept = { model, until: this.#now() + this.#cooldownMs };
  }

  /** Notes the prompt of the run. */
  route(prompt: string): void {
    this.#prompt = prompt;
  }

  /** Notes that the next turn reads the results of a toolset with a model of its own. */
  readBy(model: Model | undefined): void {
    this.#reader = model;
  }

  /** Makes the agent use another model until it picks again; undefined: its own. */
  pick(model: Model | undefined): void {
    this.#picked = model;
  }
}
