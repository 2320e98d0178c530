/** The function that each file of clients/ exports, under the name that clients.ts says. */
export type Open = (target: Target) => Promise<Driver>;

export interface Target {
  /** The base URL, with its version. */
  url: string;
  /** Conversations at the same time, at most. */
  conversations: number;
}

export interface Driver {
  /** A thread of its own: over a WebSocket, where the client leaves that to its user, a connection of its own. */
  conversation(): Promise<Conversation>;
  close(): Promise<void> | void;
  /** For the cost of finding a delta, of the clients that find it. */
  bare?: Bare;
}

/** Requests as they are handed over, with nothing of the bench around them. */
export interface Bare {
  /** Makes ready what is not a part of the measurement. */
  prepare(request: object): unknown;
  /** Runs it, and resolves to the output of its response and to its id. */
  run(prepared: unknown): Promise<{ id: string; output: readonly object[] }>;
  /** One pass over the same bytes, with which the cost is compared. */
  yardstick(prepared: unknown): void;
}

/** Turns one after the other. Each resolves to the number of events (or parts, or chunks) that the client's user was given. */
export interface Conversation {
  /** A turn that stands for itself. */
  once(model: string, onEvent: () => void): Promise<number>;
  /**
   * A turn that continues the one before it, the way this client's users do that: `text` is the prompt of the first and then the result of
   * the call that the last answer made.
   */
  next(model: string, text: string, onEvent: () => void): Promise<number>;
}
