import { closingUnreadMs } from '../base/bounds.js';
import { startDeadline } from '../base/clock.js';
import { itemsOf } from '../protocol/request.js';
import { TurnwireError, addTurnContext } from '../protocol/errors/errors.js';
import { onAbort } from '../base/abort.js';
import { abortedError } from './aborted-error.js';
import { AttemptRunner } from './attempt/attempt-runner.js';
import { EventBuffer } from './buffer/event-buffer.js';
import { textOf } from '../response/output-items.js';
import { Steering, turnEndedError } from '../response/steering.js';
import { ResponseTracker } from '../response/tracker.js';
import type { HeldContext } from '../continuation/context-digests.js';
import type { Json } from '../json/json.js';
import type { Timer } from '../base/clock.js';
import type { TransportChoice } from '../options.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Frame } from '../protocol/frame.js';
import type { InputItem } from '../protocol/items.js';
import type { Response } from '../protocol/response.js';
import type { BufferSignal, EventReader } from './buffer/event-buffer.js';
import type { TurnListener } from './attempt/turn-attempt.js';
import type { ClientContext } from './client-context.js';
import type { Attempt, TurnReport } from './report.js';
import type { TurnRequest } from './request.js';
import type { FrameOptions } from './attempt/frame-options.js';
import type { SteerAnswer, SteerInput } from '../response/steering.js';

/** @internal What the client gives a turn. */
export interface TurnContext {
  number: number;
  signal: AbortSignal | undefined;
  onSettled: (turn: Turn) => void;
  /** Called when the consumer has read the end of a completed answer: `items` is what the server now holds. */
  onCommitted: ((items: readonly Json[]) => void) | undefined;
}

/**
 * running ──terminal event──▶ ended
 *    └────any failure───────▶ failed
 */
type State = { name: 'running' } | { name: 'ended' } | { name: 'failed'; error: TurnwireError };

interface ResponseWaiter<Value> {
  resolve: (value: Value) => void;
  reject: (error: TurnwireError) => void;
}

/**
 * One `response.create` until its terminal event. It starts at once, like `fetch`.
 *
 * Read it once, as an async iterable of events, or only its end with `response()` or `text()`, or both. Until somebody reads, at most
 * about 1 MiB of events is kept and the connection pauses; nothing is lost by that. A turn that fails while nobody asks is no
 * unhandled rejection.
 *
 * The iteration throws where no answer came, or no end of it: a refusal before `response.created`, a lost connection, an abort.
 * What the model's side says of a response that had begun (`response.failed`, `response.incomplete`, `error`) is an event, and the last one.
 */
export class Turn implements AsyncIterable<ResponseEvent> {
  readonly #client: ClientContext;
  readonly #context: TurnContext;
  readonly #startedAt: number;
  readonly #buffer: EventBuffer;
  /** The response of a turn that has had no attempt. */
  #emptyResponse: ResponseTracker | undefined;
  /** The number of ended responses whose usage was counted. */
  #notedResponses = 0;
  readonly #report: TurnReport & { attempts: Attempt[] };

  #state: State = { name: 'running' };
  readonly #steering = new Steering();
  #runner: AttemptRunner | undefined;
  #request: TurnRequest | undefined;
  #waiters: ResponseWaiter<Response>[] = [];
  #held: HeldContext | undefined;
  #closing = false;
  #releaseSignal: (() => void) | undefined;
  /** Runs while the client closes and waits for the consumer. */
  #closingTimer: Timer | undefined;

