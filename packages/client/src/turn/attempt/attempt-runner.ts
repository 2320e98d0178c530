import { TurnwireError } from '../../protocol/errors/errors.js';
import { TurnAttempt } from './turn-attempt.js';
import { shapeOf } from '../recovery/request-shape.js';
import { describePlan, AttemptRequest } from './attempt-request.js';
import { chainLost, rootCause } from '../recovery/cause.js';
import { ResponseTracker } from '../../response/tracker.js';
import { isDialLoad } from '../recovery/dial-load.js';
import { recover } from '../recovery/recovery.js';
import type { ChainPlan } from '../../continuation/memory.js';
import type { Json, JsonObject } from '../../json/json.js';
import type { Timer } from '../../base/clock.js';
import type { ReplayPolicy, TransportChoice } from '../../options.js';
import type { Placement } from '../../pool/placement.js';
import type { CallOptions } from '../../transport/transport.js';
import type { AttemptObserver, TurnListener } from './turn-attempt.js';
import type { ClientContext } from '../client-context.js';
import type { Plan } from './attempt-request.js';
import type { RecoveryDecision } from '../recovery/recovery.js';
import type { Steering } from '../../response/steering.js';
import type { TurnReport, Attempt as Entry } from '../report.js';
import type { FrameOptions, KnownResponse } from './frame-options.js';
import type { TurnRequest } from '../request.js';
import { failureKey } from '../recovery/breaker-failure.js';
import type { Suspension } from '../recovery/breaker.js';
import type { BreakerFailure } from '../recovery/breaker-failure.js';

type Report = TurnReport & { attempts: Entry[] };

/** Why a turn goes by SSE, as a sentence; `key` is the same for each such turn, so that one warning is given. */
type FallbackReason = Pick<Suspension, 'why' | 'key'>;

/** The `key` of a fallback because a model may not be streamed. */
const streamRefusedKey = 'streamless';

/**
 * Runs the attempts of one turn: chooses the transport and the plan of the first one, and after a failed one does what the table of recovery says. Ends
 * once, with `ended` or `failed`.
 */
export class AttemptRunner implements AttemptObserver {
  readonly #client: ClientContext;
  readonly #number: number;
  readonly #request: TurnRequest;
  readonly #choice: TransportChoice;
  readonly #steering: Steering;
  readonly #callOptions: Pick<CallOptions, 'asText' | 'headers' | 'plain'>;
  readonly #continues: KnownResponse | undefined;
  readonly #listener: TurnListener;
  readonly #report: Report;
  readonly #startedAt: number;
  readonly #decisions: RecoveryDecision[] = [];
  #attempt: TurnAttempt | undefined;
  #delay: Timer | undefined;
  #settled = false;
  /** This turn probes for the breaker whether a WebSocket works again. */
  #probing = false;
  /** The breaker suspends dials; open WebSockets may be used. */
  #dialsSuspended = false;
  /** This attempt may use open connections only. */
  #withoutDial = false;
  /** The server leaves dials unanswered: the body of a POST waits until it is asked for. */
  #awaitsContinue = false;
  /** A WebSocket was closed instead of answering this request. */
  #shapeFailure: BreakerFailure | undefined;
  /** Named lanes are off for the rest of the turn. */
  #withoutLanes = false;
  #fullReason: 'chain_lost' | undefined;
  /** When the first attempt failed: the budget of recovery counts from then. */
  #firstFailureAt: number | undefined;
  /** Why the first attempt failed. */
  #firstError: TurnwireError | undefined;

  constructor(
    client: ClientContext,
    options: { number: number; request: TurnRequest; choice: TransportChoice; steering: Steering } & Pick<
      CallOptions,
      'asText' | 'headers' | 'plain'
    > &
      Pick<FrameOptions, 'continues'>,
    report: Report,
    listener: TurnListener,
  ) {
    this.#client = client;
    this.#number = options.number;
    this.#request = options.request;
    this.#choice = options.choice;
    this.#steering = options.steering;
    this.#callOptions = { asText: options.asText, headers: options.headers, plain: options.plain };
    this.#continues = options.continues;
    this.#report = report;
    this.#listener = listener;
    this.#startedAt = client.clock.now();
  }

  /** The response of the last attempt. */
  get response(): ResponseTracker | undefined {
    return this.#attempt?.response;
  }

  /** The plan of the last attempt; undefined if the caller named the response to continue. */
  get plan(): ChainPlan | undefined {
    const plan = this.#attempt?.request.plan;
    if (plan === undefined || plan.name === 'explicit') return undefined;
    // The memory does not ask for the reason of a full plan.
    return plan.name === 'delta' ? plan : { name: 'full', reason: 'first_turn' };
  }

