import { bodyOf, textField } from './create.js';
import { namingParent, textNamingParent } from './parent.js';
import { inFull } from './restoring.js';
import type { SteerInput } from '@turnwire/client';
import type { RelayAnswer, RelayEvent, RelayOpening, RelayTurn } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { Lease } from '../upstream/relays.js';
import type { Create } from './create.js';
import type { KnownElsewhere } from './known-elsewhere.js';
import type { HeldHistory } from './histories.js';
import type { Parents } from './parent.js';

type Headers = Readonly<Record<string, string>>;

/** How a client has asked. */
export type Downstream = 'sse' | 'json' | 'websocket';

export interface TurnOptions {
  principal: Principal;
  lease: Lease;
  create: Create;
  /** Of the request alone: sent where the turn goes as a POST. */
  headers: Readonly<Record<string, string>>;
  downstream: Downstream;
  /** What the response named by the create held; undefined where it names none, or its context is not held. */
  history: HeldHistory | undefined;
  /** The named response may be continued by its name: otherwise the turn goes in full at once. */
  isHeldUpstream: boolean;
  /** What another gateway has told of the chain. */
  found?: KnownElsewhere | undefined;
  /** A response has begun. */
  onBegun: (responseId: string) => void;
  /** What a client is to have of an answer's headers. @default all as they are */
  headersDown?: ((headers: Headers) => Headers) | undefined;
  /** The upstream has refused the turn. */
  onRefused?: ((turn: GatewayTurn, refusal: Extract<RelayOpening, { name: 'refused' }>) => void) | undefined;
  /** The answer was read to its end. */
  onRead: (turn: GatewayTurn) => void;
  /** Called once, when the turn has ended, in whatever way. */
  onSettled: (turn: GatewayTurn) => void;
}

/** Stands with what a gateway itself says to another one. */
export const notTakenHeader = 'x-turnwire-not-taken';

export type TurnReport = RelayTurn['report'];

/** One turn of a client, however many of the engine's it takes. */
export class GatewayTurn {
  readonly options: TurnOptions;
  /** What went up. */
  sent: Create;
  readonly #begunAt = performance.now();
  #engine: RelayTurn;
  /** Those before the last. */
  #earlier: TurnReport | undefined;
  #begun = 0;
  #settled = false;
  /** The turn is with another gateway. */
  #isAway: boolean;
  #lastReport: TurnReport | undefined;

  constructor(options: TurnOptions) {
    this.options = options;
    const { create, history, isHeldUpstream } = options;
    this.sent = history !== undefined && !isHeldUpstream ? inFull(create, history) : create;
    this.#isAway = options.found?.node !== undefined;
    this.#engine = this.#begin();
  }

  get found(): KnownElsewhere | undefined {
    return this.options.found;
  }

  /** Another gateway carries the turn, or has carried it. */
  get isElsewhere(): boolean {
    return this.#isAway;
  }

  /** The engine's own turn: the last one. */
  get engine(): RelayTurn {
    return this.#engine;
  }

