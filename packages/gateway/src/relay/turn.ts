import { bodyOf, textField } from './create.js';
import { withPreviousResponseId, textWithPreviousResponseId } from './history/previous-response-id.js';
import { withFullHistory } from './history/full-request.js';
import type { SteerInput } from '@turnwire/client';
import type { RelayAnswer, RelayEvent, RelayOpening, RelayTurn } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { RelayLease } from '../upstream/relays.js';
import type { Create, Downstream } from './create.js';
import type { ChainLookupResult } from './chain-lookup.js';
import type { CachedHistory } from './history/history-cache.js';
import type { PreviousResponseIds } from './history/previous-response-id.js';

type Headers = Readonly<Record<string, string>>;

export interface TurnOptions {
  principal: Principal;
  lease: RelayLease;
  create: Create;
  /** Headers of this request alone: sent when the turn goes as a POST. */
  headers: Readonly<Record<string, string>>;
  downstream: Downstream;
  /** The context of the response that the request names; undefined where it names none, or this gateway does not hold it. */
  history: CachedHistory | undefined;
  /** True where the upstream may still hold the named response; otherwise the turn is sent in full at once. */
  isHeldUpstream: boolean;
  /** What the other gateways know of the chain. */
  found?: ChainLookupResult | undefined;
  /** Called for each response that has begun. */
  onBegun: (responseId: string) => void;
  /** Selects and changes the headers of an answer for the client. @default all as they are */
  downstreamHeaders?: ((headers: Headers) => Headers) | undefined;
  /** Called when the upstream has refused the turn. */
  onRefused?: ((turn: GatewayTurn, refusal: Extract<RelayOpening, { name: 'refused' }>) => void) | undefined;
  /** Called when the answer was read to its end. */
  onRead: (turn: GatewayTurn) => void;
  /** Called once, when the turn has ended, for whatever reason. */
  onSettled: (turn: GatewayTurn) => void;
}

/** Marks the answer by which a gateway tells another one that it has not taken the turn. */
export const notTakenHeader = 'x-turnwire-not-taken';

/** The close code of a gateway that restarts. It comes only when no turn of the WebSocket runs, and none begins afterwards. */
export const restartCode = 1012;

export type TurnReport = RelayTurn['report'];

/** A turn of a client. It takes one turn of the engine, or several when another gateway declines the first, or the history is sent in full. */
export class GatewayTurn {
  readonly options: TurnOptions;
  /** The request that was sent. */
  sent: Create;
  readonly #begunAt = performance.now();
  #engine: RelayTurn;
  /** The combined report of the engine's turns before the present one. */
  #earlier: TurnReport | undefined;
  #begun = 0;
  #settled = false;
  /** True while another gateway has the turn. */
  #isOnPeer: boolean;
  #lastReport: TurnReport | undefined;

  constructor(options: TurnOptions) {
    this.options = options;
    const { create, history, isHeldUpstream } = options;
    this.sent = history !== undefined && !isHeldUpstream ? withFullHistory(create, history) : create;
    this.#isOnPeer = options.found?.peer !== undefined;
    this.#engine = this.#begin();
  }

  get found(): ChainLookupResult | undefined {
    return this.options.found;
  }

