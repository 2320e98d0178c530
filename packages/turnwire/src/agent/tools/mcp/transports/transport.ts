import type { Message } from '../message.js';
import type { McpFailure } from '../failure.js';

/** How messages reach a server and come back. It replays nothing. */
export interface Transport {
  /**
   * `send` of a request ends when nothing more comes in answer to it, and not when it was handed over: a request that has no answer by then will
   * never have one.
   */
  readonly exchanges: boolean;
  /** Connects; messages may come from now on. @throws McpFailure */
  start(receiver: Receiver, signal: AbortSignal): Promise<void>;
  /** @throws McpFailure, or the reason of `signal`, which lets go of the request. */
  send(message: object, signal?: AbortSignal): Promise<void>;
  /** The handshake is over, with this version of the protocol. */
  ready(protocolVersion: string): void;
  /** Ends the server, or the session with it; may be called again. Never rejects, and takes a second or two at most. */
  close(): Promise<void>;
}

export interface Receiver {
  message(message: Message): void;
  /** The way to the server is gone, with all that was on it; told once. */
  lost(failure: McpFailure): void;
}

/** A message, in bytes: a result may bring images. */
export const messageLimit = 32 * 1024 * 1024;
