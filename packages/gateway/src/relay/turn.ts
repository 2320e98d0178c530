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

/** The form of the answer that a client asked for. */
export type Downstream = 'sse' | 'json' | 'websocket';

export interface TurnOptions {
  principal: Principal;
  lease: Lease;
  create: Create;
  /** Headers of this request alone: sent when the turn goes as a POST. */
  headers: Readonly<Record<string, string>>;
  downstream: Downstream;
  /** The context of the response that the request names; undefined where it names none, or this gateway does not hold it. */
  history: HeldHistory | undefined;
  /** True where the upstream may still hold the named response; otherwise the turn is sent in full at once. */
  isHeldUpstream: boolean;
  /** The result of the look-up at other gateways. */
  found?: KnownElsewhere | undefined;
  /** Called for each response that has begun. */
  onBegun: (responseId: string) => void;
  /** Selects and changes the headers of an answer for the client. @default all as they are */
  headersDown?: ((headers: Headers) => Headers) | undefined;
  /** Called when the upstream has refused the turn. */
  onRefused?: ((turn: GatewayTurn, refusal: Extract<RelayOpening, { name: 'refused' }>) => void) | undefined;
  /** Called when the answer was read to its end. */
  onRead: (turn: GatewayTurn) => void;
  /** Called once, when the turn has ended, for whatever reason. */
  onSettled: (turn: GatewayTurn) => void;
}

/** Marks the answer by which a gateway tells another one that it has not taken the turn. */
export const notTakenHeader = 'x-turnwire-not-taken';

export type TurnReport = RelayTurn['report'];

/** A turn of a client. It takes one turn of the engine, or several when a first one is turned away or restored. */
export class GatewayTurn {
  readonly options: TurnOptions;
  /** The request that was sent. */
  sent: Create;
  readonly #begunAt = performance.now();
  #engine: RelayTurn;
  /** The report over the engine's turns before the present one. */
  #earlier: TurnReport | undefined;
  #begun = 0;
  #settled = false;
  /** True while another gateway has the turn. */
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

  /** True where another gateway carries the turn, or has carried it. */
  get isElsewhere(): boolean {
    return this.#isAway;
  }

  /** The engine's present turn, or its last. */
  get engine(): RelayTurn {
    return this.#engine;
  }

  /** The report so far; after the end of the turn it does not change any more. */
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

  /** The beginning of the answer: a first event, or a refusal. Never rejects. */
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
  next(): Promise<RelayEvent | undefined> {
    return this.#engine.next().then(
      (event) => {
        if (event === undefined) this.#end();
        else this.#look(event);
        return event && this.#told(event);
      },
      (error: unknown) => {
        this.#settle();
        throw error;
      },
    );
  }

  poll(): RelayEvent | undefined {
    const event = this.#engine.poll();
    if (event === undefined) return undefined;
    this.#look(event);
    return this.#told(event);
  }

  /** The whole answer of a turn without a stream. Never rejects. */
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

  /** Changes the headers of an answer. Where another gateway carried the turn, it has done so already. */
  #headersDown(headers: Headers): Headers {
    return this.#isAway ? headers : (this.options.headersDown?.(headers) ?? headers);
  }

  steer(input: SteerInput): Promise<unknown> {
    return this.#engine.steer(input);
  }

  say(text: string): boolean {
    return this.#engine.say(text);
  }

  /** Cancels the turn: its client has left. */
  cancel(): void {
    if (this.#settled) return;
    this.#engine.cancel();
    this.#settle();
  }

  #begin(mayHaveRun = false): RelayTurn {
    const { lease, headers, downstream, found } = this.options;
    const node = this.#isAway ? found?.node : undefined;
    // The other gateway is sent the client's own request, and changes it as this one has done.
    const sent = node?.asked ?? this.sent;
    return (node?.lease ?? lease).relay.turn(sent.params, {
      headers,
      plain: downstream === 'json' ? bodyOf(sent) : undefined,
      mayHaveRun,
      continues: node === undefined && !mayHaveRun ? found?.continues : undefined,
    });
  }

  /** True where the other gateway has not taken the turn, so that it certainly did not run. */
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

  /** True where the upstream has lost the named response, no event was handed over, and this gateway holds the response's context. */
  #mayRestore(answer: RelayOpening | RelayAnswer): boolean {
    if ((answer.name !== 'refused' && answer.name !== 'unknown') || this.#settled) return false;
    if (answer.error.code !== 'chain_lost') return false;
    return this.options.history !== undefined && this.sent === this.options.create;
  }

  /** @param mayHaveRun the engine has replayed the turn already, after a lost socket: the turn in full is then the one allowed replay. */
  #restore(mayHaveRun: boolean): void {
    const { create, history } = this.options;
    if (history === undefined) return;
    this.#earlier = this.#engine.report;
    this.sent = inFull(create, history);
    this.#engine = this.#begin(mayHaveRun);
  }

  /** The response that the client named, where the upstream was sent another or none. */
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
    // The first response is known from the opening; later ones are successors of steered responses.
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