  /** True where another gateway carries the turn, or has carried it. */
  get isOnPeer(): boolean {
    return this.#isOnPeer;
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
      ...(this.#isOnPeer && { planReason: 'relayed' }),
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
    if (this.#isDeclined(opening)) {
      this.#takeBack();
      opening = await this.#engine.opening();
    }
    if (this.#canRestore(opening)) {
      this.#restore(opening.name === 'unknown');
      opening = await this.#engine.opening();
    }
    if (opening.name === 'refused') this.options.onRefused?.(this, opening);
    if (opening.name !== 'begun') {
      this.#settle();
      return opening;
    }
    this.#noteBegun();
    return {
      ...opening,
      headers: this.#downstreamHeaders(opening.headers),
      events: opening.events.map((event) => this.#forClient(event)),
    };
  }

  /** @throws TurnwireError */
  next(): Promise<RelayEvent | undefined> {
    return this.#engine.next().then(
      (event) => {
        if (event === undefined) this.#end();
        else this.#noteSuccessor(event);
        return event && this.#forClient(event);
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
    this.#noteSuccessor(event);
    return this.#forClient(event);
  }

  /** The whole answer of a turn without a stream. Never rejects. */
  async answer(): Promise<RelayAnswer> {
    let answer = await this.#engine.answer();
    if (this.#isDeclined(answer)) {
      this.#takeBack();
      answer = await this.#engine.answer();
    }
    if (this.#canRestore(answer)) {
      this.#restore(answer.name === 'unknown');
      answer = await this.#engine.answer();
    }
    if (answer.name === 'refused') this.options.onRefused?.(this, answer);
    if (answer.name !== 'answered') {
      this.#settle();
      return answer;
    }
    this.#noteBegun();
    this.#end();
    const ids = this.#previousResponseIds;
    const body = ids === undefined ? answer.body : textWithPreviousResponseId(answer.body, ids);
    return { ...answer, headers: this.#downstreamHeaders(answer.headers), body };
  }

  /** Changes the headers of an answer. Where another gateway carried the turn, it has done so already. */
  #downstreamHeaders(headers: Headers): Headers {
    return this.#isOnPeer ? headers : (this.options.downstreamHeaders?.(headers) ?? headers);
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
    const peer = this.#isOnPeer ? found?.peer : undefined;
    // The other gateway is sent the client's own request, and changes it as this one has done.
    const sent = peer?.asked ?? this.sent;
    return (peer?.lease ?? lease).relay.turn(sent.params, {
      headers,
      plain: downstream === 'json' ? bodyOf(sent) : undefined,
      mayHaveRun,
      // The chain is the other gateway's, whose socket carries any turn.
      continuable: peer === undefined,
      continues: peer === undefined && !mayHaveRun ? found?.stored : undefined,
    });
  }

  /** True where the other gateway has not taken the turn, so that it certainly did not run. */
  #isDeclined(answer: RelayOpening | RelayAnswer): boolean {
    if (!this.#isOnPeer || this.#settled) return false;
    if (answer.name === 'not_sent') return answer.error.code !== 'aborted';
    // A gateway that restarts closes a WebSocket between two turns: a request that it got after the first of them has not begun.
    if (answer.name === 'unknown') return answer.error.closeCode === restartCode;
    if (answer.name !== 'refused') return false;
    // Without an answer of the other gateway nothing was sent: the request does not fit the connection to it.
    return answer.server === undefined || answer.headers[notTakenHeader] !== undefined;
  }

  #takeBack(): void {
    this.#earlier = this.#engine.report;
    this.#isOnPeer = false;
    this.options.found?.peer?.lease.release();
    this.options.found?.peer?.returned();
    this.#engine = this.#begin();
  }

  /** True where the upstream has lost the named response, no event was handed over, and this gateway holds the response's context. */
  #canRestore(answer: RelayOpening | RelayAnswer): boolean {
    if ((answer.name !== 'refused' && answer.name !== 'unknown') || this.#settled) return false;
    if (answer.error.code !== 'chain_lost') return false;
    return this.options.history !== undefined && this.sent === this.options.create;
  }

  /** @param mayHaveRun the engine has replayed the turn already, after a lost socket: the turn in full is then the one allowed replay. */
  #restore(mayHaveRun: boolean): void {
    const { create, history } = this.options;
    if (history === undefined) return;
    this.#earlier = this.#engine.report;
    this.sent = withFullHistory(create, history);
    this.#engine = this.#begin(mayHaveRun);
  }

  /** The response that the client named, where the upstream was sent another or none. */
  get #previousResponseIds(): PreviousResponseIds | undefined {
    const { create } = this.options;
    const named = this.sent === create ? undefined : textField(create.params, 'previous_response_id');
    return named === undefined ? undefined : { named, sent: this.#engine.continued?.responseId };
  }

  #forClient(event: RelayEvent): RelayEvent {
    const ids = this.#previousResponseIds;
    return ids === undefined ? event : withPreviousResponseId(event, ids);
  }

  #noteSuccessor(event: RelayEvent): void {
    if (event.type !== 'response.created') return;
    this.#begun += 1;
    // The first response is known from the opening; later ones are successors of steered responses.
    if (this.#begun === 1) return;
    const { response } = JSON.parse(event.text) as { response?: { id?: unknown } };
    if (typeof response?.id === 'string') this.options.onBegun(response.id);
  }

  #noteBegun(): void {
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
    this.options.found?.peer?.lease.release();
    this.options.onSettled(this);
  }
}
