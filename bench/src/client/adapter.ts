/** The function that each file in clients/ exports, under the name that clients.ts gives. */
export type Open = (target: Target) => Promise<Driver>;

export interface Target {
  /** The base URL, with its version. */
  url: string;
  /** The most conversations at the same time. */
  conversations: number;
}

export interface Driver {
  /** Begins a conversation. A client that leaves connections to its user gets a connection for each. */
  conversation(): Promise<Conversation>;
  close(): Promise<void> | void;
  /** For clients that find a delta themselves: the parts of a turn whose CPU is measured. */
  bare?: Bare;
}

/** The client's work on a request, without any code of the bench around it. */
export interface Bare {
  /** Does the preparation that is not measured. */
  prepare(request: object): unknown;
  /** Runs the request, and resolves to the output and the id of its response. */
  run(prepared: unknown): Promise<{ id: string; output: readonly object[] }>;
  /** One pass over the same bytes, as a unit for the cost. */
  yardstick(prepared: unknown): void;
}

/** Turns one after another. Each resolves to the number of events (or parts, or chunks) that the client's user got. */
export interface Conversation {
  /** A turn without a history. */
  once(model: string, onEvent: () => void): Promise<number>;
  /**
   * A turn that continues the one before it, in the way of this client's users. `text` is the prompt of the first turn, and later the result of the call in
   * the last answer.
   */
  next(model: string, text: string, onEvent: () => void): Promise<number>;
}
