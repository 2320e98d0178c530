import type { TurnwireError } from '../protocol/errors/errors.js';
import type { Frame } from '../protocol/frame.js';
import type { ExpectedParent } from '../response/expected-parent.js';
import type { ResponseTracker } from '../response/tracker.js';
import type { MessageText } from '../websocket/frame.js';

/**
 * Carries a turn. Both transports give the same: the events as they came, in order, once; then either `end` or `fail`, once. A transport replays nothing,
 * and knows nothing of the other transport.
 */
export interface Transport {
  readonly kind: 'websocket' | 'sse';
  /** Begins at once. Every failure arrives at `listener.fail`, never as an exception and never in the same tick. */
  carry(request: OutgoingRequest, listener: TransportListener, options: CallOptions): TransportCall;
}

/** The caller's request, in the form each transport needs. */
export interface OutgoingRequest {
  /**
   * The text frame of a WebSocket, for the lane that the turn was given: a delta continues only what that lane holds.
   *
   * @throws TurnwireError `request_too_large`
   */
  frame(lane: LaneView): MessageText;
  /** The body of a POST: always the caller's full request. */
  body(): string;
  /** The response that the request continues; undefined for a full request. */
  readonly parent: Parent | undefined;
  /** The parent that the response must name, known once the frame or the body was made; undefined for a full request. */
  readonly expectedParent: ExpectedParent | undefined;
  /** This server continues responses by their id: the lane of this one is kept for the next turn. */
  readonly continuable: boolean;
  /** Whether the request asks the server to store the response. The server's own word in `response.created` counts more (P80). */
  readonly store: boolean;
}

/** The response that a turn continues. */
export interface Parent {
  responseId: string;
  /** The server has stored the response: any connection can continue it. Otherwise only the lane that holds it can (P71). */
  stored: boolean;
}

/** The lane of a turn, as its request sees it. */
export interface LaneView {
  /** The `stream_id` of the lane; undefined for the default lane. */
  streamId: string | undefined;
  /** The lane holds this response. */
  holds(responseId: string): boolean;
}

export interface CallOptions {
  /** Use no connection that was idle. */
  fresh: boolean;
  /** The consumer takes text: opaque frames are not parsed. */
  asText: boolean;
  /** Use no named lane: this server has refused them. */
  withoutLanes: boolean;
  /** A WebSocket may be dialled; otherwise only open ones count. */
  mayDial: boolean;
  /** What the turn can do when no WebSocket can be dialled: see `Placement`. */
  fallback: 'sse' | 'fetch' | 'nothing';
  /** The body of a POST is sent only once the server has asked for it: it has left a dial unanswered, and may read the request much later. */
  awaitsContinue: boolean;
  /** Headers of this turn. A WebSocket sends none, and has received those of its upgrade. */
  headers?: TurnHeaders | undefined;
  /** The caller wants no stream: over HTTP none is asked for. A WebSocket always streams, and ignores this. */
  plain?: PlainRequest | undefined;
}

/** A call without a stream: one request body, one response body. */
export interface PlainRequest {
  /** The body of the caller, sent as it is. */
  readonly body: string | Uint8Array;
  /** Called once with the whole response, before `end`. A refusal fails the turn instead. */
  onResponse: (answer: PlainResponse) => void;
}

export interface PlainResponse {
  /** From 200 to 299. */
  status: number;
  text: string;
}

/** The headers of a POST beside its identity, and the headers of its response. */
export interface TurnHeaders {
  readonly sent: Readonly<Record<string, string>>;
  /** Called with the headers of a response, or of an upgrade, that is no refusal: names in lower case, no cookies. A later attempt calls again. */
  onReceived: (headers: Readonly<Record<string, string>>) => void;
}

/** The attempt that a transport carries: it gets the events, and is told of the request on its way. */
export interface TransportListener {
  /** Reads each event before it is handed over, and says what becomes of it. */
  readonly response: ResponseTracker;
  /** The consumer is behind: nothing is to be read for now. */
  readonly paused: boolean;
  /** A connection is there. `number` is undefined over SSE. */
  connected(connection: { number: number | undefined; reused: boolean; streamId?: string | undefined }): void;
  /** The request goes out now: from here to `sent` the server may have a part of it. */
  sending(bytes: number): void;
  /** The operating system has taken all of it: the server may have seen it. */
  sent(): void;
  /** @param at when the bytes of the event came, on the clock. */
  event(frame: Frame, at: number): void;
  /** The server lives: something came that is no event of this turn, a pong for example. */
  alive(): void;
  /** The turn has ended. Its terminal event was handed over before. */
  end(): void;
  fail(error: TurnwireError): void;
}

/** One turn on its way over a transport. */
export interface TransportCall {
  /**
   * Stops reading for now; frames that were read already still arrive. False when other turns use the socket: events go on arriving then, and the turn
   * must bound what it holds.
   */
  pause(): boolean;
  resume(): void;
  /**
   * Sends a further client event of this turn. False over SSE, which has no way for it.
   */
  send(frame: string, done: (error: Error | undefined) => void): boolean;
  /** Ends the turn now; the listener is not called any more. No effect after `end` or `fail`. */
  abort(): void;
}
