import type { Tenant } from '../base/tenant.js';
import type { Sink } from '../faults/sink.js';
import type { CreateRequest } from '../request/request.js';
import type { Refusal } from '../wire/refusal.js';
import type { Frame, Item, ResponseObject, Usage } from '../wire/wire.js';
import type { LaneCache } from './lanes/connection-cache.js';

/** The events of one answer, and the response they end in. */
export type Frames = Iterator<Frame, ResponseObject | undefined>;

/** One turn's way to its client. */
export interface TurnSink extends Sink {
  /** The tenant whose credential the turn came with. */
  readonly tenant: Tenant;
  /** Only a socket has one; over HTTP nothing is known but what is stored. */
  readonly laneCache: LaneCache | undefined;
  /** Where recordings count turns that bring no history. */
  readonly counterKey: object;
  /** Where a turn can be steered: lets the events end early when it is (P48). `countUsage` counts an output cut short. */
  readonly withSteering?: (frames: Frames, request: CreateRequest, countUsage: CountUsage) => Frames;
  /** Aborted when the turn is to end at once: its events are not waited for any more. */
  readonly interrupted?: AbortSignal;
  /** Outputs of the client's tools that came while the turn ran (P53). */
  readonly injected?: () => readonly Item[];
}

/** The body of a create: parsed, and its size as it came. With a `refusal` it is one that is not even looked at. */
export interface ReceivedCreate {
  readonly body: unknown;
  readonly bytes: number;
  readonly refusal?: Refusal;
  /** Steering input the server owns already: it goes before the input of this create (P49). */
  readonly steered?: readonly Item[];
}

/** Counts the usage of an output that was cut short. */
export type CountUsage = (output: readonly Item[]) => Usage | null;
