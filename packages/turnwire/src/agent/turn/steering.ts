import type { InputItem, SteerAnswer } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';
import { canBeSteered } from '../../config/models/providers.js';

/** What became of something the user said while the agent works: the running turn has it, or it waits for the next one. */
export type SteerOutcome = 'steered' | 'queued';

/** A turn on its way. */
export interface SteerableTurn {
  /** Gives the running turn more input. @default it cannot be steered */
  steer?(input: string): Promise<SteerAnswer>;
}

/**
 * What the user says while the agent works. It goes to the turn that runs, where its model takes input in the middle of an answer; otherwise it
 * is queued, and goes into the history before the next turn. What a turn had taken that then fails is queued again: nothing said is lost.
 */
export class Steering {
  #queued: string[] = [];
  #turn: { carried: SteerableTurn; taken: string[] } | undefined;
  /** Models that have said that they cannot be steered: they are not asked again. */
  readonly #unable = new Set<string>();

  /** Says it; resolves once it is known what became of it. Never rejects. */
  async say(text: string, model: Model): Promise<SteerOutcome> {
    const turn = this.#turn;
    if (turn?.carried.steer === undefined || this.#unable.has(model.name) || !canBeSteered(model)) {
      this.#queued.push(text);
      return 'queued';
    }
    turn.taken.push(text);
    // It cannot by SSE, nor after its end; where it is lost, what it had taken is queued by its end.
    const answer = await turn.carried.steer(text).catch(() => undefined);
    if (answer !== undefined && answer.name !== 'failed') return 'steered';
    if (answer?.error?.code === 'steering_not_supported') this.#unable.add(model.name);
    const at = turn.taken.indexOf(text);
    if (at !== -1) this.#queued.push(...turn.taken.splice(at, 1));
    return 'queued';
  }

  /** Says it to the next turn. */
  queue(text: string): Promise<SteerOutcome> {
    this.#queued.push(text);
    return Promise.resolve('queued');
  }

  /** A turn begins. */
  begun(carried: SteerableTurn): void {
    this.#turn = { carried, taken: [] };
  }

  /** It is over: what it has taken stands in what it added, or, where it failed, nowhere. */
  ended(added: readonly InputItem[] | undefined): void {
    const taken = this.#turn?.taken.splice(0) ?? [];
    this.#turn = undefined;
    const held = new Set(added?.map((item) => ('role' in item && item.role === 'user' ? item.content : undefined)));
    this.#queued.unshift(...taken.filter((text) => !held.has(text)));
  }

  get waits(): boolean {
    return this.#queued.length > 0;
  }

  /** What waits, in the order it was said; it waits no more. */
  take(): string[] {
    return this.#queued.splice(0);
  }
}
