import type { TurnwireError } from '../protocol/errors/errors.js';
import type { Frame } from '../protocol/frame.js';
import type { ExpectedParent } from '../response/expected-parent.js';
import type { ResponseTracker } from '../response/tracker.js';

/**
 * One turn over one carriage. Both transports give a turn the same: its events as they came, in order, once; then either `end` or
 * `fail`, once. Neither replays anything and neither knows of the other: that is the turn's business.
 */
export interface Transport {
  readonly kind: 'websocket' | 'sse';
  /** Begins at once; whatever goes wrong, also here, arrives at `listener.fail`, never as an exception and never in the same tick. */
  carry(request: OutgoingRequest, listener: TransportListener, options: CarryOptions): Carriage;
}

/** The caller's request, in the form each transport needs. */
export interface OutgoingRequest {
  /**
   * The text frame of a WebSocket, made for the lane that the turn was given: it can only continue what is held there.
   *
   * @throws TurnwireError `request_too_large`
   */
  frame(lane: LaneView): string;
  /** The body of a POST: always the caller's full request. */
  body(): string;
  /** What it would continue, so that the lane which holds it can be found; undefined for a request that stands for itself. */
  readonly parent: Parent | undefined;
  /** What the answer must name: known once the frame or the body was made. undefined for a request that stands for itself. */
  readonly expectedParent: ExpectedParent | undefined;
  /** Its response is worth keeping a lane for: this server continues one by its id. */
  readonly continuable: boolean;
  /** Whether the server was asked to keep the response; its own word in `response.created` counts more (P80). */
  readonly store: boolean;
}

/** The response that a turn continues. */
export interface Parent {
  responseId: string;
  /** The server has stored it: any connection can continue it. Otherwise only the lane that holds it can (P71). */
  stored: boolean;
}

/** What a request must know of its lane. */
export interface LaneView {
  /** Its name on the wire; undefined for the default lane. */
  streamId: string | undefined;
  /** The last response there is this one. */
  holds(responseId: string): boolean;
}

export interface CarryOptions {
  /** Not over a connection that has rested. */
  fresh: boolean;
  /** The consumer takes text: frames into which nobody looks are not parsed. */
  asText: boolean;
  /** Not over a named lane: this server has refused them. */
  withoutLanes: boolean;
  /** A WebSocket may be dialled for it; otherwise the open ones are all there is. */
  mayDial: boolean;
  /** What is left for it where none can be dialled. */
  fallback: 'sse' | 'nothing';
  /** Headers of this one turn. A WebSocket sends none for a turn, and has received those of its upgrade. */
  headers?: TurnHeaders | undefined;
  /** The caller wants no stream: over HTTP none is asked for. A WebSocket knows nothing else, and ignores this. */
  plain?: PlainCall | undefined;
}

/** A call without a stream, as HTTP has it: one body there, one body back. */
export interface PlainCall {
  /** The caller's own, sent as it is. */
  readonly body: string;
  /** Called once the answer is whole, before its end is told. A refusal fails the turn instead. */
  onResponse: (answer: PlainResponse) => void;
}

export interface PlainResponse {
  /** From 200 to 299. */
  status: number;
  text: string;
}

/** What a POST carries besides the identity, and what it is answered with. */
export interface TurnHeaders {
  readonly sent: Readonly<Record<string, string>>;
  /** Of an answer that is not a refusal, be it to an upgrade; names in lower case, without cookies. Those of a later attempt take their place. */
  onReceived: (headers: Readonly<Record<string, string>>) => void;
}

/** The attempt that a transport carries: it gets the events, and is told of the request on its way. */
export interface TransportListener {
  /** Reads each event before it is handed over, and says what becomes of it. */
  readonly response: ResponseTracker;
  /** The consumer is behind: nothing is to be read for now. */
  readonly paused: boolean;
  /** A connection is there; `number` is undefined where the transport does not number them. */
  connected(connection: { number: number | undefined; reused: boolean; streamId?: string | undefined }): void;
  /** The request goes out now: from here to `sent` the server may have a part of it. */
  sending(bytes: number): void;
  /** The operating system has taken all of it: the server may have seen it. */
  sent(): void;
  event(frame: Frame): void;
  /** Something came that is no event of this turn, a pong for example: the other side lives. */
  alive(): void;
  /** The terminal event has been handed over before. */
  end(): void;
  fail(error: TurnwireError): void;
}

/** The way back, from a turn to what carries it. */
export interface Carriage {
  /**
   * Reads no more for now; what has been read already still arrives. False where other turns share the socket: then everything goes on
   * arriving, and the turn must bound what it holds.
   */
  pause(): boolean;
  resume(): void;
  /**
   * A further client event of this turn; `done` as for a socket. False where the transport has no way for it.
   */
  send(frame: string, done: (error: Error | undefined) => void): boolean;
  /** Ends it now; nothing arrives at the listener any more. Of no effect after `end` or `fail`. */
  abort(): void;
}
