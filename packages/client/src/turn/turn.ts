import { publish } from '../diagnostics.js';
import { TurnwireError, locate } from '../protocol/errors.js';
import { isHousekeeping } from '../protocol/frame.js';
import { maxOutputBytes } from '../protocol/limits.js';
import { clean, readServerError } from '../protocol/server-error.js';
import { isError, terminalOf } from '../protocol/terminal.js';
import { aborted, onAbort } from './abort.js';
import { Delivery } from './delivery.js';
import { Output, textOf } from './output.js';
import { recover } from './recovery.js';
import { Silence } from './silence.js';
import type { Clock } from '../clock.js';
import type { TransportChoice } from '../options.js';
import type { Phase } from '../protocol/errors.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Response } from '../protocol/response.js';
import type { Terminal } from '../protocol/terminal.js';
import type { Carriage, Receiver, Transport } from '../transport/transport.js';
import type { Attempt, TurnReport } from './report.js';
import type { TurnRequest } from './request.js';

/** What a turn needs of its client. */
export interface TurnContext {
  number: number;
  transports: Record<'websocket' | 'sse', Transport>;
  clock: Clock;
  firstEventMs: number;
  idleMs: number;
  unreadMs: number;
  onFallback: (reason: string) => void;
  onSettled: (turn: Turn) => void;
}

/** What is asked, which way it begins, and whether another is open to it. */
export interface Route {
  request: TurnRequest;
  transport: 'websocket' | 'sse';
  choice: TransportChoice;
  /** Why it is not the one that `auto` prefers. */
  reason: string | undefined;
}

/**
 * running ──terminal event──▶ ended
 *    └────any failure───────▶ failed
 */
type State =
  | { name: 'running' }
  | { name: 'ended'; terminal: Terminal | undefined }
  | { name: 'failed'; error: TurnwireError };

interface Waiter<Value> {
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
  readonly #context: TurnContext;
  readonly #signal: AbortSignal | undefined;
  readonly #begun: number;
  readonly #delivery: Delivery;
  readonly #output = new Output();
  readonly #silence: Silence;
  readonly #report: TurnReport & { attempts: Attempt[] };

  #state: State = { name: 'running' };
  #phase: Phase = 'queued';
  #carriage: Carriage | undefined;
  #paused = false;
  #onFailure: (error: TurnwireError) => void = () => {};
  #redialled = false;
  /** Why the attempt before this one failed. */
  #earlier: TurnwireError | undefined;
  /** The `error` event of a response that had begun. */
  #errorEvent: ResponseEvent | undefined;
  #terminal: Terminal | undefined;
  #awaitingResponse: Waiter<Response>[] = [];

