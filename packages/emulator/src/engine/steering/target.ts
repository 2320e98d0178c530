import type { CreateRequest } from '../../request/request.js';
import { endsResponse } from '../../wire/terminal.js';
import type { Frames, CountUsage } from '../turn-sink.js';
import type { Frame, Item, ResponseObject } from '../../wire/wire.js';
import { answeredKey, callKeys, isClientCall } from '../../wire/client-calls.js';
import { itemOf, responseOf, untilEnded, type EarlyEnd } from './early-end.js';
import type { Submission } from './submission.js';

/** Models from before steering (P47). Any other name can be steered, so that tests may use names of their own. */
const olderModels = /^(openai\/)?(gpt-[345]|chatgpt|o[134](-|$)|codex-)/;

/** An item that may be a call, without parsing it. */
const callItem = /"type":\s*"\w+_(call|approval_request)"/;

/** A turn that runs and may be steered: from its `response.created` until its terminal event. */
export class SteerTarget {
  readonly queued: Submission[] = [];
  /** The response it ended in; undefined while it runs, and if it was refused. */
  response: ResponseObject | undefined;
  #created: Frame | undefined;
  #request: CreateRequest | undefined;
  #id: string | undefined;
  #isOver = false;
  /** The events of finished items that may be calls of the client. */
  readonly #calls: Frame[] = [];
  readonly #injected: Item[] = [];
  readonly #interrupted = new AbortController();

  /** Hands the events through, and ends them early if the turn is steered. */
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

  /** Ends the response at its next event, which is not waited for. One that has begun its terminal event ends as it would have. */
  interrupt(): void {
    this.#interrupted.abort();
  }

  /** Aborted by `interrupt`. */
  get interrupted(): AbortSignal {
    return this.#interrupted.signal;
  }

  #endsBecause(): EarlyEnd {
    if (this.#interrupted.signal.aborted) return 'interrupted';
    return this.queued.length > 0 ? 'steered' : undefined;
  }

  /** Hears of each event that goes out. */
  onSent(frame: Frame): void {
    if (frame.type === 'response.created') this.#created = frame;
    if (frame.type === 'response.output_item.done' && callItem.test(frame.text)) this.#calls.push(frame);
    if (endsResponse(frame.type)) this.#isOver = true;
  }

  /** The response's id, once the client can know it. */
  get id(): string | undefined {
    // Read from the event only when someone asks, which is rare.
    if (this.#created !== undefined) this.#id ??= responseOf(this.#created.text)?.id;
    return this.#id;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Outputs that came while it ran, after its own output in what continues it. */
  get injected(): readonly Item[] {
    return this.#injected;
  }

  /** Takes all of these outputs, if each answers a call that the client has been sent and nobody has answered; else none. */
  inject(outputs: readonly Item[]): boolean {
    const calls = this.#calls.map(({ text }) => itemOf(text)).filter((item) => item !== undefined);
    const open = new Set(requiredKeys(calls, this.#injected));
    const answered = outputs.map(answeredKey);
    if (new Set(answered).size < answered.length || !answered.every((key) => key !== undefined && open.has(key)))
      return false;
    this.#injected.push(...outputs);
    return true;
  }

  /** Why this response cannot be steered at all, if so (P47). */
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

/** The keys of those calls of the client that these outputs do not answer. */
function requiredKeys(calls: readonly Item[], outputs: readonly Item[]): readonly string[] {
  const answered = new Set(outputs.map(answeredKey));
  return calls
    .filter(isClientCall)
    .map(callKeys)
    .filter((keys) => !keys.some((key) => answered.has(key)))
    .flat();
}
