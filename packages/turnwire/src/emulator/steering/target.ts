import type { CreateRequest } from '../request.js';
import type { Frames, Recount } from '../turn.js';
import type { Frame, ResponseObject } from '../wire.js';
import { responseOf, untilSteered } from './early-end.js';
import type { Submission } from './submission.js';

/** Models from before steering (P47). Any other name can be steered, so that tests may use names of their own. */
const OLDER_MODELS = /^(openai\/)?(gpt-[345]|chatgpt|o[134](-|$)|codex-)/;

/** A turn that runs and may be steered: from its `response.created` until its terminal event. */
export class SteerTarget {
  readonly queued: Submission[] = [];
  /** The response it ended in; undefined while it runs, and if it was refused. */
  response: ResponseObject | undefined;
  #created: Frame | undefined;
  #request: CreateRequest | undefined;
  #id: string | undefined;
  #isOver = false;

  /** Hands the events through, and ends them early if the turn is steered. */
  *watch(frames: Frames, request: CreateRequest, recount: Recount): Generator<Frame, ResponseObject | undefined> {
    this.#request = request;
    const ended = yield* untilSteered(frames, () => this.queued.length > 0, recount);
    this.response = ended;
    return ended;
  }

  /** Hears of each event that goes out. */
  sent(frame: Frame): void {
    if (frame.type === 'response.created') this.#created = frame;
    if (/^response\.(completed|failed|incomplete)$/.test(frame.type)) this.#isOver = true;
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

  /** Why this response cannot be steered at all, if so (P47). */
  get unsupported(): string | undefined {
    const request = this.#request;
    if (request === undefined) return undefined;
    if (OLDER_MODELS.test(request.model)) return `The model '${request.model}' does not support steering.`;
    if (isGiven(request['conversation'])) return 'Responses of a conversation do not support steering.';
    if (isGiven(request['context_management'])) return 'Responses with automatic compaction do not support steering.';
    if (isGiven(request['multi_agent'])) return 'Multi-agent responses do not support steering.';
    return undefined;
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