  /** Of this moment; once the turn has settled, always the same. */
  get report(): TurnReport {
    if (this.#settled) return (this.#lastReport ??= this.#makeReport());
    return this.#makeReport();
  }

  #makeReport(): TurnReport {
    const report = this.#engine.report;
    const { attempts: earlier = [], sentBytes = 0 } = this.#earlier ?? {};
    const isRestored = this.sent !== this.options.create && report.plan === 'full';
    return {
      ...report,
      ...(this.#isAway && { planReason: 'relayed' }),
      attempts: [...earlier, ...report.attempts],
      sentBytes: sentBytes + report.sentBytes,
      ...(isRestored && { planReason: 'restored' }),
    };
  }

  get ms(): number {
    return performance.now() - this.#begunAt;
  }

  /** Never rejects. */
  async opening(): Promise<RelayOpening> {
    let opening = await this.#engine.opening();
    if (this.#isTurnedAway(opening)) {
      this.#comeBack();
      opening = await this.#engine.opening();
    }
    if (this.#mayRestore(opening)) {
      this.#restore(opening.name === 'unknown');
      opening = await this.#engine.opening();
    }
    if (opening.name === 'refused') this.options.onRefused?.(this, opening);
    if (opening.name !== 'begun') {
      this.#settle();
      return opening;
    }
    this.#note();
    return {
      ...opening,
      headers: this.#headersDown(opening.headers),
      events: opening.events.map((event) => this.#told(event)),
    };
  }

  /** @throws TurnwireError */
  async next(): Promise<RelayEvent | undefined> {
    let event: RelayEvent | undefined;
    try {
      event = await this.#engine.next();
    } catch (error) {
      this.#settle();
      throw error;
    }
    if (event === undefined) this.#end();
    else this.#look(event);
    return event && this.#told(event);
  }

  poll(): RelayEvent | undefined {
    const event = this.#engine.poll();
    if (event === undefined) return undefined;
    this.#look(event);
    return this.#told(event);
  }

  /** Never rejects. */
  async answer(): Promise<RelayAnswer> {
    let answer = await this.#engine.answer();
    if (this.#isTurnedAway(answer)) {
      this.#comeBack();
      answer = await this.#engine.answer();
    }
    if (this.#mayRestore(answer)) {
      this.#restore(answer.name === 'unknown');
      answer = await this.#engine.answer();
    }
    if (answer.name === 'refused') this.options.onRefused?.(this, answer);
    if (answer.name !== 'answered') {
      this.#settle();
      return answer;
    }
    this.#note();
    this.#end();
    const parents = this.#parents;
    const body = parents === undefined ? answer.body : textNamingParent(answer.body, parents);
    return { ...answer, headers: this.#headersDown(answer.headers), body };
  }

  /** Another gateway has done so already. */
  #headersDown(headers: Headers): Headers {
    return this.#isAway ? headers : (this.options.headersDown?.(headers) ?? headers);
  }

  steer(input: SteerInput): Promise<unknown> {
    return this.#engine.steer(input);
  }

  say(text: string): boolean {
    return this.#engine.say(text);
  }

  /** The client has gone. */
  cancel(): void {
    if (this.#settled) return;
    this.#engine.cancel();
    this.#settle();
  }

  #begin(mayHaveRun = false): RelayTurn {
    const { lease, headers, downstream, found } = this.options;
    const node = this.#isAway ? found?.node : undefined;
    // Another gateway reads what this one has read.
    const sent = node?.asked ?? this.sent;
    return (node?.lease ?? lease).relay.turn(sent.params, {
      headers,
      plain: downstream === 'json' ? bodyOf(sent) : undefined,
      mayHaveRun,
      continues: node === undefined && !mayHaveRun ? found?.continues : undefined,
    });
  }

  /** The other gateway has not taken the turn, which certainly did not run. */
  #isTurnedAway(answer: RelayOpening | RelayAnswer): boolean {
    if (!this.#isAway || this.#settled) return false;
    if (answer.name === 'not_sent') return answer.error.code !== 'aborted';
    return answer.name === 'refused' && answer.headers[notTakenHeader] !== undefined;
  }

  #comeBack(): void {
    this.#earlier = this.#engine.report;
    this.#isAway = false;
    this.options.found?.node?.lease.release();
    this.options.found?.node?.returned();
    this.#engine = this.#begin();
  }

  /** The upstream has lost the response that the create names, nothing was handed over, and what it held is known here. */
  #mayRestore(answer: RelayOpening | RelayAnswer): boolean {
    if ((answer.name !== 'refused' && answer.name !== 'unknown') || this.#settled) return false;
    if (answer.error.code !== 'chain_lost') return false;
    return this.options.history !== undefined && this.sent === this.options.create;
  }

  /** @param mayHaveRun the engine has replayed the turn after a lost socket: the turn in full is then that one replay. */
  #restore(mayHaveRun: boolean): void {
    const { create, history } = this.options;
    if (history === undefined) return;
    this.#earlier = this.#engine.report;
    this.sent = inFull(create, history);
    this.#engine = this.#begin(mayHaveRun);
  }

  /** What the client has named, and the upstream was not told. */
  get #parents(): Parents | undefined {
    const { create } = this.options;
    const named = this.sent === create ? undefined : textField(create.params, 'previous_response_id');
    return named === undefined ? undefined : { named, told: this.#engine.continued?.responseId };
  }

  #told(event: RelayEvent): RelayEvent {
    const parents = this.#parents;
    return parents === undefined ? event : namingParent(event, parents);
  }

  #look(event: RelayEvent): void {
    if (event.type !== 'response.created') return;
    this.#begun += 1;
    // The first one is known from the opening; those after it are successors of steered responses.
    if (this.#begun === 1) return;
    const { response } = JSON.parse(event.text) as { response?: { id?: unknown } };
    if (typeof response?.id === 'string') this.options.onBegun(response.id);
  }

  #note(): void {
    const { responseId } = this.#engine;
    this.#begun = 1;
    if (responseId !== undefined) this.options.onBegun(responseId);
  }

  #end(): void {
    if (this.#settled) return;
    this.options.create.keep();
    this.options.onRead(this);
    this.#settle();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.options.lease.release();
    this.options.found?.node?.lease.release();
    this.options.onSettled(this);
  }
}