  /** @internal Made by `client.turn()`. */
  constructor(context: TurnContext, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#signal = signal;
    this.#begun = context.clock.now();
    this.#silence = new Silence(context.clock);
    this.#delivery = new Delivery({ full: () => this.#pause(), roomy: () => this.#resume(), left: () => this.#left() });
    this.#report = {
      turn: context.number,
      transport: 'websocket',
      plan: 'full',
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

  /** @internal Called once, by `client.turn()`. */
  begin(route: Route): void {
    const { request, transport, reason } = route;
    this.#report.transport = transport;
    this.#report.plan = request.parent === undefined ? 'full' : 'delta';
    this.#report.fallback = reason;
    if (this.#signal?.aborted) return this.#fail(aborted(this.#signal.reason));
    if (this.#signal !== undefined) onAbort(this.#signal, this.#onAbort);
    if (reason !== undefined) this.#context.onFallback(reason);
    this.#attempt(route, transport, false);
  }

  /** See `TurnReport`; a copy, of this moment. */
  get report(): TurnReport {
    return { ...this.#report, phase: this.#phase, attempts: this.#report.attempts.map((attempt) => ({ ...attempt })) };
  }

  /**
   * The response as its terminal event had it, its output rebuilt from the items where that event leaves it out (P58).
   *
   * Resolves for `completed` and `incomplete`. Rejects with `response_failed` (`response.failed`, or an `error` event), `response_cancelled`,
   * or what the turn failed with. Asked for alone, it reads the events and drops them.
   */
  response(): Promise<Response> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#state.name === 'running') this.#awaitingResponse.push(waiter);
      else this.#answer(waiter);
      // Whoever iterates begins in this tick; otherwise the events are for nobody.
      queueMicrotask(() => this.#delivery.drop());
    });
  }

  /** All text of the answer, without reasoning and tool calls; '' where there is none. Rejects as `response()`. */
  async text(): Promise<string> {
    return textOf(await this.response());
  }

  /**
   * Ends the turn now: over a WebSocket by ending its connection, for this wire knows no cancelling (P32). What the provider had produced by
   * then may be billed. Does nothing to a turn that has ended.
   */
  cancel(): void {
    this.#fail(aborted(undefined));
  }

  /** @internal `client.destroy()` */
  end(error: TurnwireError): void {
    this.#fail(error);
  }

  /** @throws TurnwireError `turn_already_read` when it is read for the second time. */
  [Symbol.asyncIterator](): AsyncIterator<ResponseEvent, undefined> {
    return this.#delivery.iterate();
  }

  #attempt(route: Route, kind: 'websocket' | 'sse', fresh: boolean): void {
    const { clock, transports, number } = this.#context;
    const attempt: Attempt = {
      transport: kind,
      connection: undefined,
      reused: false,
      sentBytes: 0,
      phase: 'queued',
      error: undefined,
    };
    this.#report.attempts.push(attempt);
    this.#report.transport = kind;
    this.#phase = 'queued';
    this.#onFailure = (error) => {
      this.#carriage?.abort();
      this.#failed(route, attempt, error);
    };
    const at = (phase: Phase): void => {
      this.#phase = attempt.phase = phase;
    };
    // A carriage that was given up may still call: only the last attempt is heard.
    const mine = (): boolean => this.#state.name === 'running' && this.#report.attempts.at(-1) === attempt;
    const receiver: Receiver = {
      connected: (connection) => {
        attempt.connection = connection.number;
        attempt.reused = connection.reused;
      },
      sending: (bytes) => {
        if (!mine()) return;
        at('sending');
        attempt.sentBytes = bytes;
        this.#report.sentBytes += bytes;
        publish('send', { turn: number, transport: kind, connection: attempt.connection, bytes });
        this.#silence.watch(this.#context.firstEventMs, () =>
          this.#onFailure(
            new TurnwireError(
              'first_event_timeout',
              `no event came within ${this.#context.firstEventMs} ms of the request (timeouts.firstEventMs)`,
            ),
          ),
        );
      },
      sent: () => {
        // The answer may be faster than the news that the request has gone.
        if (mine() && this.#phase === 'sending') at('sent');
      },
      event: (frame) => {
        if (!mine()) return;
        const { event, size: bytes } = frame;
        if (this.#phase === 'sending' || this.#phase === 'sent') {
          this.#report.firstEventMs = clock.now() - this.#begun;
          publish('first-event', { turn: number, transport: kind, ms: this.#report.firstEventMs });
          at('created');
          this.#watchIdle();
        } else {
          this.#silence.alive();
        }
        if (this.#phase !== 'tool') at(advance(this.#phase, event));
        this.#observe(event, bytes);
        this.#delivery.hand(event, bytes);
        if (this.#output.bytes > maxOutputBytes) {
          this.#onFailure(
            new TurnwireError('event_too_large', `the output items have more than ${maxOutputBytes} bytes together`),
          );
        }
      },
      alive: () => {
        if (mine()) this.#silence.alive();
      },
      end: () => {
        if (!mine()) return;
        at('terminal');
        this.#settle({ name: 'ended', terminal: this.#terminal });
      },
      fail: (error) => {
        if (mine()) this.#failed(route, attempt, error);
      },
    };
    this.#carriage = transports[kind].carry(route.request, receiver, {
      fresh,
      asText: false,
      withoutLanes: false,
    });
    if (this.#paused) this.#carriage.pause();
  }

  /** What the turn itself must know of an event; nothing is changed in it. */
  #observe(event: ResponseEvent, bytes: number): void {
    this.#output.read(event, bytes);
    if (isError(event)) {
      this.#errorEvent ??= event;
      return;
    }
    const terminal = terminalOf(event);
    // After an `error` only the failure that belongs to it still counts: the first end is the end (F9).
    if (terminal !== undefined && (this.#errorEvent === undefined || terminal.outcome === 'failed')) {
      this.#terminal = terminal;
      this.#report.outcome = terminal.outcome;
      this.#report.usage = terminal.response.usage ?? undefined;
    }
    if (event.type === 'response.created' || terminal !== undefined) {
      const id: unknown = (event as { response?: { id?: unknown } }).response?.id;
      if (typeof id === 'string') this.#report.responseId = id;
    }
  }

