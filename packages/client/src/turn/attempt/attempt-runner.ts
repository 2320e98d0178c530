import { TurnwireError } from '../../protocol/errors/errors.js';
import { TurnAttempt } from './turn-attempt.js';
import { shapeOf } from '../recovery/request-shape.js';
import { describePlan, AttemptRequest } from './attempt-request.js';
import { chainLost, rootCause } from '../recovery/cause.js';
import { ResponseTracker } from '../../response/tracker.js';
import { isDialLoad } from '../recovery/dial-load.js';
import { recover } from '../recovery/recovery.js';
import type { ChainPlan } from '../../continuation/memory.js';
import type { Timer } from '../../base/clock.js';
import type { ReplayPolicy, TransportChoice } from '../../options.js';
import type { Placement } from '../../pool/placement.js';
import type { CarryOptions } from '../../transport/transport.js';
import type { AttemptObserver, TurnListener } from './turn-attempt.js';
import type { Engine } from '../engine.js';
import type { Plan } from './attempt-request.js';
import type { Decision } from '../recovery/recovery.js';
import type { Steering } from '../../response/steering.js';
import type { TurnReport, Attempt as Entry } from '../report.js';
import type { TurnRequest } from '../request.js';
import { failureKey } from '../recovery/breaker-failure.js';
import type { Suspension } from '../recovery/breaker.js';
import type { BreakerFailure } from '../recovery/breaker-failure.js';

type Report = TurnReport & { attempts: Entry[] };

/** Why a turn goes by SSE, as a sentence, and what it is known by: it is warned of once. */
type FallbackReason = Pick<Suspension, 'why' | 'key'>;

/** By what a model that may not be streamed is known among the reasons to fall back. */
const streamRefusedKey = 'streamless';

/**
 * The way of one request through attempts: with which transport and plan it begins, and what is done when an attempt fails, by the table of
 * recovery. It ends once, with `ended` or `failed`.
 */
export class AttemptRunner implements AttemptObserver {
  readonly #engine: Engine;
  readonly #number: number;
  readonly #request: TurnRequest;
  readonly #choice: TransportChoice;
  readonly #steering: Steering;
  readonly #carryOptions: Pick<CarryOptions, 'asText' | 'headers' | 'plain'>;
  readonly #listener: TurnListener;
  readonly #report: Report;
  readonly #startedAt: number;
  readonly #decisions: Decision[] = [];
  #attempt: TurnAttempt | undefined;
  #delay: Timer | undefined;
  #settled = false;
  /** This turn tells whether WebSocket works again. */
  #probing = false;
  /** No WebSocket is dialled just now; those which are open may do. */
  #dialsSuspended = false;
  /** This attempt is for an open connection or none. */
  #withoutDial = false;
  /** A WebSocket was closed instead of answering this turn. */
  #shapeFailure: BreakerFailure | undefined;
  /** Lanes, and continuing, are off for the rest of the turn. */
  #withoutLanes = false;
  #fullReason: 'chain_lost' | undefined;
  /** When the first attempt failed: the budget of recovery counts from here. */
  #firstFailureAt: number | undefined;
  /** Why the first attempt failed. */
  #firstError: TurnwireError | undefined;

  constructor(
    engine: Engine,
    options: { number: number; request: TurnRequest; choice: TransportChoice; steering: Steering } & Pick<
      CarryOptions,
      'asText' | 'headers' | 'plain'
    >,
    report: Report,
    listener: TurnListener,
  ) {
    this.#engine = engine;
    this.#number = options.number;
    this.#request = options.request;
    this.#choice = options.choice;
    this.#steering = options.steering;
    this.#carryOptions = { asText: options.asText, headers: options.headers, plain: options.plain };
    this.#report = report;
    this.#listener = listener;
    this.#startedAt = engine.clock.now();
  }

  /** What has come of the attempt that runs, or was the last. */
  get response(): ResponseTracker | undefined {
    return this.#attempt?.response;
  }

  /** How the request was sent in the end; undefined where the caller named what it continues. */
  get plan(): ChainPlan | undefined {
    const plan = this.#attempt?.request.plan;
    if (plan === undefined || plan.name === 'explicit') return undefined;
    // Sent in full, it is the same for the memory, whatever the reason.
    return plan.name === 'delta' ? plan : { name: 'full', reason: 'first_turn' };
  }

