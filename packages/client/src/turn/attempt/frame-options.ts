import type { PlainRequest, TurnHeaders } from '../../transport/transport.js';

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
  plain?: PlainRequest | undefined;
  continues?: KnownResponse | undefined;
}
