import type { WebSocket } from 'ws';
import type { Cancel, Clock } from '../base/clock.js';
import type { AgeLimit } from '../wire/dialect.js';

/** The limits of a socket's life. */
export interface LifetimeRules {
  readonly connectionAgeMs: number;
  readonly ageLimit: AgeLimit;
  /** The time without a frame after which the socket closes, in milliseconds; 0: never. */
  readonly idleMs: number;
  /** The pings of the server; undefined: none. */
  readonly pings: Pings | undefined;
}

/** How often the server sends a ping, and how long it waits for the pong. */
export interface Pings {
  readonly everyMs: number;
  readonly timeoutMs: number;
}

/** Ends a socket at its age limit (P74), after an idle time (P86), or when a pong is missing (P67). */
export class Lifetime {
  readonly #clock: Clock;
  readonly #socket: WebSocket;
  readonly #rules: LifetimeRules;
  readonly #opened: number;
  readonly #waits = new Map<string, Cancel>();
  #lastActivity: number;

  /** `onAgeLimit` is called at the age limit, unless the dialect ends an old socket only at its next turn. */
  constructor(clock: Clock, socket: WebSocket, rules: LifetimeRules, onAgeLimit: () => void) {
    this.#clock = clock;
    this.#socket = socket;
    this.#rules = rules;
    this.#opened = clock.now();
    this.#lastActivity = this.#opened;
    if (rules.ageLimit !== 'next-turn') this.#wait('age', rules.connectionAgeMs, onAgeLimit);
    for (const sign of ['message', 'ping', 'pong']) socket.on(sign, () => this.touch());
    if (rules.idleMs > 0) this.#watchIdle(rules.idleMs);
    if (rules.pings !== undefined) this.#ping(rules.pings);
    socket.once('close', () => {
      for (const cancel of this.#waits.values()) cancel();
    });
  }

  get isOver(): boolean {
    return this.#clock.now() - this.#opened >= this.#rules.connectionAgeMs;
  }

  /** Notes that a frame has passed. */
  touch(): void {
    this.#lastActivity = this.#clock.now();
  }

  /** Closes the socket if it was idle for too long. One timer serves all frames: when it fires, it checks the time of the latest frame. */
  #watchIdle(idleMs: number): void {
    const remaining = this.#lastActivity + idleMs - this.#clock.now();
    if (remaining <= 0) this.#socket.close(1001, 'idle for too long');
    else this.#wait('idle', remaining, () => this.#watchIdle(idleMs));
  }

  #ping({ everyMs, timeoutMs }: Pings): void {
    this.#wait('ping', everyMs, () => {
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      this.#wait('pong', timeoutMs, () => this.#socket.close(1011, 'keepalive ping timeout'));
      this.#socket.once('pong', () => {
        this.#waits.get('pong')?.();
        this.#ping({ everyMs, timeoutMs });
      });
      this.#socket.ping();
    });
  }

  #wait(name: string, ms: number, then: () => void): void {
    this.#waits.get(name)?.();
    this.#waits.set(name, this.#clock.after(ms, then));
  }
}
