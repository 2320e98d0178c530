import { failedAfterErrorMs, maxEventBytes } from '../base/bounds.js';
import { startDeadline } from '../base/clock.js';
import { describeClose } from '../protocol/errors/close-codes.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { MissingPongError } from '../protocol/errors/missing-pong.js';
import { textBytes } from '../websocket/frame.js';
import { MessageTooLargeError } from '../websocket/protocol-error.js';
import { connectionLostError } from './connection-lost.js';
import type { Clock, Timer } from '../base/clock.js';
import type { WebSocketEnd } from '../network/client-websocket.js';
import type { LaneChain, Lane, LaneListener } from '../pool/lane.js';
import type { LaneAssignment, Placement } from '../pool/placement.js';
import type { Pool } from '../pool/pool.js';
import type { Frame } from '../protocol/frame.js';
import type { ResponseTracker } from '../response/tracker.js';
import type { MessageText } from '../websocket/frame.js';
import type {
  TransportCall,
  CallOptions,
  OutgoingRequest,
  TransportListener,
  Transport,
  TurnHeaders,
} from './transport.js';

/** Carries turns over the connections of a pool: a turn has a lane for itself, from its request to its terminal event. */
export class WebSocketTransport implements Transport {
  readonly kind = 'websocket';
  readonly #pool: Pool;
  readonly #clock: Clock;

  constructor(pool: Pool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  carry(request: OutgoingRequest, listener: TransportListener, options: CallOptions): TransportCall {
    return new WebSocketCall(this.#pool, this.#clock, request, listener, options);
  }
}

interface Running {
  name: 'running';
  lane: Lane;
}

type State =
  /** The turn has no lane yet. `leaving` is aborted if the turn ends while it waits for one. */
  { name: 'placing'; leaving?: AbortController } | Running | { name: 'over' };

class WebSocketCall implements TransportCall, LaneListener {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #request: OutgoingRequest;
  readonly #listener: TransportListener;
  #state: State = { name: 'placing' };
  readonly asText: boolean;
  readonly #headers: TurnHeaders | undefined;
  #failedTimer: Timer | undefined;
  /** Runs while the successor of a steered response is awaited. */
  #successorTimer: Timer | undefined;
  /** When the last frame came, or the request went out. */
  #heardAt = 0;

  constructor(pool: Pool, clock: Clock, request: OutgoingRequest, listener: TransportListener, options: CallOptions) {
    this.asText = options.asText;
    this.#headers = options.headers;
    this.#pool = pool;
    this.#clock = clock;
    this.#request = request;
    this.#listener = listener;
    const { fresh, withoutLanes, mayDial, fallback } = options;
    const placement = { parent: request.parent, fresh, withoutLanes, mayDial, fallback };
    this.#acquireLane(placement).then(
      (place) => (this.#state.name === 'placing' ? this.#start(place) : place.lane.abandon('turn aborted')),
      (error: unknown) => this.#fail(error),
    );
  }

  pause(): boolean {
    return this.#state.name !== 'running' || this.#state.lane.pause();
  }

  resume(): void {
    if (this.#state.name === 'running') this.#state.lane.resume();
  }

  send(frame: string, done: (error: Error | undefined) => void): boolean {
    if (this.#state.name !== 'running') return false;
    this.#state.lane.send(frame, done);
    return true;
  }

  abort(): void {
    const state = this.#state;
    this.#settle();
    if (state.name === 'placing') state.leaving?.abort(new TurnwireError('aborted', 'the turn was aborted'));
    if (state.name === 'running') state.lane.abandon('turn aborted', this.#listener.response.steering.used);
  }

  /** Nothing is sent in the same tick, even if a lane is idle: turns that begin together are all prepared first, and then all sent. */
  #acquireLane(placement: Placement): Promise<LaneAssignment> {
    const place = this.#pool.tryAcquire(placement, this);
    if (place !== undefined) return Promise.resolve(place);
    const leaving = new AbortController();
    this.#state = { name: 'placing', leaving };
    return this.#pool.acquire(placement, this, leaving.signal);
  }

  #start({ lane, reused }: LaneAssignment): void {
    this.#state = { name: 'running', lane };
    // Only for a connection dialled for this turn: older headers are out of date, the rest of a rate limit for one.
    if (!reused) this.#headers?.onReceived(lane.upgradeHeaders);
    this.#listener.connected({ number: lane.connectionNumber, reused, streamId: lane.streamId });
    let frame: MessageText;
    try {
      frame = this.#request.frame(lane);
    } catch (error) {
      // Nothing was sent: the lane keeps its chain.
      lane.complete(lane.chain);
      return this.#fail(error);
    }
    this.#heardAt = this.#clock.now();
    this.#listener.response.expect(this.#request.expectedParent, lane, reused);
    this.#listener.sending(textBytes(frame));
    lane.send(frame, (error) => {
      // After an error `lost` follows, with the server's close frame if there was one.
      if (error === undefined && this.#state.name === 'running') this.#listener.sent();
    });
  }

  alive(): void {
    if (this.#state.name !== 'running') return;
    this.#heardAt = this.#clock.now();
    this.#listener.alive();
  }

  event(frame: Frame): void {
    const state = this.#state;
    if (state.name !== 'running') return;
    const { lane } = state;
    this.#heardAt = lane.heardAt;
    const { response } = this.#listener;
    const verdict = response.read(frame);
    if (this.#successorTimer !== undefined && !response.awaitsSuccessor) this.#successorTimer.cancel();
    switch (verdict.name) {
      case 'pass':
        return this.#listener.event(frame, this.#heardAt);
      case 'end':
        this.#listener.event(frame, this.#heardAt);
        return this.#end(state);
      case 'awaiting_successor':
        this.#listener.event(frame, this.#heardAt);
        this.#successorTimer = startDeadline(this.#clock, verdict.wait.ms, () => {
          if (verdict.wait.onTimeout === 'end') return this.#end(state);
          lane.abandon('no successor of a steered response came');
          this.#fail(
            new TurnwireError(
              'successor_timeout',
              `the response was steered, and its successor did not begin within ${verdict.wait.ms} ms`,
            ),
          );
        });
        return;
      case 'failing':
        this.#listener.event(frame, this.#heardAt);
        this.#failedTimer ??= startDeadline(this.#clock, failedAfterErrorMs, () => {
          this.#settle();
          // Further events of this response may still come, and no other turn may get them.
          lane.abandon('an error ended the turn');
          this.#listener.end();
        });
        return;
      case 'refused':
        this.#settle();
        this.#releaseLane(lane, verdict.error);
        return this.#listener.fail(verdict.error);
      case 'ignored':
        // The rest of the response belongs to no turn.
        lane.abandon('the server ignores previous_response_id', true);
        return this.#fail(verdict.error);
      case 'broken':
        lane.abandon(verdict.error.message, true);
        return this.#fail(verdict.error);
      case 'foreign':
        lane.poison(verdict.why);
        return this.#fail(
          new TurnwireError(
            'protocol_error',
            `${verdict.why}: the connection was ended, so that answers cannot be mixed up`,
          ),
        );
    }
  }

