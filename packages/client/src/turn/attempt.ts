import { TurnwireError } from '../protocol/errors/errors.js';
import { laneUnreadBytes, maxEventSilenceMs } from '../protocol/limits.js';
import { phaseAfter } from '../response/phase.js';
import { Silence } from './silence.js';
import type { Phase } from '../protocol/errors/errors.js';
import type { Frame } from '../protocol/frame.js';
import type { ResponseTracker } from '../response/tracker.js';
import type { Carriage, CarryOptions, TransportListener } from '../transport/transport.js';
import type { Engine } from './engine.js';
import type { Outgoing } from './plan.js';
import type { Attempt as Entry } from './report.js';

/** Frames that wait for the beginning of a response; each is a few hundred bytes. */
const mostHeld = 256;

export interface AttemptListener {
  /** The request goes out now; the entry says how. */
  sending(attempt: Attempt): void;
  /** The first event is here. */
  answered(attempt: Attempt): void;
  event(frame: Frame): void;
  ended(): void;
  failed(attempt: Attempt, error: TurnwireError): void;
}

/**
 * One try to carry a turn over one transport: how far it got, and how long nothing may come. Whatever a carriage says after its end is not
 * heard: only one attempt of a turn is alive at a time.
 */
export class Attempt implements TransportListener {
  readonly entry: Entry;
  readonly outgoing: Outgoing;
  readonly response: ResponseTracker;
  readonly #engine: Engine;
  readonly #listener: AttemptListener;
  readonly #silence: Silence;
  #carriage: Carriage | undefined;
  #over = false;
  /** Frames that came before the response has begun. */
  #held: Frame[] | undefined;
  /** One body is asked for, and no stream. */
  #plain = false;
  #paused = false;
  /** How much lies unread; asked where the carriage could not be paused. */
  #unread: (() => number) | undefined;

  /** @param response to read the answer with. */
  constructor(
    engine: Engine,
    transport: 'websocket' | 'sse',
    outgoing: Outgoing,
    response: ResponseTracker,
    listener: AttemptListener,
  ) {
    this.#engine = engine;
    this.#listener = listener;
    this.#silence = new Silence(engine.clock);
    this.outgoing = outgoing;
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

  begin(options: CarryOptions): void {
    this.#plain = options.plain !== undefined && this.entry.transport === 'sse';
    this.#carriage = this.#engine.transports[this.entry.transport].carry(this.outgoing, this, options);
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
    if (this.#over) return;
    this.#paused = true;
    const { unreadMs } = this.#engine.timeouts;
    if (this.#carriage?.pause() === false) this.#unread = unread;
    this.#silence.watch(unreadMs, unreadMs, () =>
      this.fail(
        new TurnwireError('unread_timeout', `the turn's events were not read for ${unreadMs} ms (timeouts.unreadMs)`),
      ),
    );
  }

  resume(): void {
    if (this.#over) return;
    this.#paused = false;
    this.#unread = undefined;
    this.#watchIdle();
    this.#carriage?.resume();
  }

  say(frame: string, done: (error: Error | undefined) => void, steers: boolean): boolean {
    return !this.#over && this.#carriage?.send(frame, done, steers) === true;
  }

  /** Ends it now and silently. */
  abort(): void {
    if (this.#over) return;
    this.#settle();
    this.#carriage?.abort();
  }

  connected({ number, reused, streamId }: Parameters<TransportListener['connected']>[0]): void {
    if (this.#over) return;
    this.entry.connection = number;
    this.entry.lane = streamId;
    this.entry.reused = reused;
  }

  sending(bytes: number): void {
    if (this.#over) return;
    const { entry } = this;
    entry.phase = 'sending';
    entry.sentBytes = bytes;
    this.#listener.sending(this);
    // Such a server says nothing before it has finished.
    if (this.#plain) return this.#watchIdle();
    const { firstEventMs } = this.#engine.timeouts;
    // A pong says that the other side lives, and nothing of the turn: this limit is for the turn (B2).
    this.#silence.watch(firstEventMs, firstEventMs, () =>
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
    if (!this.#over && this.entry.phase === 'sending') this.entry.phase = 'sent';
  }

  event(frame: Frame): void {
    if (this.#over) return;
    if (this.outgoing.expectedParent !== undefined && !this.response.begun && this.#holds(frame)) return;
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      for (const earlier of held) this.#hand(earlier);
    }
    this.#hand(frame);
  }

  /**
   * Before the response says what it continues nothing is handed over, so that the turn can be sent again; a bounded number of frames that say
   * nothing of it, limits and keep-alives, can wait.
   */
  #holds(frame: Frame): boolean {
    if (frame.traits.housekeeping !== true) return false;
    if (this.#held === undefined) {
      this.#held = [];
      this.#watchIdle();
    }
    if (this.#held.length >= mostHeld) return false;
    this.#silence.event();
    this.#held.push(frame);
    return true;
  }

  #hand(frame: Frame): void {
    if (this.#over) return;
    const { entry } = this;
    if (entry.phase === 'sending' || entry.phase === 'sent') {
      entry.phase = 'created';
      this.#watchIdle();
      this.#listener.answered(this);
    } else {
      this.#silence.event();
    }
    // Of the many in the middle, only a finished item takes it further, and it is not quiet.
    if (entry.phase === 'created' || (entry.phase === 'visible' && !frame.opaque))
      entry.phase = phaseAfter(entry.phase, frame);
    this.#listener.event(frame);
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
    if (this.#over || this.#paused) return;
    const { phase } = this.entry;
    if (this.#plain || (phase !== 'sending' && phase !== 'sent')) this.#silence.alive();
  }

  end(): void {
    if (this.#over) return;
    this.#settle();
    this.entry.phase = 'terminal';
    this.#listener.ended();
  }

  fail(error: TurnwireError): void {
    if (this.#over) return;
    this.#settle();
    this.#carriage?.abort();
    this.entry.error = error.code;
    this.entry.kind = error.kind;
    this.#listener.failed(this, error);
  }

  #settle(): void {
    this.#over = true;
    this.#silence.cancel();
  }

  #watchIdle(): void {
    const { idleMs } = this.#engine.timeouts;
    this.#silence.watch(idleMs, Math.max(idleMs, maxEventSilenceMs), () =>
      this.fail(
        new TurnwireError(
          'idle_timeout',
          `nothing came for ${idleMs} ms ${this.#plain ? 'after the request' : 'in the middle of the answer'} (timeouts.idleMs)`,
        ),
      ),
    );
  }
}
