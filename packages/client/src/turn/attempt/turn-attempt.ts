import { laneUnreadBytes, maxEventSilenceMs, maxHeldFrames } from '../../base/bounds.js';
import { TurnwireError } from '../../protocol/errors/errors.js';
import { IdleTimer } from './idle-timer.js';
import type { Phase } from '../../protocol/phase.js';
import type { Frame } from '../../protocol/frame.js';
import type { ResponseTracker } from '../../response/tracker.js';
import type { TransportCall, CallOptions, TransportListener } from '../../transport/transport.js';
import type { ClientContext } from '../client-context.js';
import type { AttemptRequest } from './attempt-request.js';
import type { Attempt as Entry } from '../report.js';

/** The turn: it gets the events of its attempts, in order. */
export interface TurnListener {
  /** Events that lie unread: their bytes, and whether they are so many that the consumer is behind. */
  readonly unread: { readonly full: boolean; readonly bytes: number };
  event(frame: Frame): void;
  ended(): void;
  failed(error: TurnwireError): void;
}

/** The attempt in the turn's report. A class: a copy of an object literal with a getter costs as much as ten events. */
class ReportEntry implements Entry {
  readonly transport: Entry['transport'];
  connection: number | undefined;
  lane: string | undefined;
  reused = false;
  plan: Entry['plan'] = 'full';
  planReason: string | undefined;
  sentBytes = 0;
  error: Entry['error'];
  kind: Entry['kind'];
  recovery: string | undefined;
  delayMs = 0;
  readonly #response: ResponseTracker;

  constructor(transport: Entry['transport'], response: ResponseTracker) {
    this.transport = transport;
    this.#response = response;
  }

  get phase(): Phase {
    return this.#response.phase;
  }
}

/** What runs the attempts of a turn: it decides what follows a failed one. */
export interface AttemptObserver {
  /** The request goes out now; the entry says how. */
  sending(attempt: TurnAttempt): void;
  /** The first event is here. */
  firstEvent(attempt: TurnAttempt): void;
  ended(): void;
  failed(attempt: TurnAttempt, error: TurnwireError): void;
}

/**
 * One attempt to carry a turn over one transport, with its time-outs. Events of the transport after the end of the attempt are ignored: a turn has one live
 * attempt at a time.
 */
export class TurnAttempt implements TransportListener {
  readonly entry: Entry;
  readonly request: AttemptRequest;
  readonly response: ResponseTracker;
  readonly #client: ClientContext;
  readonly #observer: AttemptObserver;
  readonly #turn: TurnListener;
  readonly #idleTimer: IdleTimer;
  #call: TransportCall | undefined;
  #settled = false;
  /** Frames that are held back until the response has begun. */
  #heldFrames: Frame[] | undefined;
  /** One body is asked for, and no stream. Until it has come, nothing shows whether the turn runs. */
  #plain = false;
  /** Other turns use the socket, so that it is not paused for this one. */
  #unpausable = false;

  /** @param response reads the events of this attempt. */
  constructor(
    client: ClientContext,
    transport: 'websocket' | 'sse',
    request: AttemptRequest,
    response: ResponseTracker,
    observer: AttemptObserver,
    turn: TurnListener,
  ) {
    this.#client = client;
    this.#observer = observer;
    this.#turn = turn;
    this.#idleTimer = new IdleTimer(client.clock);
    this.request = request;
    this.response = response;
    this.entry = new ReportEntry(transport, response);
  }

  start(options: CallOptions): void {
    this.#plain = options.plain !== undefined && this.entry.transport === 'sse';
    this.#call = this.#client.transports[this.entry.transport].carry(this.request, this, options);
  }

  get phase(): Phase {
    return this.response.phase;
  }

  get paused(): boolean {
    return this.#turn.unread.full;
  }

  /** One body is asked for, and no stream. */
  get plain(): boolean {
    return this.#plain;
  }

  /** The consumer does not keep up. */
  pause(): void {
    if (this.#settled) return;
    const { unreadMs } = this.#client.timeouts;
    this.#unpausable = this.#call?.pause() === false;
    this.#idleTimer.watch(unreadMs, unreadMs, () =>
      this.fail(
        new TurnwireError('unread_timeout', `the turn's events were not read for ${unreadMs} ms (timeouts.unreadMs)`),
      ),
    );
  }