  /** @throws TurnwireError `invalid_request`, `request_too_large`: what can be known before anything is sent. */
  start(): void {
    const request = this.#request;
    const outgoing = new AttemptRequest(request, this.#plan(), this.#engine.limits);
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

  /** Ends it now, silently; `error` is noted as what ended the attempt. */
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
    const { memory, limits, holds, ignoredIds } = this.#engine;
    const { items, fields, previousResponseId, params } = this.#request;
    if (previousResponseId !== undefined) return { name: 'explicit' };
    if (items === undefined) return { name: 'full', reason: 'input_unknown' };
    if (ignoredIds.has(params['model'])) return { name: 'full', reason: 'id_ignored' };
    if (this.#fullReason !== undefined) return { name: 'full', reason: this.#fullReason };
    if (limits.idExcludesInstructions && params['instructions'] !== undefined && params['instructions'] !== null)
      return { name: 'full', reason: 'provider' };
    const usable = (responseId: string, stored: boolean): boolean =>
      stored ? true : limits.continuesUnstored && holds(responseId);
    return memory.plan({ input: items, fields }, usable);
  }

  #sseRequest(): AttemptRequest {
    const explicit = this.#request.previousResponseId !== undefined;
    return new AttemptRequest(this.#request, explicit ? { name: 'explicit' } : { name: 'full', reason: 'sse' }, {
      ...this.#engine.limits,
      maxFrameBytes: Infinity,
    });
  }

  /** Why this turn cannot go over a WebSocket, whatever its state (E1). */
  #requiresSse(outgoing: AttemptRequest): TurnwireError | undefined {
    if (this.#request.sseOnly)
      return new TurnwireError('invalid_request', 'background responses are not known on a WebSocket');
    return outgoing.tooLarge;
  }

