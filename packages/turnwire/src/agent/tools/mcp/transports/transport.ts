import type { Message } from '../message.js';
import type { McpFailure } from '../failure.js';

/** Carries messages to a server and back. It sends nothing twice. */
export interface Transport {
  /**
   * True where `send` of a request ends when no more answers to it can come, rather than when the request was handed over: a request without an answer by
   * then will never get one.
   */
  readonly exchanges: boolean;
  /** Connects; messages may come from now on. @throws McpFailure */
  start(receiver: Receiver, signal: AbortSignal): Promise<void>;
  /** Sends a message. `signal` aborts the exchange of a request. @throws McpFailure, or the reason of `signal` */
  send(message: object, signal?: AbortSignal): Promise<void>;
  /** Called after the handshake, with the version of the protocol. */
  ready(protocolVersion: string): void;
  /** Ends the server, or the session with it; may be called again. Never rejects, and takes a second or two at most. */
  close(): Promise<void>;
}

export interface Receiver {
  message(message: Message): void;
  /** Called once, when the connection to the server is lost, with everything on it. */
  lost(failure: McpFailure): void;
}

/** The largest message, in bytes: a result may contain images. */
export const messageLimit = 32 * 1024 * 1024;