  #pause(): void {
    if (this.#state.name !== 'running') return;
    this.#paused = true;
    this.#carriage?.pause();
    const { unreadMs } = this.#context;
    this.#silence.watch(unreadMs, () =>
      this.#onFailure(
        new TurnwireError('unread_timeout', `the turn's events were not read for ${unreadMs} ms (timeouts.unreadMs)`),
      ),
    );
  }

  #resume(): void {
    if (this.#state.name !== 'running') return;
    this.#paused = false;
    this.#watchIdle();
    this.#carriage?.resume();
  }

  #watchIdle(): void {
    const { idleMs } = this.#context;
    this.#silence.watch(idleMs, () =>
      this.#onFailure(
        new TurnwireError(
          'idle_timeout',
          `nothing came for ${idleMs} ms in the middle of the answer (timeouts.idleMs)`,
        ),
      ),
    );
  }

  /** The consumer stops reading. At the end of the answer that is the end of the turn; before it, an abort. */
  #left(): void {
    if (this.#errorEvent !== undefined && this.#delivery.empty) {
      if (this.#state.name === 'running') this.#carriage?.abort();
      return this.#settle({ name: 'ended', terminal: this.#terminal });
    }
    this.#delivery.clear();
    this.#fail(new TurnwireError('aborted', 'the turn was left before its terminal event'));
  }

  /** The one place where a failed attempt meets the table of recovery. */
  #failed(route: Route, attempt: Attempt, error: TurnwireError): void {
    this.#silence.stop();
    attempt.error = error.code;
    const { choice, request } = route;
    const move = recover(
      { error, transport: attempt.transport, phase: this.#phase, reused: attempt.reused },
      { choice, redialled: this.#redialled, repeatable: request.repeatable, sseAble: !request.webSocketOnly },
    );
    if (move === 'surface') return this.#fail(error);
    this.#earlier = error;
    if (move === 'redial') {
      this.#redialled = true;
      return this.#attempt(route, attempt.transport, true);
    }
    const reason = error.message;
    this.#report.fallback = reason;
    publish('fallback', { turn: this.#context.number, reason });
    this.#context.onFallback(reason);
    this.#attempt(route, 'sse', false);
  }

  readonly #onAbort = (): void => this.#fail(aborted(this.#signal?.reason));

  #fail(error: TurnwireError): void {
    if (this.#state.name !== 'running') return;
    this.#carriage?.abort();
    // What came before a loss is still the caller's; who aborts wants no more.
    if (error.code === 'aborted') this.#delivery.clear();
    const attempt = this.#report.attempts.at(-1);
    if (attempt !== undefined) attempt.error ??= error.code;
    // Where a fallback fails too, the first failure is the one to look at (K2): it stands at the end of the causes.
    if (this.#earlier !== undefined && error.code !== 'aborted') lastCause(error).cause = this.#earlier;
    if (this.#phase !== 'queued' && error.code !== 'request_refused') this.#report.outcome = 'lost';
    this.#settle({ name: 'failed', error: locate(error, this.#phase, this.#report.responseId) });
  }

  #settle(state: Exclude<State, { name: 'running' }>): void {
    if (this.#state.name !== 'running') return;
    this.#state = state;
    this.#silence.stop();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#report.totalMs = this.#context.clock.now() - this.#begun;
    if (state.name === 'ended' && state.terminal === undefined) this.#report.outcome = 'failed';
    this.#delivery.finish(state.name === 'failed' ? state.error : undefined);
    for (const waiter of this.#awaitingResponse.splice(0)) this.#answer(waiter);
    this.#context.onSettled(this);
  }

  #answer({ resolve, reject }: Waiter<Response>): void {
    const state = this.#state;
    if (state.name === 'running') return;
    if (state.name === 'failed') return reject(state.error);
    const { terminal } = state;
    if (terminal !== undefined && (terminal.outcome === 'completed' || terminal.outcome === 'incomplete'))
      return resolve(this.#output.complete(terminal.response));
    reject(this.#failure(terminal));
  }

  /** For a response that the server began and did not finish. */
  #failure(terminal: Terminal | undefined): TurnwireError {
    const raw = terminal === undefined ? this.#errorEvent : { response: terminal.response };
    if (terminal?.outcome === 'cancelled') {
      return new TurnwireError('response_cancelled', 'the response was cancelled', {
        phase: 'terminal',
        responseId: this.#report.responseId,
      });
    }
    const server = readServerError(raw);
    const message = `the response failed${server.code === undefined ? '' : ` (${server.code})`}: ${clean(server.message)}`;
    return new TurnwireError('response_failed', message, {
      phase: 'terminal',
      responseId: this.#report.responseId,
      status: server.status,
      server,
    });
  }
}

function lastCause(error: Error): Error {
  let last = error;
  while (last.cause instanceof Error) last = last.cause;
  return last;
}

/** How far the turn is after this event: text is visible, and a finished call may already run. */
function advance(phase: Phase, event: ResponseEvent): Phase {
  if (isHousekeeping(event)) return phase;
  const { type } = event;
  if (type === 'response.created' || type === 'response.queued' || type === 'response.in_progress') return phase;
  if (type === 'response.output_item.done' && typeof event.item?.type === 'string' && event.item.type.endsWith('_call'))
    return 'tool';
  return 'visible';
}