  /** @internal Made by `client.turn()`. */
  constructor(client: ClientContext, context: TurnContext) {
    this.#client = client;
    this.#context = context;
    this.#startedAt = client.clock.now();
    this.#buffer = new EventBuffer((news) => this.#onBufferSignal(news));
    this.#report = {
      turn: context.number,
      transport: 'websocket',
      plan: 'full',
      planReason: undefined,
      fallback: undefined,
      phase: 'queued',
      outcome: undefined,
      responseId: undefined,
      attempts: [],
      sentBytes: 0,
      firstEventMs: undefined,
      totalMs: undefined,
      usage: undefined,
    };
  }

  /**
   * @internal Called once, by `client.turn()`.
   * @throws TurnwireError `invalid_request`, `request_too_large`
   */
  begin(request: TurnRequest, choice: TransportChoice, options: FrameOptions = {}): void {
    const { asText = false, headers, plain, continues } = options;
    const { signal, number } = this.#context;
    if (signal?.aborted) return this.#fail(abortedError(signal.reason));
    if (signal !== undefined) this.#releaseSignal = onAbort(signal, (reason) => this.#fail(abortedError(reason)));
    this.#request = request;
    const given = { number, request, choice, asText, headers, plain, continues, steering: this.#steering };
    const listener: TurnListener = {
      unread: this.#buffer,
      event: (frame) => this.#onEvent(frame),
      ended: () => this.#settle({ name: 'ended' }),
      failed: (error) => this.#fail(error),
    };
    this.#runner = new AttemptRunner(this.#client, given, this.#report, listener);
    this.#runner.start();
  }

  /** See `TurnReport`; a copy, of this moment. */
  get report(): TurnReport {
    return {
      ...this.#report,
      phase: this.#tracker.phase,
      responseId: this.#tracker.responseId,
      attempts: this.#report.attempts.map((attempt) => ({ ...attempt, phase: attempt.phase })),
    };
  }

  /** The responses that have ended so far, in their order: more than one only where the turn was steered. */
  get responses(): readonly Response[] {
    return [...this.#tracker.responses];
  }

  /**
   * What the turn adds to the conversation, in order, once it has ended: the output of its response; where it was steered, that of each response and
   * after it the input that was taken, up to what the server puts before your results (`pending`). Who keeps the history appends this to the input.
   */
  get added(): InputItem[] {
    const { storedOutput, responses } = this.#tracker;
    const output = storedOutput?.output ?? responses.at(-1)?.output ?? [];
    return structuredClone([...this.#tracker.added, ...output, ...this.#unconsumedInput]) as InputItem[];
  }

  /**
   * The response as its terminal event had it, its output rebuilt from the items where that event leaves it out (P58); the last one, where the turn
   * was steered.
   *
   * Resolves for `completed` and `incomplete`. Rejects with `response_failed` (`response.failed`, or an `error` event), `response_cancelled`,
   * or what the turn failed with. Asked for alone, it reads the events and drops them.
   */
  response(): Promise<Response> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#state.name === 'running') this.#waiters.push(waiter);
      else this.#settleWaiter(waiter);
      // Whoever iterates begins in this tick; otherwise the events are for nobody.
      queueMicrotask(() => this.#buffer.discard());
    });
  }

  /** All text of the answer, without reasoning and tool calls; '' where there is none. Rejects as `response()`. */
  async text(): Promise<string> {
    return textOf(await this.response());
  }

  /**
   * Gives the running response more input, without waiting for its end (P47): it ends at its next item, and a successor goes on with the input,
   * in this same turn. May be called before the response has begun; it is sent then. Only models that can be steered accept it, and
   * only over a WebSocket.
   *
   * @returns the server's first answer to this submission; what becomes of it later is told by the turn's events.
   * @throws TurnwireError `invalid_request` over SSE and after the end; or what the turn failed with: whether the input was taken is not
   *   known then.
   */
  steer(input: SteerInput): Promise<SteerAnswer> {
    if (this.#state.name !== 'running') return Promise.reject(turnEndedError());
    return this.#steering.submit(input, (frame, done) => this.#runner?.send(frame, done) === true);
  }

  /** @internal For a relay: a client event other than `response.steer`, as it is. False where it cannot be sent. */
  say(frame: string): boolean {
    return this.#state.name === 'running' && this.#runner?.send(frame, () => {}) === true;
  }

  /** @internal The name under which the last attempt is known to the server; undefined for the default lane. */
  get lane(): string | undefined {
    return this.#report.attempts.at(-1)?.lane;
  }

  /**
   * @internal All items of the context at the end of the last response: the input, then what was added. undefined before the end, and where the
   * response cannot be continued.
   */
  context(): readonly Json[] | undefined {
    const { terminal, storedOutput } = this.#tracker;
    const outcome = terminal?.outcome;
    if (storedOutput === undefined || (outcome !== 'completed' && outcome !== 'incomplete')) return undefined;
    return [...this.#items, ...storedOutput.output, ...this.#unconsumedInput];
  }

  /** @internal The server's word on whether it stores the last response, else the request's. */
  get stored(): boolean {
    return this.#tracker.stored ?? this.#request?.store ?? true;
  }

  /** @internal The response that a delta of ours continued, and the index in the input from which it was sent. */
  get continued(): { responseId: string; from: number } | undefined {
    const plan = this.#runner?.plan;
    return plan?.name === 'delta' ? plan : undefined;
  }

  /**
   * @internal What the server is known to hold, since a full history was answered and the answer read to its end. A method, because a getter would show the
   * prompt to whoever inspects a turn (N1).
   */
  heldContext(): HeldContext | undefined {
    return this.#held;
  }

  /**
   * Ends the turn now: over a WebSocket by ending its connection, for this wire knows no cancelling (P32). What the provider had produced by
   * then may be billed. Does nothing to a turn that has ended.
   */
  cancel(): void {
    this.#fail(abortedError(undefined));
  }

  /** @internal `client.close()`: it waits for the end of the turn, but not as long as ever for somebody who reads. */
  closing(): void {
    this.#closing = true;
    if (this.#state.name === 'running' && this.#buffer.full) this.#awaitReader();
  }

  /** @internal `client.destroy()` */
  end(error: TurnwireError): void {
    this.#fail(error);
  }

  /** @throws TurnwireError `turn_already_read` when it is read for the second time. */
  [Symbol.asyncIterator](): AsyncIterator<ResponseEvent, undefined> {
    return this.#buffer.read((frame) => frame.event);
  }

  /** @internal The same as text, for `createFetch`. */
  frames(): EventReader<Frame> {
    return this.#buffer.read((frame) => frame);
  }

  #onBufferSignal(news: BufferSignal): void {
    switch (news) {
      case 'full':
        this.#runner?.pause();
        if (this.#closing) this.#awaitReader();
        return;
      case 'roomy':
        this.#closingTimer?.cancel();
        return this.#runner?.resume();
      case 'left':
        return this.#consumerLeft();
      case 'drained':
        return this.#commit();
    }
  }

  #awaitReader(): void {
    const ms = Math.min(this.#client.timeouts.unreadMs, closingUnreadMs);
    const { taken } = this.#buffer;
    this.#closingTimer = startDeadline(this.#client.clock, ms, () => {
      if (this.#buffer.taken > taken) return this.#awaitReader();
      const message = `the client was closing, and the turn's events were not read for ${ms} ms`;
      this.#fail(new TurnwireError('unread_timeout', message));
    });
  }

  #onEvent(frame: Frame): void {
    if (!frame.opaque && this.#tracker.responses.length > this.#notedResponses) this.#noteResponse();
    this.#buffer.push(frame);
  }

  /** What the events of the last attempt add up to. */
  get #tracker(): ResponseTracker {
    return (
      this.#runner?.response ?? (this.#emptyResponse ??= new ResponseTracker(this.#client.secrets, this.#steering))
    );
  }

  /** The items of the chain so far: the input, and what earlier responses and steering have added. */
  get #items(): readonly Json[] {
    const items = this.#request?.items ?? [];
    const { added } = this.#tracker;
    return added.length === 0 ? items : [...items, ...added];
  }

  /** The items of accepted steering that no response holds yet: the turn that continues this one begins with them. */
  get #unconsumedInput(): readonly Json[] {
    return this.#steering.unconsumed.flatMap((input) => itemsOf(input) ?? []);
  }

  /** Counts the usage of a response that has ended. */
  #noteResponse(): void {
    const { terminal, responses } = this.#tracker;
    this.#notedResponses = responses.length;
    this.#report.outcome = terminal?.outcome;
    this.#report.usage = terminal?.response.usage ?? undefined;
    // A response is billed whether it is read or not (M3).
    if (this.#report.usage !== undefined) this.#client.onUsage(this.#report.usage);
  }

  /** The consumer has read the end: from now on the server is known to hold the chain (D9). */
  #commit(): void {
    const { terminal, responseId, stored, continuable } = this.#tracker;
    const request = this.#request;
    if (this.#state.name !== 'ended' || terminal?.outcome !== 'completed' || request === undefined) return;
    const { storedOutput } = this.#tracker;
    if (storedOutput === undefined) return;
    const waiting = this.#unconsumedInput;
    this.#context.onCommitted?.([...this.#items, ...storedOutput.output, ...waiting]);
    if (!request.continuable) return;
    const inFull = request.items !== undefined && request.previousResponseId === undefined && !request.inConversation;
    const plan = this.#runner?.plan;
    // Steering that no response holds yet is lost with the connection, although the response may be stored.
    const isStored = (stored ?? request.store) && waiting.length === 0;
    // A response that was made over SSE and is not stored cannot be continued.
    if (!isStored && this.#report.transport === 'sse') return;
    if (!inFull || !continuable || !storedOutput.certain || responseId === undefined || plan === undefined) return;
    const held = {
      input: this.#items,
      fields: request.fields,
      responseId,
      stored: isStored,
      alternates: storedOutput.alternates,
      output: [...storedOutput.output, ...waiting],
    };
    this.#held = held;
    this.#client.memory.commit({ ...held, plan });
  }

  /** Forgets the response that this turn continued, unless the turn completed and was read to its end: the next turn is sent in full (D8, D9). */
  #forget(): void {
    const plan = this.#runner?.plan;
    if (plan?.name === 'delta' && this.#report.sentBytes > 0) this.#client.memory.forget(plan.responseId);
  }

  /** The consumer stops reading. After the terminal event this is the end of the turn; before it, an abort. */
  #consumerLeft(): void {
    const { errorEvent, terminal } = this.#tracker;
    const atEnd = this.#buffer.empty && (errorEvent !== undefined || terminal !== undefined);
    if (atEnd && this.#state.name === 'running') {
      // Nothing reads the events that might follow: the failure that belongs to an error, or a successor.
      this.#runner?.abort(abortedError(undefined));
      return this.#settle({ name: 'ended' });
    }
    this.#buffer.clear();
    this.#forget();
    this.#fail(new TurnwireError('aborted', 'the loop over the turn was left before its terminal event'));
  }

  #fail(error: TurnwireError): void {
    if (this.#state.name !== 'running') return;
    const { phase } = this.#tracker;
    this.#runner?.abort(error);
    // Events that came before a loss are still read; after an abort none is.
    if (error.code === 'aborted') this.#buffer.clear();
    if (phase !== 'queued' && error.code !== 'request_refused' && error.code !== 'chain_lost')
      this.#report.outcome = 'lost';
    this.#settle({ name: 'failed', error: addTurnContext(error, phase, this.#tracker.responseId) });
  }

  #settle(state: Exclude<State, { name: 'running' }>): void {
    if (this.#state.name !== 'running') return;
    this.#state = state;
    this.#closingTimer?.cancel();
    this.#releaseSignal?.();
    this.#report.totalMs = this.#client.clock.now() - this.#startedAt;
    if (state.name === 'ended' && this.#tracker.terminal === undefined) this.#report.outcome = 'failed';
    const error = state.name === 'failed' ? state.error : undefined;
    if (error !== undefined || this.#tracker.terminal?.outcome !== 'completed') this.#forget();
    this.#steering.end(error);
    this.#buffer.end(error);
    for (const waiter of this.#waiters.splice(0)) this.#settleWaiter(waiter);
    this.#context.onSettled(this);
  }

  #settleWaiter({ resolve, reject }: ResponseWaiter<Response>): void {
    const state = this.#state;
    if (state.name === 'failed') return reject(state.error);
    try {
      resolve(this.#tracker.result);
    } catch (error) {
      reject(error as TurnwireError);
    }
  }
}
