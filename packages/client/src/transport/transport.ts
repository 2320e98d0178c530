import type { TurnwireError } from '../protocol/errors.js';
import type { ResponseEvent } from '../protocol/events.js';

/**
 * One turn over one carriage. Both transports give a turn the same: its events as they came, in order, once; then either `end` or
 * `fail`, once. Neither replays anything and neither knows of the other: that is the turn's business.
 */
export interface Transport {
  readonly kind: 'websocket' | 'sse';
  /** Begins at once; whatever goes wrong, also here, arrives at `receiver.fail`, never as an exception and never in the same tick. */
  carry(request: OutgoingRequest, receiver: Receiver, options: CarryOptions): Carriage;
}

/** The caller's request, in the form each transport needs. */
export interface OutgoingRequest {
  /** The text frame of a WebSocket. */
  frame(): string;
  /** The body of a POST. */
  body(): string;
  previousResponseId: string | undefined;
  /** Whether the server was asked to keep the response; its own word in `response.created` counts more (P80). */
  store: boolean;
}

export interface CarryOptions {
  /** Not over a connection that has rested. */
  fresh: boolean;
}

export interface Receiver {
  /** A connection is there; `number` is undefined where the transport does not number them. */
  connected(connection: { number: number | undefined; reused: boolean }): void;
  /** The request goes out now: from here to `sent` the server may have a part of it. */
  sending(bytes: number): void;
  /** The operating system has taken all of it: the server may have seen it. */
  sent(): void;
  /** `bytes` is the size of its JSON. */
  event(event: ResponseEvent, bytes: number): void;
  /** The terminal event has been handed over before. */
  end(): void;
  fail(error: TurnwireError): void;
}

/** The way back, from a turn to what carries it. */
export interface Carriage {
  /** Reads no more for now; what has been read already still arrives. */
  pause(): void;
  resume(): void;
  /** Ends it now; nothing arrives at the receiver any more. Of no effect after `end` or `fail`. */
  abort(): void;
}
