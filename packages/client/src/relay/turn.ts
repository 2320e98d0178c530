import { isResponseEnd } from '../fetch/response/fetch-error.js';
import { isFraming } from '../fetch/response/create-response.js';
import { readToEnd } from '../fetch/response/read-to-end.js';
import { headersIn } from '../fetch/response/metadata-headers.js';
import { readFirstFrames } from '../fetch/response/first-frames.js';
import {
  failedMidwayBody,
  fetchFailureOf,
  errorResponseParts,
  unknownOutcomeBody,
} from '../fetch/response/error-response.js';
import { responseText } from '../fetch/response/response-text.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { EventWithoutLane } from './text.js';
import type { HeldContext } from '../continuation/context-digests.js';
import type { Json } from '../json/json.js';
import type { FinalFrame } from '../fetch/response/read-to-end.js';
import type { Frame } from '../protocol/frame.js';
import type { ServerError } from '../protocol/errors/server-error.js';
import type { PlainResponse } from '../transport/transport.js';
import type { EventReader } from '../turn/buffer/event-buffer.js';
import type { TurnReport } from '../turn/report.js';
import type { SteerAnswer, SteerInput } from '../response/steering.js';
import type { Turn } from '../turn/turn.js';
import type { RelayEvent } from './event.js';

type Headers = Readonly<Record<string, string>>;

/** A turn that did not begin, and what a client is to be told of that. */
export type RelayRefusal =
  /** The server's answer: its status, its headers, its body. */
  | {
      name: 'refused';
      status: number;
      headers: Headers;
      body: string;
      server: ServerError | undefined;
      error: TurnwireError;
    }
  /** The turn certainly did not run, and no answer says why: the server could not be reached. */
  | { name: 'not_sent'; error: TurnwireError }
  /** The request was sent, and nothing came: the turn may have run. `body` says so. */
  | { name: 'unknown'; error: TurnwireError; body: string };

/** How a streaming answer begins. */
export type RelayOpening = { name: 'begun'; headers: Headers; events: readonly RelayEvent[] } | RelayRefusal;

/** An answer that is one JSON text. */
export type RelayAnswer =
  | { name: 'answered'; status: number; headers: Headers; body: string }
  /** An `error` event came after the response had begun: the turn has run. */
  | { name: 'broken_off'; body: string; error: TurnwireError }
  | RelayRefusal;

/** @internal What the transports tell of a turn beside its events. */
export interface RelayAnswerParts {
  received: Headers;
  plain: PlainResponse | undefined;
}

/** A turn whose answer is passed on: either with `opening()` and then `next()` or `poll()`, or with `answer()` alone. */
export class RelayTurn {
  readonly #turn: Turn;
  readonly #frames: EventReader<Frame>;
  readonly #parts: RelayAnswerParts;

  /** @internal */
  constructor(turn: Turn, parts: RelayAnswerParts) {
    this.#turn = turn;
    this.#frames = turn.frames();
    this.#parts = parts;
  }

  get report(): TurnReport {
    return this.#turn.report;
  }

  /** The id of the response that runs, or of the last one. */
  get responseId(): string | undefined {
    return this.#turn.report.responseId;
  }

  /** Waits until it is certain how the answer begins. Never rejects. */
  async opening(): Promise<RelayOpening> {
    try {
      const frames = await readFirstFrames(this.#frames);
      const headers = Object.assign({}, withoutFraming(this.#parts.received), ...frames.map(headersIn)) as Headers;
      return { name: 'begun', headers, events: frames.map((frame) => this.#eventOf(frame)) };
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /**
   * The next event; undefined after the last one. What comes is held back up to about 1 MiB; beyond that the connection is paused.
   *
   * @throws TurnwireError what the answer broke off with.
   */
  next(): Promise<RelayEvent | undefined> {
    return this.#frames.next().then((next) => (next.done ? undefined : this.#eventOf(next.value)));
  }

  /** The next event, if it has come. */
  poll(): RelayEvent | undefined {
    const frame = this.#frames.poll();
    return frame && this.#eventOf(frame);
  }

  /** Waits for the end of the answer. Never rejects. */
  async answer(): Promise<RelayAnswer> {
    let final: FinalFrame | undefined;
    const answered = (response: object): RelayAnswer => ({
      name: 'answered',
      status: 200,
      headers: { ...withoutFraming(this.#parts.received), ...final?.headers, 'content-type': 'application/json' },
      body: responseText(response, final?.last),
    });
    try {
      final = await readToEnd(this.#frames);
      const { plain } = this.#parts;
      if (plain !== undefined)
        return {
          name: 'answered',
          status: plain.status,
          headers: withoutFraming(this.#parts.received),
          body: plain.text,
        };
      return answered(await this.#turn.response());
    } catch (error) {
      if (!isResponseEnd(error)) return this.#refusal(error);
      // A response that failed is an answer like any other: its status stands in it.
      const response = this.#turn.responses.at(-1);
      if (response !== undefined) return answered(response);
      return { name: 'broken_off', body: failedMidwayBody(error), error };
    }
  }

  /** Gives the running response more input; see `Turn.steer`. What the server says to it is an event as well. */
  steer(input: SteerInput): Promise<SteerAnswer> {
    return this.#turn.steer(input);
  }

  /** Sends a client event other than `response.create` and `response.steer`, as it is. False where the turn has no WebSocket, or has ended. */
  say(text: string): boolean {
    return this.#turn.say(text);
  }

  /** Ends the turn now; see `Turn.cancel`. */
  cancel(): void {
    this.#turn.cancel();
  }

  /** Whether the server stores the response, by its own word, else by the request's. */
  get stored(): boolean {
    return this.#turn.stored;
  }

  /**
   * All items of the context at the end of the last response: the input of the request, then what was added. undefined before the end, and where the
   * response cannot be continued. Nothing of it may be changed.
   */
  get context(): readonly Json[] | undefined {
    return this.#turn.context();
  }

  /**
   * What the server is known to hold at the end of the response, for `ContextDigests`; undefined before the answer was read to its end, and where the turn
   * has named the response that it continues, or cannot be continued itself.
   */
  get held(): HeldContext | undefined {
    return this.#turn.heldContext();
  }

  /** What was continued where a full history was sent as a delta, and the index in the input from which it was sent. */
  get continued(): { responseId: string; from: number } | undefined {
    return this.#turn.continued;
  }

  #eventOf(frame: Frame): RelayEvent {
    const { lane } = this.#turn;
    return lane === undefined ? frame : new EventWithoutLane(frame, lane);
  }

  #refusal(error: unknown): RelayRefusal {
    if (!(error instanceof TurnwireError)) throw error;
    const failure = fetchFailureOf(error, this.#turn.report);
    switch (failure.name) {
      case 'not_sent':
        return { name: 'not_sent', error };
      case 'unknown':
        return { name: 'unknown', error, body: unknownOutcomeBody(error) };
      default: {
        const { status, headers, body } = errorResponseParts(error, failure);
        return { name: 'refused', status, headers: withoutFraming(headers), body, server: failure.server, error };
      }
    }
  }
}

function withoutFraming(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isFraming(name)));
}
