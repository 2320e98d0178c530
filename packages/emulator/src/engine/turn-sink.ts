import type { Tenant } from '../base/tenant.js';
import type { Sink } from '../faults/sink.js';
import type { CreateRequest } from '../request/request.js';
import type { Refusal } from '../wire/refusal.js';
import type { Frame, Item, ResponseObject, Usage } from '../wire/wire.js';
import type { LaneCache } from './lanes/connection-cache.js';

/** The events of one answer. The iterator returns the response in which they end; undefined if they break off. */
export type Frames = Iterator<Frame, ResponseObject | undefined>;

/** Where the events of one turn go, with what the turn knows of its connection. */
export interface TurnSink extends Sink {
  /** The tenant whose credential the turn came with. */
  readonly tenant: Tenant;
  /** The responses that the lane can continue without the store; undefined over HTTP, where only stored responses can be continued. */
  readonly laneCache: LaneCache | undefined;
  /** The key under which recordings count the turns that bring no history: the lane of a socket, or the engine for HTTP. */
  readonly counterKey: object;
  /** Passes the events on, and ends them early when the turn is steered (P48) or interrupted. Undefined if a turn cannot be steered. */
  readonly withSteering?: (frames: Frames, request: CreateRequest, countUsage: CountUsage) => Frames;
  /** Aborted when the client interrupts the turn: no event is delayed from then on. */
  readonly interrupted?: AbortSignal;
  /** The outputs of the client's tools that were injected while the turn ran (P53). */
  readonly injected?: () => readonly Item[];
}

/** The parsed body of a create, and its size on the wire. A create with a `refusal` is refused without being checked. */
export interface ReceivedCreate {
  readonly body: unknown;
  readonly bytes: number;
  readonly refusal?: Refusal;
  /** Steering input that was accepted before: it precedes the input of this create (P49). */
  readonly steered?: readonly Item[];
}

/** Counts the usage of a response whose output was cut short; null if the usage of the whole response is not known. */
export type CountUsage = (output: readonly Item[]) => Usage | null;
