import type { Item, Usage } from '../wire/wire.js';

export type Transport = 'sse' | 'json' | 'websocket';

/**
 * How a turn ended. `refused`: an error answered it, or (by a fault) broke it off. `aborted`: its connection went away first,
 * be it that the client left or that a fault cut it.
 */
export type Outcome = 'running' | 'completed' | 'failed' | 'incomplete' | 'refused' | 'aborted';

/**
 * The response named by `previous_response_id`, and whether the server had it in the memory of this connection or fetched
 * it from the store (P71); or the conversation.
 */
export interface TurnParent {
  readonly id: string;
  readonly from: 'connection' | 'store' | 'conversation';
}

/** One create, as the server saw it. */
export interface JournalTurn {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly transport: Transport;
  /** The number of its connection in `connections()`. */
  readonly connection: number;
  /** The body as received, parsed; undefined if it was not JSON. */
  readonly request: unknown;
  /**
   * Its size on the wire, in bytes: the HTTP body or the text frame, headers and frame headers not counted. 0 for the
   * successor of a steered response: the server makes that create itself.
   */
  readonly bytes: number;
  readonly outcome: Outcome;
  /** The `stream_id` of its lane, as the create named it; undefined: the default lane, or HTTP. */
  readonly lane?: string;
  /** How its input came: `delta` if it names what it continues, else `full`. */
  readonly plan: 'full' | 'delta';
  /**
   * The full context the server used: what it knew by id, then the new input; after a compaction, what follows it. A list
   * is made of it when it is read. Empty if the turn was refused before there was one.
   */
  readonly transcript: readonly Item[];
  /** The state it was continued from. Undefined: the turn brought everything itself, or was refused before. */
  readonly parent?: TurnParent;
  /** The faults that struck it, in their text form (`close code=1011 after=3`), in order. */
  readonly faults: readonly string[];
  readonly responseId?: string;
  readonly output: readonly Item[];
  readonly usage?: Usage;
  /** Of a refused turn: the HTTP status (on a socket: the one in the frame) and the error's code. */
  readonly status?: number;
  readonly code?: string | null;
}
