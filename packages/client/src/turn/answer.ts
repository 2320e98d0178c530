import { TurnwireError } from '../protocol/errors.js';
import { clean, readServerError } from '../protocol/server-error.js';
import { isError, terminalOf } from '../protocol/terminal.js';
import { Output } from './output.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Frame } from '../protocol/frame.js';
import type { Response } from '../protocol/response.js';
import type { Secrets } from '../protocol/secrets.js';
import type { Terminal } from '../protocol/terminal.js';
import type { Held } from './output.js';

/**
 * What the events of a turn come to: its responses (one, or more where it was steered), and how the last one ended. Nothing is changed
 * in the events.
 */
export class Answer {
  responseId: string | undefined;
  /** The server's own word on whether it stores the response (P80). */
  stored: boolean | undefined;
  /** Of the last response; undefined while it runs. */
  terminal: Terminal | undefined;
  /** The `error` event of a response that had begun. */
  errorEvent: ResponseEvent | undefined;
  /** Those that have ended, in their order, complete. */
  readonly responses: Response[] = [];
  readonly #secrets: Secrets;
  #output = new Output();
  #bytes = 0;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Of the output items kept, as they came. */
  get bytes(): number {
    return this.#bytes + this.#output.bytes;
  }

  read(frame: Frame): void {
    const { type, traits } = frame;
    if (type !== undefined && traits.terminal === undefined && !isOfItsLife.has(type)) return;
    const { event } = frame;
    if (type === 'response.output_item.done') return this.#output.read(event, frame.size);
    if (isError(event)) {
      this.errorEvent ??= event;
      return;
    }
    if (type === 'response.created') return this.#begin(event);
    const terminal = terminalOf(event);
    // After an `error` only the failure that belongs to it still counts: the first end is the end (F9).
    if (terminal?.outcome === undefined || (this.errorEvent !== undefined && terminal.outcome !== 'failed')) return;
    this.terminal = terminal;
    this.#take(terminal.response);
    const response = this.#output.complete(terminal.response);
    this.responses.push(response);
    this.held = this.#output.held(response);
  }

  /** The output of the last response as the server knows it; undefined where it cannot be remembered. */
  held: Held | undefined;

  /** @throws TurnwireError `response_failed`, `response_cancelled` */
  get response(): Response {
    const { terminal, responseId } = this;
    const last = this.responses.at(-1);
    if (last !== undefined && (terminal?.outcome === 'completed' || terminal?.outcome === 'incomplete')) return last;
    if (terminal?.outcome === 'cancelled')
      throw new TurnwireError('response_cancelled', 'the response was cancelled', { phase: 'terminal', responseId });
    const server = readServerError(
      this.#secrets.hideIn(terminal === undefined ? this.errorEvent : { response: terminal.response }),
    );
    throw new TurnwireError(
      'response_failed',
      `the response failed${server.code === undefined ? '' : ` (${server.code})`}: ${clean(server.message)}`,
      { phase: 'terminal', responseId, status: server.status, server },
    );
  }

  #begin(event: ResponseEvent): void {
    // The successor of a steered response: what the first one gave stays in `responses`.
    if (this.terminal !== undefined) {
      this.#bytes += this.#output.bytes;
      this.#output = new Output();
      this.terminal = undefined;
    }
    const { response } = event as { response?: { id?: unknown; store?: unknown } };
    if (typeof response?.store === 'boolean') this.stored = response.store;
    this.#take(response);
  }

  #take(response: { id?: unknown } | undefined): void {
    if (typeof response?.id === 'string') this.responseId = response.id;
  }
}

/** Beside its ends. */
const isOfItsLife: ReadonlySet<string> = new Set(['response.created', 'response.output_item.done']);
