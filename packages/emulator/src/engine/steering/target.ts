import type { CreateRequest } from '../../request/request.js';
import { endsResponse } from '../../wire/terminal.js';
import type { Frames, CountUsage } from '../turn-sink.js';
import type { Frame, Item, ResponseObject } from '../../wire/wire.js';
import { answeredKey, callKeys, isClientCall } from '../../wire/client-calls.js';
import { itemOf, responseOf, untilEnded, type EarlyEnd } from './early-end.js';
import type { Submission } from './submission.js';

/** The models that do not support steering (P47). A model of any other name does, so that tests may use names of their own. */
const olderModels = /^(openai\/)?(gpt-[345]|chatgpt|o[134](-|$)|codex-)/;

/** Matches an event whose item may be a call, without parsing the event. */
const callItem = /"type":\s*"\w+_(call|approval_request)"/;

/** A running turn that can be steered, from its `response.created` until its terminal event. */
export class SteerTarget {
  readonly queued: Submission[] = [];
  /** The response in which the turn has ended; undefined while the turn runs, and if it was refused. */
  response: ResponseObject | undefined;
  #created: Frame | undefined;
  #request: CreateRequest | undefined;
  #id: string | undefined;
  #isOver = false;
  /** The events of finished items that may be calls of the client. */
  readonly #calls: Frame[] = [];
  readonly #injected: Item[] = [];
  readonly #interrupted = new AbortController();

  /** Passes the events on, and ends them early if the turn is steered or interrupted. */
  *withSteering(
    frames: Frames,
    request: CreateRequest,
    countUsage: CountUsage,
  ): Generator<Frame, ResponseObject | undefined> {
    this.#request = request;
    const ended = yield* untilEnded(frames, () => this.#endsBecause(), countUsage);
    this.response = ended;
    return ended;
  }

  /** Ends the response at its next event, without delay. A response whose next event is its terminal event ends with that event. */
  interrupt(): void {
    this.#interrupted.abort();
  }

  /** The signal that `interrupt` aborts. */
  get interrupted(): AbortSignal {
    return this.#interrupted.signal;
  }

  #endsBecause(): EarlyEnd {
    if (this.#interrupted.signal.aborted) return 'interrupted';
    return this.queued.length > 0 ? 'steered' : undefined;
  }

  /** Notes an event that is being sent. */
  onSent(frame: Frame): void {
    if (frame.type === 'response.created') this.#created = frame;
    if (frame.type === 'response.output_item.done' && callItem.test(frame.text)) this.#calls.push(frame);
    if (endsResponse(frame.type)) this.#isOver = true;
  }

  /** The id of the response, once `response.created` was sent. */
  get id(): string | undefined {
    // The event is parsed only when the id is needed, which is rare.
    if (this.#created !== undefined) this.#id ??= responseOf(this.#created.text)?.id;
    return this.#id;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The outputs that were injected while the turn ran. A turn that continues the response finds them after the response's output. */
  get injected(): readonly Item[] {
    return this.#injected;
  }

  /** Takes all of the outputs if each answers a call of this response that was sent and has no output yet; else none of them. */
  inject(outputs: readonly Item[]): boolean {
    const calls = this.#calls.map(({ text }) => itemOf(text)).filter((item) => item !== undefined);
    const open = new Set(requiredKeys(calls, this.#injected));
    const answered = outputs.map(answeredKey);
    if (new Set(answered).size < answered.length || !answered.every((key) => key !== undefined && open.has(key)))
      return false;
    this.#injected.push(...outputs);
    return true;
  }

  /** Why this response does not support steering (P47); undefined if it does. */
  get unsupported(): string | undefined {
    const request = this.#request;
    if (request === undefined) return undefined;
    if (olderModels.test(request.model)) return `The model '${request.model}' does not support steering.`;
    if (isGiven(request['conversation'])) return 'Responses of a conversation do not support steering.';
    if (isGiven(request['context_management'])) return 'Responses with automatic compaction do not support steering.';
    if (isGiven(request['multi_agent'])) return 'Multi-agent responses do not support steering.';
    return undefined;
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The keys of the client's calls that none of the outputs answers. */
function requiredKeys(calls: readonly Item[], outputs: readonly Item[]): readonly string[] {
  const answered = new Set(outputs.map(answeredKey));
  return calls
    .filter(isClientCall)
    .map(callKeys)
    .filter((keys) => !keys.some((key) => answered.has(key)))
    .flat();
}