  resume(): void {
    if (this.#settled) return;
    this.#unpausable = false;
    this.#watchIdle();
    this.#call?.resume();
  }

  send(frame: string, done: (error: Error | undefined) => void): boolean {
    return !this.#settled && this.#call?.send(frame, done) === true;
  }

  /** Ends the attempt now, and calls nobody. */
  abort(): void {
    if (this.#settled) return;
    this.#settle();
    this.#call?.abort();
  }

  connected({ number, reused, streamId }: Parameters<TransportListener['connected']>[0]): void {
    if (this.#settled) return;
    this.entry.connection = number;
    this.entry.lane = streamId;
    this.entry.reused = reused;
  }

  sending(bytes: number): void {
    if (this.#settled) return;
    const { entry } = this;
    this.response.requestSending();
    entry.sentBytes = bytes;
    this.#observer.sending(this);
    // Nothing comes before the whole body is made.
    if (this.#plain) return this.#watchIdle();
    const { firstEventMs } = this.#client.timeouts;
    // A pong does not extend this time-out: it says that the server lives, and nothing of the turn (B2).
    this.#idleTimer.watch(firstEventMs, firstEventMs, () =>
      this.fail(
        new TurnwireError(
          'first_event_timeout',
          `no event came within ${firstEventMs} ms of the request (timeouts.firstEventMs)`,
        ),
      ),
    );
  }

  sent(): void {
    if (!this.#settled) this.response.requestSent();
  }

  event(frame: Frame, at: number): void {
    if (this.#settled) return;
    if (!this.response.begun && this.request.expectedParent !== undefined && this.#holdBack(frame, at)) return;
    if (this.#heldFrames !== undefined) {
      const heldFrames = this.#heldFrames;
      this.#heldFrames = undefined;
      for (const earlier of heldFrames) this.#deliver(earlier, at);
    }
    this.#deliver(frame, at);
  }

  /**
   * Holds housekeeping frames back until the response has named its parent: as long as no event was handed over, the turn can be sent again. The number of
   * frames is bounded.
   */
  #holdBack(frame: Frame, at: number): boolean {
    if (frame.traits.housekeeping !== true) return false;
    if (this.#heldFrames === undefined) {
      this.#heldFrames = [];
      this.#watchIdle();
    }
    if (this.#heldFrames.length >= maxHeldFrames) return false;
    this.#idleTimer.eventReceived(at);
    this.#heldFrames.push(frame);
    return true;
  }

  #deliver(frame: Frame, at: number): void {
    if (this.#settled) return;
    if (this.response.eventDelivered(frame)) {
      this.#watchIdle();
      this.#observer.firstEvent(this);
    } else {
      this.#idleTimer.eventReceived(at);
    }
    this.#turn.event(frame);
    if (this.#unpausable && this.#turn.unread.bytes > laneUnreadBytes) {
      this.fail(
        new TurnwireError(
          'unread_overflow',
          `more than ${laneUnreadBytes} bytes of events lie unread, and the connection cannot be paused: other turns use it`,
        ),
      );
    }
  }

  alive(): void {
    if (this.#settled || this.paused) return;
    const { phase } = this.response;
    if (this.#plain || (phase !== 'sending' && phase !== 'sent')) this.#idleTimer.peerAlive();
  }

  end(): void {
    if (this.#settled) return;
    this.#settle();
    this.response.turnEnded();
    this.#observer.ended();
  }

  fail(error: TurnwireError): void {
    if (this.#settled) return;
    this.#settle();
    this.#call?.abort();
    this.entry.error = error.code;
    this.entry.kind = error.kind;
    this.#observer.failed(this, error);
  }

  #settle(): void {
    this.#settled = true;
    this.#idleTimer.cancel();
  }

  #watchIdle(): void {
    const { idleMs } = this.#client.timeouts;
    this.#idleTimer.watch(idleMs, Math.max(idleMs, maxEventSilenceMs), () =>
      this.fail(
        new TurnwireError(
          'idle_timeout',
          `nothing came for ${idleMs} ms ${this.#plain ? 'after the request' : 'in the middle of the answer'} (timeouts.idleMs)`,
        ),
      ),
    );
  }
}
