import type { RelayAnswer, RelayEvent, RelayOpening, RelayTurn } from '@turnwire/client/relay';
import { textOf, type Create } from './create.js';
import type { Principal } from '../upstream/principal.js';
import type { Lease } from '../upstream/relays.js';

export interface TurnOptions {
  principal: Principal;
  lease: Lease;
  create: Create;
  /** Of the request alone: sent where the turn goes as a POST. */
  headers: Readonly<Record<string, string>>;
  /** The client wants events, or one body. */
  streams: boolean;
  /** Called once, when the turn has ended, in whatever way. */
  onSettled: (turn: GatewayTurn) => void;
}

/** One turn of a client, however many of the engine's it takes. */
export class GatewayTurn {
  readonly #options: TurnOptions;
  #turn: RelayTurn;
  #settled = false;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#turn = this.#begin(options.create);
  }

  get report(): RelayTurn['report'] {
    return this.#turn.report;
  }

  /** Never rejects. */
  opening(): Promise<RelayOpening> {
    return this.#turn.opening();
  }

  /** @throws TurnwireError */
  async next(): Promise<RelayEvent | undefined> {
    const event = await this.#turn.next();
    if (event === undefined) this.#read();
    return event;
  }

  poll(): RelayEvent | undefined {
    return this.#turn.poll();
  }

  /** Never rejects. */
  async answer(): Promise<RelayAnswer> {
    const answer = await this.#turn.answer();
    if (answer.name === 'answered') this.#read();
    return answer;
  }

  /** The client has gone. */
  cancel(): void {
    this.#turn.cancel();
  }

  #begin(create: Create): RelayTurn {
    const { lease, headers, streams } = this.#options;
    return lease.relay.turn(create.params, {
      headers,
      plain: streams ? undefined : textOf(create),
      onSettled: () => queueMicrotask(() => this.#settle()),
    });
  }

  /** The answer was read to its end. */
  #read(): void {
    this.#options.create.keep();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.lease.release();
    this.#options.onSettled(this);
  }
}
