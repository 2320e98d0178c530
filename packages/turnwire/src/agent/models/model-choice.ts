import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import { routeOf } from './routing.js';

/**
 * Which of its models an agent goes by now: the one that reads what a toolset has returned, the one that it has picked itself, the one that prompts
 * like this are for, or, of several, the one whose turn it is. A fallback that works is kept for a while: to ask a model that fails first costs its
 * failure each time.
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

  /** Notes the model that has answered. */
  worked(model: Model): void {
    const isFallback = model !== this.#first();
    this.#turns += 1;
    this.#reader = undefined;
    if (isFallback && this.#kept?.model !== model) this.#kept = { model, until: this.#now() + this.#cooldownMs };
  }

  /** The prompt that is worked on. */
  route(prompt: string): void {
    this.#prompt = prompt;
  }

  /** The next turn reads the results of a toolset that has a model for that. */
  readBy(model: Model | undefined): void {
    this.#reader = model;
  }

  /** The agent goes by another model until it picks again; undefined: by its own. */
  pick(model: Model | undefined): void {
    this.#picked = model;
  }
}
