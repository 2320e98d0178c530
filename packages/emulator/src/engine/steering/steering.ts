import { faultField } from '../../faults/requested-faults.js';
import type { Ids } from '../../wire/ids.js';
import type { Lane, QueuedCreate } from '../lanes/lane.js';
import { isRecord } from '../../wire/wire.js';
import { steerAccepted, steerFailed, steerPending, type SteerAnswer, type SteerErrorCode } from './answers.js';
import { requiredInput } from './required-input.js';
import { parseSteer, type ParsedSteer, type Submission } from './submission.js';
import { SteerTarget } from './target.js';

/** How many ended responses a socket remembers, to answer a late steer differently from a steer with an unknown id. */
const rememberedResponses = 256;

export interface SteeringLimits {
  readonly pendingSteers: number;
  readonly queuedBytes: number;
}

/** A turn that is about to run, and the accepted steering input that precedes its own input. */
export interface StartedTurn {
  readonly target: SteerTarget;
  readonly steered: readonly Submission[];
}

/** The fields of a create that an automatic successor does not inherit (P48). */
const ownFields = new Set(['input', 'previous_response_id', 'generate', 'stream_id']);

/**
 * Steering on one socket (P47–P51). A steer is accepted while its target runs. The target then ends, early if possible, and
 *
 * - the server continues the target with the accepted input (`end` returns that create); or
 * - the target waits for tool outputs: the input is pending until the create that brings them; or
 * - the target has failed, and the input is returned to the client.
 */
export class Steering {
  readonly #ids: Ids;
  readonly #limits: SteeringLimits;
  readonly #lanes: () => Iterable<Lane>;
  readonly #sendAnswer: (lane: Lane | undefined, answer: SteerAnswer) => void;
  readonly #finished = new Map<string, { readonly lane: Lane; readonly status: string }>();

  constructor(
    ids: Ids,
    limits: SteeringLimits,
    lanes: () => Iterable<Lane>,
    sendAnswer: (lane: Lane | undefined, answer: SteerAnswer) => void,
  ) {
    this.#ids = ids;
    this.#limits = limits;
    this.#lanes = lanes;
    this.#sendAnswer = sendAnswer;
  }

  receive(body: Record<string, unknown>, bytes: number): void {
    const steer = parseSteer(body);
    const lane = [...this.#lanes()].find(({ target }) => target?.id === steer.parent && !target.isOver);
    const target = lane?.target;
    const refused = (code: SteerErrorCode, message: string, at = lane) =>
      this.#sendAnswer(at, steerFailed(steer, code, message));
    if (steer.problem !== undefined) return refused('invalid_input', steer.problem);
    if (lane === undefined || target === undefined) return this.#refuseLate(steer);
    if (target.unsupported !== undefined) return refused('steering_not_supported', target.unsupported);
    if (target.queued.length >= this.#limits.pendingSteers || this.#pendingBytes() + bytes > this.#limits.queuedBytes) {
      return refused('too_many_pending_steers', 'Too much steering input is pending for this response.');
    }
    const { parent, input, items } = steer;
    const submission = { id: this.#ids.next('steer'), parent, input, items, bytes };
    target.queued.push(submission);
    this.#sendAnswer(lane, steerAccepted(submission));
  }

  /** The lane of a response of this socket, undefined for an unknown id, and whether the response has ended. */
  find(id: string): { readonly lane: Lane | undefined; readonly isOver: boolean } {
    const lane = [...this.#lanes()].find(({ target }) => target?.id === id && !target.isOver);
    const finished = lane === undefined ? this.#finished.get(id) : undefined;
    return { lane: lane ?? finished?.lane, isOver: finished !== undefined };
  }

  /** The bytes of all input that is accepted and that no turn has taken yet. */
  #pendingBytes(): number {
    const input = [...this.#lanes()].flatMap(({ target, pending }) => [
      target?.queued ?? [],
      pending?.submissions ?? [],
    ]);
    return input.flat().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #refuseLate(steer: ParsedSteer): void {
    const finished = this.#finished.get(steer.parent);
    const refused = (code: SteerErrorCode, message: string) =>
      this.#sendAnswer(finished?.lane, steerFailed(steer, code, `${message} Send it as the input of a new response.`));
    if (finished === undefined) {
      return refused('response_not_found', `This connection has no response '${steer.parent}'.`);
    }
    if (finished.status === 'completed') return refused('response_already_completed', 'The response has completed.');
    refused('response_not_active', `The response has ended (${finished.status}).`);
  }

  /** Begins a turn. A create that continues the steered response takes the pending input of its lane; any other create lets it fail. */
  begin(lane: Lane, next: QueuedCreate): StartedTurn {
    const target = new SteerTarget();
    lane.target = target;
    if (next.successor !== undefined) return { target, steered: next.successor };
    const { pending } = lane;
    if (pending === undefined) return { target, steered: [] };
    lane.pending = undefined;
    if (isRecord(next.body) && next.body['previous_response_id'] === pending.parent) {
      return { target, steered: pending.submissions };
    }
    this.returnInput(
      lane,
      pending.submissions,
      'The next response of the lane did not continue the one that was steered.',
    );
    return { target, steered: [] };
  }

  /** Ends a turn. Returns the body of the successor to begin now; undefined if there is none. */
  end(lane: Lane, target: SteerTarget, body: unknown): unknown {
    lane.target = undefined;
    const { response, queued } = target;
    if (response !== undefined) this.#remember(response.id, { lane, status: response.status });
    if (queued.length === 0) return undefined;
    if (response === undefined || response.status === 'failed') {
      this.returnInput(lane, queued, 'The response that was steered has failed.');
      return undefined;
    }
    const required = requiredInput(response.output, target.injected);
    if (required.length > 0) {
      lane.pending = { parent: response.id, submissions: queued };
      for (const submission of queued) this.#sendAnswer(lane, steerPending(submission, required));
      return undefined;
    }
    return { ...inherited(body), previous_response_id: response.id, input: [] };
  }

  /** Returns accepted input that no successor has taken to the client. */
  returnInput(lane: Lane, submissions: readonly Submission[], message: string): void {
    for (const submission of submissions)
      this.#sendAnswer(lane, steerFailed(submission, 'successor_creation_failed', message));
  }

  #remember(id: string, finished: { readonly lane: Lane; readonly status: string }): void {
    this.#finished.set(id, finished);
    for (const oldest of this.#finished.keys()) {
      if (this.#finished.size <= rememberedResponses) break;
      this.#finished.delete(oldest);
    }
  }
}

/** The fields that a successor inherits from the create that was steered. A requested fault is not inherited, because it has struck already. */
function inherited(body: unknown): Record<string, unknown> {
  if (!isRecord(body)) return {};
  const fields = Object.entries(body).filter(([name]) => !ownFields.has(name));
  const { metadata } = body;
  if (!isRecord(metadata)) return Object.fromEntries(fields);
  const { [faultField]: _, ...kept } = metadata;
  return { ...Object.fromEntries(fields), metadata: kept };
}
