import type { Item, Usage } from '../wire/wire.js';

export type Transport = 'sse' | 'json' | 'websocket';

/**
 * How a turn ended. `refused`: an error answered it, or a fault ended it with an error. `aborted`: its connection ended first, because the
 * client left or a fault cut it.
 */
export type Outcome = 'running' | 'completed' | 'failed' | 'incomplete' | 'refused' | 'aborted';

/**
 * What a turn continues: the response in its `previous_response_id`, found in the memory of the connection or in the store, or its
 * conversation.
 */
export interface TurnParent {
  readonly id: string;
  readonly from: 'connection' | 'store' | 'conversation';
}

/** One create, as the server received it, and its answer. */
export interface JournalTurn {
  /** The number of the turn, from 1, in order of arrival. */
  readonly number: number;
  readonly transport: Transport;
  /** The number of its connection in `connections()`. */
  readonly connection: number;
  /** The parsed body as it was received; undefined if it was not JSON. */
  readonly request: unknown;
  /**
   * The size of the create on the wire, in bytes: the HTTP body or the text frame, without headers. 0 for the successor of a steered response,
   * whose create the server makes itself.
   */
  readonly bytes: number;
  readonly outcome: Outcome;
  /** The `stream_id` of the create; undefined for the default lane, and over HTTP. */
  readonly lane?: string;
  /** How the input was sent: `delta` if the create names a response or a conversation that it continues, else `full`. */
  readonly plan: 'full' | 'delta';
  /**
   * The full context that the server used: the items that it knew by an id, then the new input; since a compaction, if there was one. The list
   * is made when it is read. It is empty for a turn that was refused before it had a context.
   */
  readonly transcript: readonly Item[];
  /** What the turn continues; undefined for a turn with a full input, or one that was refused before its parent was found. */
  readonly parent?: TurnParent;
  /** The faults that struck the turn, in their text form (`close code=1011 after=3`), in order. */
  readonly faults: readonly string[];
  readonly responseId?: string;
  readonly output: readonly Item[];
  readonly usage?: Usage;
  /** The status with which the turn was refused: over HTTP that of the answer, on a socket that of the error frame. */
  readonly status?: number;
  /** The code of the error with which the turn was refused. */
  readonly code?: string | null;
}
