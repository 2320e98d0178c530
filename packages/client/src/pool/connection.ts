import { publish } from '../diagnostics.js';
import { abnormalClosure, describeClosure } from '../protocol/close-codes.js';
import { TurnwireError } from '../protocol/errors.js';
import { Frame, FrameError, isHousekeeping } from '../protocol/frame.js';
import { openSocket } from '../network/socket.js';
import type { Clock } from '../clock.js';
import type { Network } from '../network/network.js';
import type { Socket, SocketEnd } from '../network/socket.js';

/** The turn that has a connection for itself. */
export interface Occupant {
  /** It takes text: frames into which nobody looks are not parsed. */
  readonly asText: boolean;
  event(frame: Frame): void;
  /** Called once, and nothing after it. */
  lost(end: SocketEnd): void;
}

/** What the server keeps of the last response on this connection (P70). */
export interface Chain {
  responseId: string;
  /** The server has stored it: any connection can continue it. Otherwise only this one can (P71). */
  stored: boolean;
}

/**
 * dialling ──▶ idle ◀──▶ busy
 *     └──────────┴────────┴──▶ closed
 */
type State =
  | { name: 'dialling' }
  | { name: 'idle'; socket: Socket; since: number }
  | { name: 'busy'; socket: Socket; occupant: Occupant }
  | { name: 'closed' };

export interface ConnectionOptions {
  number: number;
  network: Network;
  clock: Clock;
  dialMs: number;
  /** Called once, after it was open. */
  onClosed: (connection: Connection) => void;
}

/**
 * One socket, and who may use it. Every frame is read here and goes to the turn that occupies the connection; with no such turn,
 * anything but housekeeping means that the server and we disagree on what is going on, and the connection ends (F4, F9).
 */
export class Connection {
  readonly number: number;
  /** Set when a turn has completed here; forgotten when one has not (P72, P73). */
  chain: Chain | undefined;
  /** Turns that ended cleanly here. */
  turns = 0;
  #state: State = { name: 'dialling' };
  #openedAt = 0;
  /** What ended it between its opening and the moment in which `dial` learns of that. */
  #early: string | undefined;
  #onGone: (() => void) | undefined;
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.number = options.number;
    this.#options = options;
  }

  get idle(): boolean {
    return this.#state.name === 'idle';
  }

  /** When it became idle, on the clock; 0 while it is not. */
  get idleSince(): number {
    return this.#state.name === 'idle' ? this.#state.since : 0;
  }

  get ageMs(): number {
    return this.#options.clock.now() - this.#openedAt;
  }

  /** @throws what `openSocket` throws; the connection is then of no use, and `onClosed` is not called. */
  async dial(signal: AbortSignal): Promise<void> {
    const { network, clock, dialMs } = this.#options;
    const { origin } = network.endpoint;
    const begun = clock.now();
    publish('dial', { connection: this.number, origin });
    const listener = { message: (text: string) => this.#receive(text), closed: (end: SocketEnd) => this.#closed(end) };
    const socket = await openSocket(network, listener, { dialMs, clock, signal });
    this.#openedAt = clock.now();
    if (this.#early !== undefined) {
      socket.terminate();
      throw new TurnwireError('dial_failed', `${origin} ended the connection right after opening it: ${this.#early}`, {
        retryable: true,
      });
    }
    this.#state = { name: 'idle', socket, since: clock.now() };
    publish('open', { connection: this.number, origin, ms: clock.now() - begun });
  }

  /** Gives the connection to one turn. Only an idle one can be taken. */
  occupy(occupant: Occupant): void {
    if (this.#state.name !== 'idle') throw new Error(`connection ${this.number} is ${this.#state.name}`);
    const { socket } = this.#state;
    socket.ref();
    this.#state = { name: 'busy', socket, occupant };
  }

  /** The turn's request; see `Socket.send`. */
  send(frame: string, done: (error: Error | undefined) => void): void {
    if (this.#state.name === 'busy') this.#state.socket.send(frame, done);
    else done(new Error(`connection ${this.number} is ${this.#state.name}`));
  }

  pause(): void {
    if (this.#state.name === 'busy') this.#state.socket.pause();
  }

  resume(): void {
    if (this.#state.name === 'busy') this.#state.socket.resume();
  }

  /** The turn has read a clean terminal event: the next may begin. */
  vacate(chain: Chain | undefined): void {
    if (this.#state.name !== 'busy') return;
    const { socket } = this.#state;
    this.turns += 1;
    this.chain = chain;
    socket.resume();
    socket.unref();
    this.#state = { name: 'idle', socket, since: this.#options.clock.now() };
  }

  /** Ends it in good order, with a close frame; resolves when the socket is gone. Its occupant is not told: it is the one who asks. */
  close(reason: string): Promise<void> {
    return new Promise((resolve) => {
      this.#onGone = resolve;
      if (!this.#end(reason, (socket) => socket.close(1000, reason))) resolve();
    });
  }

  /** Ends it now. Its occupant is not told: it is the one who asks. */
  destroy(reason: string): void {
    this.#end(reason, (socket) => socket.terminate());
  }

  #end(reason: string, end: (socket: Socket) => void): boolean {
    const state = this.#state;
    if (state.name === 'closed' || state.name === 'dialling') return false;
    this.#becomeClosed(undefined, reason);
    state.socket.unref();
    end(state.socket);
    return true;
  }

  #receive(text: string): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    let frame: Frame;
    try {
      frame = state.name === 'busy' && state.occupant.asText ? Frame.peek(text) : Frame.parse(text);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#violated(`the server sent ${error.message}`);
    }
    if (state.name === 'busy') state.occupant.event(frame);
    else if (!isHousekeeping(frame)) this.#violated('the server sent an event although no turn is running');
  }

  #violated(violation: string): void {
    const state = this.#state;
    if (state.name === 'dialling') this.#early ??= violation;
    this.destroy(violation);
    if (state.name === 'busy') state.occupant.lost({ code: abnormalClosure, reason: '', violation, cause: undefined });
  }

  #closed(end: SocketEnd): void {
    const state = this.#state;
    this.#onGone?.();
    if (state.name === 'dialling') this.#early ??= end.violation ?? describeClosure(end.code, end.reason);
    if (state.name === 'dialling' || state.name === 'closed') return;
    this.#becomeClosed(end.code, end.reason);
    if (state.name === 'busy') state.occupant.lost(end);
  }

  #becomeClosed(code: number | undefined, reason: string): void {
    this.#state = { name: 'closed' };
    this.chain = undefined;
    publish('close', { connection: this.number, code, reason });
    this.#options.onClosed(this);
  }
}
