import type { InputItem, SteerAnswer } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';
import { canBeSteered } from '../../config/models/providers.js';

/** The fate of the user's words during a turn: the running turn has them, or they wait for the next turn. */
export type SteerOutcome = 'steered' | 'queued';

/** A running turn that may take more input. */
export interface SteerableTurn {
  /** Gives the running turn more input. @default it cannot be steered */
  steer?(input: string): Promise<SteerAnswer>;
}

/**
 * Passes on what the user says while the agent works. It goes to the running turn, where its model takes input in the middle of an answer; otherwise it is
 * queued, and added to the history before the next turn. Input that a failed turn had taken is queued again, so that no words are lost.
 */
export class Steering {
  #queued: string[] = [];
  #turn: { carried: SteerableTurn; taken: string[] } | undefined;
  /** Models that have refused to be steered: they are not tried again. */
  readonly #unable = new Set<string>();

  /** Passes words on; resolves once it is known whether a turn has taken them. Never rejects. */
  async say(text: string, model: Model): Promise<SteerOutcome> {
    const turn = this.#turn;
    if (turn?.carried.steer === undefined || this.#unable.has(model.name) || !canBeSteered(model)) {
      this.#queued.push(text);
      return 'queued';
    }
    turn.taken.push(text);
    // A turn over SSE or after its end cannot be steered. If the turn is lost, its end queues what it had taken.
    const answer = await turn.carried.steer(text).catch(() => undefined);
    if (answer !== undefined && answer.name !== 'failed') return 'steered';
    if (answer?.error?.code === 'steering_not_supported') this.#unable.add(model.name);
    const at = turn.taken.indexOf(text);
    if (at !== -1) this.#queued.push(...turn.taken.splice(at, 1));
    return 'queued';
  }

  /** Queues words for the next turn. */
  queue(text: string): Promise<SteerOutcome> {
    this.#queued.push(text);
    return Promise.resolve('queued');
  }

  /** Notes that a turn has begun. */
  begun(carried: SteerableTurn): void {
    this.#turn = { carried, taken: [] };
  }

  /** Notes that the turn has ended. The input that it has taken is among the added items; a failed turn has added none. */
  ended(added: readonly InputItem[] | undefined): void {
    const taken = this.#turn?.taken.splice(0) ?? [];
    this.#turn = undefined;
    const held = new Set(added?.map((item) => ('role' in item && item.role === 'user' ? item.content : undefined)));
    this.#queued.unshift(...taken.filter((text) => !held.has(text)));
  }

  get waits(): boolean {
    return this.#queued.length > 0;
  }

  /** Takes the queued words, in their order. */
  take(): string[] {
    return this.#queued.splice(0);
  }
}
