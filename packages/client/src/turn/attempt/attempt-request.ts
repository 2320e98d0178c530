import { TurnwireError } from '../../protocol/errors/errors.js';
import { framePrefix } from '../request.js';
import { textBytes } from '../../websocket/frame.js';
import type { ChainPlan } from '../../continuation/memory.js';
import type { ProviderLimits } from '../../protocol/limits.js';
import type { ExpectedParent } from '../../response/expected-parent.js';
import type { LaneView, OutgoingRequest, Parent } from '../../transport/transport.js';
import type { MessageText } from '../../websocket/frame.js';
import type { TurnRequest } from '../request.js';

/** How a turn's input travels. */
export type Plan =
  | ChainPlan
  /** `sse`: every request over SSE is full; `input_unknown`: the input is neither a string nor an array; `provider`: see `ProviderLimits`. */
  | { name: 'full'; reason: 'sse' | 'input_unknown' | 'provider' }
  /** The caller named the response itself. */
  | { name: 'explicit' };

type FrameLimits = Pick<ProviderLimits, 'maxFrameBytes' | 'echoesPreviousId'>;

/** The request of one attempt. Its plan may still change when the lane is known. */
export class AttemptRequest implements OutgoingRequest {
  readonly store: boolean;
  readonly #request: TurnRequest;
  readonly #limits: FrameLimits;
  #plan: Plan;
  #text: MessageText | undefined;

  constructor(request: TurnRequest, plan: Plan, limits: FrameLimits) {
    this.#request = request;
    this.#plan = plan;
    this.#limits = limits;
    this.store = request.store;
  }

  get plan(): Plan {
    return this.#plan;
  }

  get continuable(): boolean {
    return this.#request.continuable && (this.#plan.name !== 'full' || this.#plan.reason !== 'id_ignored');
  }

  get parent(): Parent | undefined {
    const plan = this.#plan;
    const { previousResponseId } = this.#request;
    if (plan.name === 'delta') return plan;
    // A response that the caller names may be stored.
    return previousResponseId === undefined ? undefined : { responseId: previousResponseId, stored: true };
  }

  get expectedParent(): ExpectedParent | undefined {
    const { parent } = this;
    if (parent === undefined) return undefined;
    // A server that names no parent is accepted if the caller gave the id: the caller knows its server. Another parent never is.
    return { responseId: parent.responseId, required: this.#plan.name === 'delta' && this.#limits.echoesPreviousId };
  }

  /** The error of a request that is larger than one frame of the provider; known before anything is dialled (E1). */
  get tooLarge(): TurnwireError | undefined {
    const text = this.#frameText();
    // A UTF-16 unit has three bytes at most: a short text need not be counted.
    const { maxFrameBytes } = this.#limits;
    if (typeof text === 'string' && 3 * text.length <= maxFrameBytes) return undefined;
    const bytes = textBytes(text);
    if (bytes <= maxFrameBytes) return undefined;
    return new TurnwireError(
      'request_too_large',
      `the request has ${bytes} bytes, and one frame of this provider at most ${maxFrameBytes}`,
    );
  }

  frame(lane: LaneView): MessageText {
    const plan = this.#plan;
    if (plan.name === 'delta' && !plan.stored && !lane.holds(plan.responseId)) {
      // The lane no longer holds the response, and an id that is not stored is unknown elsewhere (D2).
      this.#plan = { name: 'full', reason: 'chain_lost' };
      this.#text = undefined;
      const { tooLarge } = this;
      if (tooLarge !== undefined) throw tooLarge;
    }
    const text = this.#frameText();
    this.#text = undefined;
    const { streamId } = lane;
    return streamId === undefined ? text : withStreamId(text, streamId);
  }

  body(): string {
    return this.#request.body();
  }

  #frameText(): MessageText {
    return (this.#text ??= this.#request.frame(this.#plan.name === 'delta' ? this.#plan : undefined));
  }
}

function withStreamId(text: MessageText, streamId: string): MessageText {
  if (typeof text !== 'string') return [withStreamId(text[0] ?? '', streamId) as string, ...text.slice(1)];
  return `${framePrefix},"stream_id":${JSON.stringify(streamId)}${text.slice(framePrefix.length)}`;
}

/** Writes a plan and its reason into a report. */
export function describePlan(target: { plan: 'full' | 'delta'; planReason: string | undefined }, plan: Plan): void {
  target.plan = plan.name === 'full' ? 'full' : 'delta';
  target.planReason = plan.name === 'full' ? plan.reason : plan.name === 'explicit' ? 'explicit' : undefined;
}
