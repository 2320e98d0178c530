import { Refusal } from '../../wire/refusal.js';
import { Numbering } from '../steering/numbering.js';
import type { SteerTarget } from '../steering/target.js';
import type { Submission } from '../steering/submission.js';
import type { ReceivedCreate } from '../turn-sink.js';

/** A create that waits for its lane. */
export interface QueuedCreate extends ReceivedCreate {
  /** The number of the create in the order in which all creates of the socket came. */
  readonly arrival: number;
  /** The accepted steering input with which the server itself begins a successor (P48); undefined for a create of the client. */
  readonly successor?: readonly Submission[];
}

/** Accepted steering input that waits for the outputs of the client's tools (P49). */
export interface PendingSteers {
  /** The id of the response that was steered. */
  readonly parent: string;
  readonly submissions: readonly Submission[];
}

/** The turns of one socket that have the same `stream_id`, and run one after another (P42, P43). The default lane has no `stream_id`. */
export class Lane {
  readonly streamId: string | undefined;
  readonly queue: QueuedCreate[] = [];
  /** The running turn, as steering sees it; undefined if no turn runs. */
  target: SteerTarget | undefined;
  pending: PendingSteers | undefined;
  /** The sequence numbers of the latest turn's events. */
  numbering = new Numbering();

  constructor(streamId: string | undefined) {
    this.streamId = streamId;
  }
}

export interface LaneLimits {
  readonly lanes: number;
  readonly inFlightTurns: number;
}

const streamIdPattern = /^[A-Za-z0-9_.-]{1,256}$/;

/** The lanes of one socket, and the order in which their turns run. */
export class Lanes {
  readonly #limits: LaneLimits;
  readonly #default = new Lane(undefined);
  readonly #named = new Map<string, Lane>();
  /** The lanes with a queued turn. A lane beyond the limit is only in this set, for the refusal of its create. */
  readonly #waiting = new Set<Lane>();
  readonly #running = new Set<Lane>();
  #arrivals = 0;
  #queuedTurns = 0;
  #queuedBytes = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  *all(): Iterable<Lane> {
    yield this.#default;
    yield* this.#named.values();
  }

  get running(): ReadonlySet<Lane> {
    return this.#running;
  }

  /** The number of queued turns, and the bytes of their frames. */
  get queued(): { readonly turns: number; readonly bytes: number } {
    return { turns: this.#queuedTurns, bytes: this.#queuedBytes };
  }

  get nameCount(): number {
    return this.#named.size;
  }

  /**
   * The lane that a create names (P42, P44). An invalid name is refused on the default lane, whose events have no `stream_id`. A valid name
   * beyond the limit is refused on a lane of that name.
   */
  laneFor(streamId: unknown): { readonly lane: Lane; readonly refusal?: Refusal } {
    if (streamId === undefined || streamId === null) return { lane: this.#default };
    if (this.#limits.lanes === 0) {
      const message = "Unknown parameter: 'stream_id'; turns of one connection run one after another.";
      const refusal = new Refusal(message, { code: 'unknown_parameter', param: 'stream_id' });
      return { lane: this.#default, refusal };
    }
    if (typeof streamId !== 'string' || !streamIdPattern.test(streamId)) {
      const message = "Invalid 'stream_id': it must be 1 to 256 of the characters A-Z a-z 0-9 _ . -";
      return { lane: this.#default, refusal: new Refusal(message, { code: 'invalid_stream_id', param: 'stream_id' }) };
    }
    const known = this.#named.get(streamId);
    if (known !== undefined) return { lane: known };
    const lane = new Lane(streamId);
    if (this.#named.size >= this.#limits.lanes) {
      const message = `This connection has used ${this.#limits.lanes} different values of 'stream_id', its limit. Use one of them again, or a new connection.`;
      const details = { code: 'websocket_stream_limit_reached', param: 'stream_id' };
      return { lane, refusal: new Refusal(message, details) };
    }
    this.#named.set(streamId, lane);
    return { lane };
  }

  enqueue(lane: Lane, received: ReceivedCreate): void {
    this.#arrivals += 1;
    this.#queuedTurns += 1;
    this.#queuedBytes += received.bytes;
    lane.queue.push({ ...received, arrival: this.#arrivals });
    this.#waiting.add(lane);
  }

  /** Queues a successor before all other turns of its lane. */
  enqueueSuccessor(lane: Lane, body: unknown, successor: readonly Submission[]): void {
    this.#queuedTurns += 1;
    lane.queue.unshift({ body, bytes: 0, successor, arrival: 0 });
    this.#waiting.add(lane);
  }

  /** Takes the oldest queued turn whose lane is free; undefined if no turn may run now. */
  takeNext(): { readonly lane: Lane; readonly next: QueuedCreate } | undefined {
    if (this.#running.size >= this.#limits.inFlightTurns) return undefined;
    let first: Lane | undefined;
    for (const lane of this.#waiting) {
      if (this.#running.has(lane)) continue;
      if (first === undefined || arrivalOf(lane) < arrivalOf(first)) first = lane;
    }
    const next = first?.queue.shift();
    if (first === undefined || next === undefined) return undefined;
    if (first.queue.length === 0) this.#waiting.delete(first);
    this.#queuedTurns -= 1;
    this.#queuedBytes -= next.bytes;
    this.#running.add(first);
    return { lane: first, next };
  }

  /** Frees a lane whose turn has ended. */
  release(lane: Lane): void {
    this.#running.delete(lane);
  }

  clear(): void {
    for (const lane of this.#waiting) lane.queue.length = 0;
    this.#waiting.clear();
    this.#queuedTurns = 0;
    this.#queuedBytes = 0;
  }
}

function arrivalOf(lane: Lane): number {
  return lane.queue[0]?.arrival ?? Infinity;
}
