import { TurnwireError } from '../../protocol/errors/errors.js';
import { laneUnreadBytes, maxEventSilenceMs } from '../../protocol/limits.js';
import { phaseAfter } from '../../response/phase.js';
import { IdleTimer } from './idle-timer.js';
import type { Phase } from '../../protocol/errors/errors.js';
import type { Frame } from '../../protocol/frame.js';
import type { ResponseTracker } from '../../response/tracker.js';
import type { Carriage, CarryOptions, TransportListener } from '../../transport/transport.js';
import type { Engine } from '../engine.js';
import type { AttemptRequest } from './attempt-request.js';
import type { Attempt as Entry } from '../report.js';

/** Frames that wait for the beginning of a response; each is a few hundred bytes. */
const maxHeldFrames = 256;

export interface AttemptObserver {
  /** The request goes out now; the entry says how. */
  sending(attempt: TurnAttempt): void;
  /** The first event is here. */
  firstEvent(attempt: TurnAttempt): void;
  event(frame: Frame): void;
  ended(): void;
  failed(attempt: TurnAttempt, error: TurnwireError): void;
}

/**
 * One try to carry a turn over one transport: how far it got, and how long nothing may come. Whatever a carriage says after its end is not
 * heard: only one attempt of a turn is alive at a time.
 */
export class TurnAttempt implements TransportListener {
  readonly entry: Entry;
  readonly request: AttemptRequest;
  readonly response: ResponseTracker;
  readonly #engine: Engine;
  readonly #observer: AttemptObserver;
  readonly #idleTimer: IdleTimer;
  #carriage: Carriage | undefined;
  #settled = false;
  /** Frames that came before the response has begun. */
  #heldFrames: Frame[] | undefined;
  /** One body is asked for, and no stream. */
  #plain = false;
  #paused = false;
  /** How much lies unread; asked where the carriage could not be paused. */
  #unread: (() => number) | undefined;

  /** @param response to read the answer with. */
  constructor(
    engine: Engine,
    transport: 'websocket' | 'sse',
    outgoing: AttemptRequest,
    response: ResponseTracker,
    listener: AttemptObserver,
  ) {
    this.#engine = engine;
    this.#observer = listener;
    this.#idleTimer = new IdleTimer(engine.clock);
    this.request = outgoing;
    this.response = response;
    this.entry = {
      transport,
      connection: undefined,
      lane: undefined,
      reused: false,
      plan: 'full',
      planReason: undefined,
      sentBytes: 0,
      phase: 'queued',
      error: undefined,
      kind: undefined,
      recovery: undefined,
      delayMs: 0,
    };
  }

  start(options: CarryOptions): void {
    this.#plain = options.plain !== undefined && this.entry.transport === 'sse';
    this.#carriage = this.#engine.transports[this.entry.transport].carry(this.request, this, options);
    if (this.#paused) this.#carriage.pause();
  }

  get phase(): Phase {
    return this.entry.phase;
  }

  /** Its answer is all that comes, so that nothing tells a turn that runs from one that was lost. */
  get plain(): boolean {
    return this.#plain;
  }

  /** The consumer does not keep up: `unread` bytes lie here. */
  pause(unread: () => number): void {
    if (this.#settled) return;
    this.#paused = true;
    const { unreadMs } = this.#engine.timeouts;
    if (this.#carriage?.pause() === false) this.#unread = unread;
    this.#idleTimer.watch(unreadMs, unreadMs, () =>
      this.fail(
        new TurnwireError('unread_timeout', `the turn's events were not read for ${unreadMs} ms (timeouts.unreadMs)`),
      ),
    );
  }

  resume(): void {
    if (this.#settled) return;
    this.#paused = false;
    this.#unread = undefined;
    this.#watchIdle();
    this.#carriage?.resume();
  }

  send(frame: string, done: (error: Error | undefined) => void, steers: boolean): boolean {
    return !this.#settled && this.#carriage?.send(frame, done, steers) === true;
  }

  /** Ends it now and silently. */
  abort(): void {
    if (this.#settled) return;
    this.#settle();
    this.#carriage?.abort();
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
    entry.phase = 'sending';
    entry.sentBytes = bytes;
    this.#observer.sending(this);
    // Such a server says nothing before it has finished.
    if (this.#plain) return this.#watchIdle();
    const { firstEventMs } = this.#engine.timeouts;
    // A pong says that the other side lives, and nothing of the turn: this limit is for the turn (B2).
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
    // The answer may be faster than the news that the request has gone.
    if (!this.#settled && this.entry.phase === 'sending') this.entry.phase = 'sent';
  }

  event(frame: Frame): void {
    if (this.#settled) return;
    if (this.request.expectedParent !== undefined && !this.response.begun && this.#holdBack(frame)) return;
    if (this.#heldFrames !== undefined) {
      const heldFrames = this.#heldFrames;
      this.#heldFrames = undefined;
      for (const earlier of heldFrames) this.#deliver(earlier);
    }
    this.#deliver(frame);
  }

  /**
   * Before the response says what it continues nothing is handed over, so that the turn can be sent again; a bounded number of frames that say
   * nothing of it, limits and keep-alives, can wait.
   */
  #holdBack(frame: Frame): boolean {
    if (frame.traits.housekeeping !== true) return false;
    if (this.#heldFrames === undefined) {
      this.#heldFrames = [];
      this.#watchIdle();
    }
    if (this.#heldFrames.length >= maxHeldFrames) return false;
    this.#idleTimer.eventReceived();
    this.#heldFrames.push(frame);
    return true;
  }

  #deliver(frame: Frame): void {
    if (this.#settled) return;
    const { entry } = this;
    if (entry.phase === 'sending' || entry.phase === 'sent') {
      entry.phase = 'created';
      this.#watchIdle();
      this.#observer.firstEvent(this);
    } else {
      this.#idleTimer.eventReceived();
    }
    // Of the many in the middle, only a finished item takes it further, and it is not quiet.
    if (entry.phase === 'created' || (entry.phase === 'visible' && !frame.opaque))
      entry.phase = phaseAfter(entry.phase, frame);
    this.#observer.event(frame);
    if (this.#unread !== undefined && this.#unread() > laneUnreadBytes) {
      this.fail(
        new TurnwireError(
          'unread_overflow',
          `more than ${laneUnreadBytes} bytes of events lie unread, and the connection cannot be paused: other turns use it`,
        ),
      );
    }
  }

  alive(): void {
    if (this.#settled || this.#paused) return;
    const { phase } = this.entry;
    if (this.#plain || (phase !== 'sending' && phase !== 'sent')) this.#idleTimer.peerAlive();
  }

  end(): void {
    if (this.#settled) return;
    this.#settle();
    this.entry.phase = 'terminal';
    this.#observer.ended();
  }

  fail(error: TurnwireError): void {
    if (this.#settled) return;
    this.#settle();
    this.#carriage?.abort();
    this.entry.error = error.code;
    this.entry.kind = error.kind;
    this.#observer.failed(this, error);
  }

  #settle(): void {
    this.#settled = true;
    this.#idleTimer.cancel();
  }

  #watchIdle(): void {
    const { idleMs } = this.#engine.timeouts;
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
