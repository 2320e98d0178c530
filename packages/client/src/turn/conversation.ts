import { itemsOf } from '../protocol/request.js';
import { snapshot } from '../json/snapshot.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import type { Json } from '../json/json.js';
import type { InputItem } from '../protocol/items.js';
import type { ForeignTurnParams, TurnParams } from '../protocol/request.js';
import type { TurnOptions } from './turn-options.js';
import type { Turn } from './turn.js';

/** @internal How a conversation begins its turns: `onSettled` with whether the turn may still be committed, `onCommitted` with all that is then held. */
export type BeginTurn = (
  params: unknown,
  options: TurnOptions,
  hooks: { onSettled: (turn: Turn) => void; onCommitted: (items: readonly Json[]) => void },
) => Turn;

/**
 * Turns that continue each other. It keeps the history, so each turn is given only what is new; what travels is the delta or, where the
 * server has lost the chain, everything: nobody need handle ids, and none can be lost.
 *
 * A turn becomes part of it when it has completed and its end has been read. One that failed, was aborted or was not read to its end
 * leaves it as it was: the next turn continues from there. One turn at a time.
 */
export class Conversation {
  readonly #begin: BeginTurn;
  readonly #defaults: TurnParams | ForeignTurnParams;
  #items: readonly Json[] = [];
  #running: Turn | undefined;

  /** @internal Made by `client.conversation()`. */
  constructor(defaults: TurnParams | ForeignTurnParams, begin: BeginTurn) {
    this.#begin = begin;
    this.#defaults = defaults;
  }

  /** All that has been said, in order: a copy, fit to be the `input` of a turn elsewhere. */
  get items(): InputItem[] {
    return structuredClone(this.#items) as unknown as InputItem[];
  }

  /**
   * The next turn: `input` is what is new. Fields win over those given to `client.conversation()`.
   *
   * What is wrong is the turn's failure: `invalid_request` while another turn of this conversation runs, and for `previous_response_id`
   * and `conversation`, which say the same by other means.
   */
  turn(params: TurnParams | ForeignTurnParams, options: TurnOptions = {}): Turn {
    const merged: TurnParams = { ...this.#defaults, ...params };
    const before = this.#items;
    const turn = this.#begin(this.#withHistory(merged), options, {
      onSettled: (settled) => {
        if (this.#running === settled) this.#running = undefined;
      },
      onCommitted: (items) => {
        // The end was read late, and another turn has continued the same items: that turn counts.
        if (this.#items === before) this.#items = items;
      },
    });
    if (turn.report.totalMs === undefined) this.#running = turn;
    return turn;
  }

  #withHistory(params: TurnParams): unknown {
    if (this.#running !== undefined)
      return refusal('a conversation has one turn at a time: read the running one to its end, or cancel it');
    if (params.previous_response_id !== undefined || params['conversation'] !== undefined)
      return refusal('a conversation knows itself what it continues: leave out previous_response_id and conversation');
    let items: Json[] | undefined;
    try {
      items = itemsOf(snapshot(params.input ?? []));
    } catch (cause) {
      return refusal('the input cannot be written as JSON', cause);
    }
    if (items === undefined) return refusal('in a conversation, input must be text or an array of items');
    return { ...params, input: [...this.#items, ...items] };
  }
}

/** The error with which `begin` fails the turn. */
function refusal(message: string, cause?: unknown): TurnwireError {
  return new TurnwireError('invalid_request', message, { cause });
}
