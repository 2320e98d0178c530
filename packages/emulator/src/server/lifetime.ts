import type { WebSocket } from 'ws';
import type { Cancel, Clock } from '../base/clock.js';
import type { AgeLimit } from '../wire/dialect.js';

export interface LifetimeRules {
  readonly connectionAgeMs: number;
  readonly ageLimit: AgeLimit;
  /** 0: never. */
  readonly idleMs: number;
  readonly pings: Pings | undefined;
}

export interface Pings {
  readonly everyMs: number;
  readonly timeoutMs: number;
}

/** How long one socket may live: its age (P74), its silence (P86), and the pongs it owes (P67). */
export class Lifetime {
  readonly #clock: Clock;
  readonly #socket: WebSocket;
  readonly #rules: LifetimeRules;
  readonly #opened: number;
  readonly #waits = new Map<string, Cancel>();
  #lastActivity: number;

  /** `aged` is called when the age limit passes, unless it ends the next turn only. */
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

  /** A frame has passed. */
  touch(): void {
    this.#lastActivity = this.#clock.now();
  }

  /** One timer for all frames: when it fires it looks how long ago the last of them was. */
  #watchIdle(idleMs: number): void {
    const left = this.#lastActivity + idleMs - this.#clock.now();
    if (left <= 0) this.#socket.close(1001, 'idle for too long');
    else this.#wait('idle', left, () => this.#watchIdle(idleMs));
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