  lost(end: WebSocketEnd): void {
    if (this.#failedTimer !== undefined && this.#state.name !== 'over') {
      this.#settle();
      return this.#listener.end();
    }
    this.#fail(errorOfEnd(end, this.#clock.now() - this.#heardAt));
  }

  /** A refusal has ended the chain of the lane (P73). The connection usually remains usable (P98). */
  #releaseLane(lane: Lane, { server }: TurnwireError): void {
    const code = server?.code;
    if (code === 'websocket_connection_limit_reached') return lane.retire('its age limit was reached');
    if (code === 'websocket_stream_limit_reached') return lane.rejectName();
    lane.complete(undefined);
    // The pool has made the name: a server that refuses it has no lanes (F5).
    if (lane.streamId !== undefined && (code === 'invalid_stream_id' || server?.param === 'stream_id'))
      this.#pool.refuseLanes();
  }

  #end({ lane }: Running): void {
    if (this.#state.name !== 'running') return;
    this.#settle();
    // Events of the next response could not be told from this one's.
    if (this.#listener.response.idChanges) lane.retire('the id of its response has changed');
    else if (this.#listener.response.unannounced) lane.retire('its response had no response.created');
    else lane.complete(chainOf(this.#listener.response, this.#request));
    this.#listener.end();
  }

  #fail(error: unknown): void {
    if (this.#state.name === 'over') return;
    this.#settle();
    this.#listener.fail(
      error instanceof TurnwireError
        ? error
        : new TurnwireError('dial_failed', 'the WebSocket could not be opened', { cause: error }),
    );
  }

  #settle(): void {
    this.#state = { name: 'over' };
    this.#failedTimer?.cancel();
    this.#successorTimer?.cancel();
  }
}

/** Only a completed response can be continued. */
function chainOf(response: ResponseTracker, request: OutgoingRequest): LaneChain | undefined {
  const { terminal, continuable, stored } = response;
  if (terminal === undefined || !continuable || !request.continuable) return undefined;
  return { responseId: terminal.response.id, stored: stored ?? request.store };
}

function errorOfEnd({ code, reason, violation, cause }: WebSocketEnd, silentMs: number): TurnwireError {
  if (cause instanceof MessageTooLargeError) {
    return new TurnwireError('event_too_large', `the server sent an event of more than ${maxEventBytes} bytes`, {
      cause,
    });
  }
  if (violation !== undefined)
    return new TurnwireError('protocol_error', `${violation}: the connection was ended`, { cause });
  if (cause instanceof MissingPongError) {
    // A copy for each turn of the connection, because a turn adds causes to its error.
    return new TurnwireError('connection_lost', `the connection was ended before the turn: ${cause.message}`, {
      closeCode: code,
      cause: new MissingPongError(cause.ms),
    });
  }
  const how = `the connection closed before the turn ended (${describeClose(code, reason)})`;
  return connectionLostError(how, silentMs, { closeCode: code, closeReason: reason });
}