  /** @throws TurnwireError `invalid_request`, `request_too_large`: errors that are known before anything is sent. */
  start(): void {
    const request = this.#request;
    const outgoing = new AttemptRequest(request, this.#plan(), this.#client.limits);
    const bySse = this.#choice === 'sse' ? undefined : this.#requiresSse(outgoing);
    if (this.#choice === 'websocket' && bySse !== undefined) throw bySse;
    const rest =
      this.#choice === 'auto' && bySse === undefined
        ? (this.#streamRefused() ?? this.#suspension(outgoing))
        : undefined;
    const sse = this.#choice === 'sse' || bySse !== undefined || rest !== undefined;
    if (sse && request.webSocketOnly) {
      throw new TurnwireError(
        'invalid_request',
        rest === undefined
          ? 'generate: false works over a WebSocket only: over SSE the turn would run and be paid for'
          : `generate: false works over a WebSocket only, and ${rest.why}`,
      );
    }
    if (!sse) return this.#attemptOver('websocket', outgoing);
    if (bySse !== undefined) this.#reportFallback(bySse.code, bySse.message);
    else if (rest !== undefined) this.#reportFallback(rest.key, rest.why);
    this.#attemptOver('sse', this.#sseRequest());
  }

  pause(): void {
    this.#attempt?.pause();
  }

  resume(): void {
    this.#attempt?.resume();
  }

  send(frame: string, done: (error: Error | undefined) => void): boolean {
    return this.#attempt?.send(frame, done) === true;
  }

  /** Ends the turn now, and calls nobody. `error` goes into the report of the attempt. */
  abort(error: TurnwireError): void {
    if (this.#settled) return;
    const entry = this.#report.attempts.at(-1);
    if (entry !== undefined) {
      entry.error ??= error.code;
      entry.kind ??= error.kind;
    }
    this.#settle();
    this.#attempt?.abort();
  }

  #plan(): Plan {
    const { limits, ignoredIds } = this.#client;
    const { items, fields, previousResponseId, params } = this.#request;
    if (previousResponseId !== undefined) return { name: 'explicit' };
    if (items === undefined) return { name: 'full', reason: 'input_unknown' };
    if (ignoredIds.has(params['model'])) return { name: 'full', reason: 'id_ignored' };
    if (this.#fullReason !== undefined) return { name: 'full', reason: this.#fullReason };
    if (limits.idExcludesInstructions && params['instructions'] !== undefined && params['instructions'] !== null)
      return { name: 'full', reason: 'provider' };
    const plan = planOf(this.#client, { items, fields });
    const known = this.#continues;
    if (known === undefined || (plan.name === 'delta' && plan.from >= known.from)) return plan;
    return { name: 'delta', ...known, stored: true, baseline: undefined };
  }

  #sseRequest(): AttemptRequest {
    const explicit = this.#request.previousResponseId !== undefined;
    return new AttemptRequest(this.#request, explicit ? { name: 'explicit' } : { name: 'full', reason: 'sse' }, {
      ...this.#client.limits,
      maxFrameBytes: Infinity,
    });
  }

  /** Why this turn can never go over a WebSocket (E1). */
  #requiresSse(outgoing: AttemptRequest): TurnwireError | undefined {
    if (this.#request.sseOnly)
      return new TurnwireError('invalid_request', 'background responses are not known on a WebSocket');
    return outgoing.tooLarge;
  }

  /** Why a call without a stream goes as plain HTTP. */
  #streamRefused(): FallbackReason | undefined {
    const isRefused =
      this.#callOptions.plain !== undefined && this.#client.streamRefusals.has(this.#request.params['model']);
    return isRefused ? { key: streamRefusedKey, why: 'the server has refused to stream this model' } : undefined;
  }

  /** Why the breaker suspends WebSockets; undefined if it does not. */
  #suspension(outgoing: AttemptRequest): FallbackReason | undefined {
    const { breaker } = this.#client;
    const shape = shapeOf(this.#request.params);
    const route = breaker.route(shape);
    if (typeof route === 'object') {
      this.#dialsSuspended = breaker.suspendsDialsOnly(shape);
      this.#withoutDial = this.#dialsSuspended && this.#client.canServe(this.#placement(outgoing, false));
      return this.#withoutDial ? undefined : route;
    }
    this.#probing = route === 'probe';
    return undefined;
  }

  #placement({ parent }: AttemptRequest, fresh: boolean): Placement {
    const isOver = this.#decisions.some(({ move }) => move === 'fall_back' || move === 'wait_for_lane');
    const isLast = this.#choice !== 'auto' || this.#request.webSocketOnly || isOver;
    const fallback = isLast ? 'nothing' : this.#client.usesFetch ? 'fetch' : 'sse';
    return { parent, fresh, withoutLanes: this.#withoutLanes, mayDial: !this.#withoutDial, fallback };
  }

  #attemptOver(transport: 'websocket' | 'sse', outgoing: AttemptRequest, fresh = false): void {
    const { asText, headers, plain } = this.#callOptions;
    // A consumer of a stream of text puts the output together itself.
    const response = new ResponseTracker(this.#client.secrets, this.#steering, !asText || plain !== undefined);
    const attempt = new TurnAttempt(this.#client, transport, outgoing, response, this, this.#listener);
    this.#attempt = attempt;
    this.#report.attempts.push(attempt.entry);
    this.#report.transport = transport;
    describePlan(attempt.entry, outgoing.plan);
    describePlan(this.#report, outgoing.plan);
    const awaitsContinue = this.#awaitsContinue;
    attempt.start({ ...this.#placement(outgoing, fresh), awaitsContinue, asText, headers, plain });
  }

  sending({ entry, request: { plan } }: TurnAttempt): void {
    const { diagnostics } = this.#client;
    describePlan(entry, plan);
    describePlan(this.#report, plan);
    this.#report.sentBytes += entry.sentBytes;
    const { transport, connection, sentBytes: bytes } = entry;
    if (entry.reused && connection !== undefined) diagnostics.publish('reuse', { turn: this.#number, connection });
    diagnostics.publish('plan', { turn: this.#number, plan: entry.plan, reason: entry.planReason });
    diagnostics.publish('send', { turn: this.#number, transport, connection, bytes });
  }

  firstEvent({ entry: { transport } }: TurnAttempt): void {
    const { clock, diagnostics, breaker } = this.#client;
    const ms = clock.now() - this.#startedAt;
    this.#report.firstEventMs = ms;
    diagnostics.publish('first-event', { turn: this.#number, transport, ms });
    if (transport === 'websocket') return this.#webSocketWorks();
    // SSE answers the request for which the WebSocket was closed: this shape of request is the cause (C11).
    if (this.#shapeFailure !== undefined) breaker.failed(this.#shapeFailure, shapeOf(this.#request.params));
  }

  ended(): void {
    this.#settle();
    this.#listener.ended();
  }

  #webSocketWorks(): void {
    this.#probing = false;
    // A connection that was open before says nothing of dials.
    if (!this.#withoutDial) this.#client.breaker.succeeded();
  }

  /** Asks the table of recovery what follows a failed attempt. */
  failed(attempt: TurnAttempt, error: TurnwireError): void {
    const { clock, recovery, random, credentialIsAsked, breaker } = this.#client;
    const { entry, phase, request } = attempt;
    this.#firstFailureAt ??= clock.now();
    const decision = recover(
      {
        error,
        transport: entry.transport,
        phase,
        reused: entry.reused,
        plan: request.plan.name,
        credentialIsAsked,
      },
      {
        choice: this.#choice,
        replay: this.#mayReplay(attempt) ? recovery.replay : atMost('unsent', recovery.replay),
        repeatable: this.#request.repeatable,
        sseAble: !this.#request.webSocketOnly,
        lanesLeft: this.#hasLanesLeft(request),
        streams: this.#callOptions.plain === undefined,
        done: this.#decisions,
        attempts: this.#report.attempts.length,
        maxAttempts: recovery.maxAttempts,
        msLeft: recovery.budgetMs - (clock.now() - this.#firstFailureAt),
        retryRefusals: recovery.refusals === 'retry',
        jitter: random,
      },
    );
    const { breakerFailure } = decision;
    if (decision.cause === 'chain_ignored') this.#chainIgnored();
    if (decision.cause === 'stream_refused') this.#client.streamRefusals.add(this.#request.params['model']);
    if (breakerFailure?.kind === 'shape') this.#shapeFailure = breakerFailure;
    else if (breakerFailure !== undefined && !(this.#withoutDial && isDialLoad(decision.cause))) {
      this.#probing = false;
      breaker.failed(breakerFailure);
    }
    // A refused turn shows that the WebSocket works.
    else if (entry.transport === 'websocket' && error.code === 'request_refused') this.#webSocketWorks();
    entry.recovery = decision.move;
    entry.delayMs = decision.delayMs;
    const { move, cause, delayMs } = decision;
    this.#client.diagnostics.publish('recovery', { turn: this.#number, cause, move, delayMs });
    if (move === 'surface') return this.#surface(error);
    this.#decisions.push(decision);
    this.#firstError ??= error;
    if (delayMs === 0) return this.#recover(entry, error, decision);
    this.#delay = clock.after(delayMs, () => this.#recover(entry, error, decision));
  }

  /**
   * False for a call without a stream, of which nothing shows whether it runs, and for a POST by the caller's fetch, which has retries of its own. Both are
   * sent again only after a refusal.
   */
  #mayReplay({ plain, entry: { transport } }: TurnAttempt): boolean {
    return !plain && !(transport === 'sse' && this.#client.usesFetch);
  }

  #recover({ transport }: Entry, error: TurnwireError, { move, cause, withoutLanes }: RecoveryDecision): void {
    if (this.#settled) return;
    const { memory, limits } = this.#client;
    if (move === 'fall_back') {
      this.#reportFallback(cause === 'stream_refused' ? streamRefusedKey : failureKey(error), error.message);
      // Beside open connections a POST may wait in the same line as the dial, and run long after the turn has gone another way (Q10).
      const outgoing = this.#sseRequest();
      this.#awaitsContinue = cause === 'no_answer' && this.#hasLanesLeft(outgoing);
      return this.#attemptOver('sse', outgoing);
    }
    this.#withoutDial = move === 'wait_for_lane';
    if (this.#withoutDial) this.#report.fallback = undefined;
    else if (transport === 'sse') return this.#attemptOver('sse', this.#sseRequest(), move === 'redial');
    if (withoutLanes) this.#withoutLanes = true;
    if (move === 'resend_in_full' && cause === 'chain_lost') {
      const plan = this.#attempt?.request.plan;
      if (plan?.name === 'delta') memory.forget(plan.responseId);
      this.#fullReason = 'chain_lost';
    }
    const outgoing = new AttemptRequest(this.#request, this.#plan(), limits);
    const { tooLarge } = outgoing;
    if (tooLarge === undefined) return this.#attemptOver('websocket', outgoing, move === 'redial');
    // The delta fitted into a frame, and the full request does not.
    if (this.#choice !== 'auto') return this.#surface(tooLarge);
    this.#reportFallback(tooLarge.code, tooLarge.message);
    this.#attemptOver('sse', this.#sseRequest());
  }

  /** From now on turns of this model are sent in full. */
  #chainIgnored(): void {
    this.#client.ignoredIds.add(this.#request.params['model']);
    this.#client.onIgnoredId();
  }

  /** No further WebSocket can be dialled, and a lane of an open one can serve this turn. */
  #hasLanesLeft(outgoing: AttemptRequest): boolean {
    const isRefused =
      this.#dialsSuspended || this.#decisions.some(({ move, cause }) => move === 'fall_back' && isDialLoad(cause));
    if (!isRefused || this.#choice !== 'auto') return false;
    return this.#client.canServe({ ...this.#placement(outgoing, false), mayDial: false, mayEvictChain: true });
  }

  #surface(error: TurnwireError): void {
    this.#settle();
    const surfaced = this.#attempt?.request.plan.name === 'explicit' ? (chainLost(error) ?? error) : error;
    const { previousResponseId } = this.#request;
    // The full history, should the caller have it, is not to be sent as a delta of the same response.
    if (surfaced.code === 'chain_lost' && previousResponseId !== undefined)
      this.#client.memory.forget(previousResponseId);
    // The first failure stands at the end of the causes, whatever followed (K2).
    if (this.#firstError !== undefined) rootCause(surfaced).cause = this.#firstError;
    // An earlier attempt may have run, although the last one was refused.
    if (this.#decisions.some(({ mayRunTwice }) => mayRunTwice)) Object.assign(surfaced, { retryable: false });
    this.#listener.failed(surfaced);
  }

  #reportFallback(key: string, why: string): void {
    this.#report.fallback = why;
    this.#client.diagnostics.publish('fallback', { turn: this.#number, reason: why });
    this.#client.onFallback(key, why);
  }

  #settle(): void {
    this.#settled = true;
    this.#delay?.cancel();
    if (this.#probing) this.#client.breaker.abandoned();
    this.#probing = false;
  }
}

/** How a full history would be sent now, by what this client knows itself. */
export function planOf(
  { memory, limits, holds }: Pick<ClientContext, 'memory' | 'limits' | 'holds'>,
  { items, fields }: { items: readonly Json[]; fields: JsonObject },
): ChainPlan {
  const usable = (responseId: string, stored: boolean): boolean =>
    stored ? true : limits.continuesUnstored && holds(responseId);
  return memory.plan({ input: items, fields }, usable);
}

function atMost(limit: 'unsent', replay: ReplayPolicy): ReplayPolicy {
  return replay === 'unanswered' ? limit : replay;
}
