import type { Json } from '../json/json.js';
import type { PlainCall, TurnHeaders } from '../transport/transport.js';
import type { Turn } from './turn.js';

/** @internal What the client gives a turn. */
export interface TurnContext {
  number: number;
  signal: AbortSignal | undefined;
  onSettled: (turn: Turn) => void;
  /** Called when the consumer has read the end of a completed answer: `items` is what the server now holds. */
  onCommitted: ((items: readonly Json[]) => void) | undefined;
}

/** A stored response of which another client has told: its context ends in the input before index `from`. */
export interface KnownResponse {
  responseId: string;
  from: number;
}

/** @internal Options of turns whose consumer passes frames on. */
export interface FrameOptions {
  /** Opaque frames stay text. */
  asText?: boolean | undefined;
  headers?: TurnHeaders | undefined;
  plain?: PlainCall | undefined;
  continues?: KnownResponse | undefined;
}