  /** Why a call that needs no stream is not made into one. */
  #streamRefused(): FallbackReason | undefined {
    const isRefused =
      this.#carryOptions.plain !== undefined && this.#engine.streamRefusals.has(this.#request.params['model']);
    return isRefused ? { key: streamRefusedKey, why: 'the server has refused to stream this model' } : undefined;
  }

  /** Why WebSocket is not tried just now; undefined if it is. */
  #suspension(outgoing: AttemptRequest): FallbackReason | undefined {
    const { breaker } = this.#engine;
    const shape = shapeOf(this.#request.params);
    const route = breaker.route(shape);
    if (typeof route === 'object') {
      this.#dialsSuspended = breaker.suspendsDialsOnly(shape);
      this.#withoutDial = this.#dialsSuspended && this.#engine.canServe(this.#placement(outgoing, false));
      return this.#withoutDial ? undefined : route;
    }
    this.#probing = route === 'probe';
    return undefined;
  }

  #placement({ parent }: AttemptRequest, fresh: boolean): Placement {
    const isOver = this.#decisions.some(({ move }) => move === 'fall_back' || move === 'wait_for_lane');
    const fallback = this.#choice !== 'auto' || this.#request.webSocketOnly || isOver ? 'nothing' : 'sse';
    return { parent, fresh, withoutLanes: this.#withoutLanes, mayDial: !this.#withoutDial, fallback };
  }

  #attemptOver(transport: 'websocket' | 'sse', outgoing: AttemptRequest, fresh = false): void {
    const { asText, headers, plain } = this.#carryOptions;
    // Who takes text and wants a stream puts the answer together itself.
    const response = new ResponseTracker(this.#engine.secrets, this.#steering, !asText || plain !== undefined);
    const attempt = new TurnAttempt(this.#engine, transport, outgoing, response, this, this.#listener);
    this.#attempt = attempt;
    // Pushed, the first would bring room for sixteen more, for as long as the turn runs.
    this.#report.attempts = this.#report.attempts.concat(attempt.entry);
    this.#report.transport = transport;
    describePlan(attempt.entry, outgoing.plan);
    describePlan(this.#report, outgoing.plan);
    attempt.start({ ...this.#placement(outgoing, fresh), asText, headers, plain });
  }

  sending({ entry, request: { plan } }: TurnAttempt): void {
    const { diagnostics } = this.#engine;
    describePlan(entry, plan);
    describePlan(this.#report, plan);
    this.#report.sentBytes += entry.sentBytes;
    const { transport, connection, sentBytes: bytes } = entry;
    if (entry.reused && connection !== undefined) diagnostics.publish('reuse', { turn: this.#number, connection });
    diagnostics.publish('plan', { turn: this.#number, plan: entry.plan, reason: entry.planReason });
    diagnostics.publish('send', { turn: this.#number, transport, connection, bytes });
  }

  firstEvent({ entry: { transport } }: TurnAttempt): void {
    const { clock, diagnostics, breaker } = this.#engine;
    const ms = clock.now() - this.#startedAt;
    this.#report.firstEventMs = ms;
    diagnostics.publish('first-event', { turn: this.#number, transport, ms });
    if (transport === 'websocket') return this.#webSocketWorks();
    // Answered here and closed without a word there: it was the request. Closed here, too, it would have been chance (C11).
    if (this.#shapeFailure !== undefined) breaker.failed(this.#shapeFailure, shapeOf(this.#request.params));
  }

  ended(): void {
    this.#settle();
    this.#listener.ended();
  }

  #webSocketWorks(): void {
    this.#probing = false;
    // What was open before says nothing of what is to be dialled.
    if (!this.#withoutDial) this.#engine.breaker.succeeded();
  }

  /** The one place where a failed attempt meets the table of recovery. */
  failed(attempt: TurnAttempt, error: TurnwireError): void {
    const { clock, recovery, random, credentialIsAsked, breaker } = this.#engine;
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
        streams: this.#carryOptions.plain === undefined,
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
    if (decision.cause === 'stream_refused') this.#engine.streamRefusals.add(this.#request.params['model']);
    if (breakerFailure?.kind === 'shape') this.#shapeFailure = breakerFailure;
    else if (breakerFailure !== undefined && !(this.#withoutDial && isDialLoad(decision.cause))) {
      this.#probing = false;
      breaker.failed(breakerFailure);
    }
    // A refusal is an answer: the WebSocket works.
    else if (entry.transport === 'websocket' && error.code === 'request_refused') this.#webSocketWorks();
    entry.recovery = decision.move;
    entry.delayMs = decision.delayMs;
    const { move, cause, delayMs } = decision;
    this.#engine.diagnostics.publish('recovery', { turn: this.#number, cause, move, delayMs });
    if (move === 'surface') return this.#surface(error);
    this.#decisions.push(decision);
    this.#firstError ??= error;
    if (delayMs === 0) return this.#recover(entry, error, decision);
    this.#delay = clock.after(delayMs, () => this.#recover(entry, error, decision));
  }

  /**
   * Not a plain call, of which nothing tells whether it runs; and not what went by the caller's fetch, whose business it is to try again. Both are
   * sent again after a refusal alone.
   */
  #mayReplay({ plain, entry: { transport } }: TurnAttempt): boolean {
    return !plain && !(transport === 'sse' && this.#engine.usesFetch);
  }

  #recover({ transport }: Entry, error: TurnwireError, { move, cause, withoutLanes }: Decision): void {
    if (this.#settled) return;
    const { memory, limits } = this.#engine;
    if (move === 'fall_back') {
      this.#reportFallback(cause === 'stream_refused' ? streamRefusedKey : failureKey(error), error.message);
      return this.#attemptOver('sse', this.#sseRequest());
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
    // What remains to be sent is too large for a frame: the delta was not.
    if (this.#choice !== 'auto') return this.#surface(tooLarge);
    this.#reportFallback(tooLarge.code, tooLarge.message);
    this.#attemptOver('sse', this.#sseRequest());
  }

  /** Whatever becomes of this turn: the next ones go in full. */
  #chainIgnored(): void {
    this.#engine.ignoredIds.add(this.#request.params['model']);
    this.#engine.onIgnoredId();
  }

  /** SSE was tried because no further WebSocket could be had, and an open one may serve this turn in the end. */
  #hasLanesLeft(outgoing: AttemptRequest): boolean {
    const isRefused =
      this.#dialsSuspended || this.#decisions.some(({ move, cause }) => move === 'fall_back' && isDialLoad(cause));
    if (!isRefused || this.#choice !== 'auto') return false;
    return this.#engine.canServe({ ...this.#placement(outgoing, false), mayDial: false, mayEvictChain: true });
  }

  #surface(error: TurnwireError): void {
    this.#settle();
    const surfaced = this.#attempt?.request.plan.name === 'explicit' ? (chainLost(error) ?? error) : error;
    const { previousResponseId } = this.#request;
    // The full history, should the caller have it, is not to be sent as a delta of the same response.
    if (surfaced.code === 'chain_lost' && previousResponseId !== undefined)
      this.#engine.memory.forget(previousResponseId);
    // However many attempts follow, the first failure is the one to look at (K2): it stands at the end of the causes.
    if (this.#firstError !== undefined) rootCause(surfaced).cause = this.#firstError;
    // A refusal of the last attempt says nothing of an earlier one that may have run.
    if (this.#decisions.some(({ doubtful }) => doubtful)) Object.assign(surfaced, { retryable: false });
    this.#listener.failed(surfaced);
  }

  #reportFallback(key: string, why: string): void {
    this.#report.fallback = why;
    this.#engine.diagnostics.publish('fallback', { turn: this.#number, reason: why });
    this.#engine.onFallback(key, why);
  }

  #settle(): void {
    this.#settled = true;
    this.#delay?.cancel();
    if (this.#probing) this.#engine.breaker.abandoned();
    this.#probing = false;
  }
}

function atMost(limit: 'unsent', replay: ReplayPolicy): ReplayPolicy {
  return replay === 'unanswered' ? limit : replay;
}
