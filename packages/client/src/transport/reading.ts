import { TurnwireError } from '../protocol/errors.js';
import { isHousekeeping } from '../protocol/frame.js';
import { readServerError } from '../protocol/server-error.js';
import { isError, responseOf, terminalOf } from '../protocol/terminal.js';
import type { ResponseEvent } from '../protocol/events.js';

/**
 * awaiting ──created──▶ begun ──terminal──▶ ended
 *    │                    └──error──▶ failing ──response.failed──▶ ended
 *    └──error──▶ refused
 */
type State =
  | { name: 'awaiting' }
  | { name: 'begun' | 'failing' | 'ended'; responseId: string | undefined }
  | { name: 'refused' };

/** What to do with an event. */
export type Verdict =
  | { name: 'pass' }
  /** Pass it on; it is the last. */
  | { name: 'end' }
  /** Pass it on; a `response.failed` of the same response may follow, and is then the last. */
  | { name: 'failing' }
  /** Not an event of the answer: the server has refused the turn. */
  | { name: 'refused'; error: TurnwireError }
  /** It belongs to another response. */
  | { name: 'foreign'; why: string };

/**
 * What the events of one turn say, read in order: has the server begun, has it ended, is this ours at all. The same over both
 * transports.
 */
export class Reading {
  #state: State = { name: 'awaiting' };
  /** The server's own word on whether it stores the response (P80). */
  stored: boolean | undefined;
  readonly #strict: boolean;
  readonly #before: string | undefined;

  /**
   * `strict`: events of other responses are possible here, because the connection has carried other turns (F4); `before` is the id of
   * the response that was the last one there.
   */
  constructor(options: { strict: boolean; before?: string | undefined }) {
    this.#strict = options.strict;
    this.#before = options.before;
  }

  get responseId(): string | undefined {
    return 'responseId' in this.#state ? this.#state.responseId : undefined;
  }

  read(event: ResponseEvent): Verdict {
    const state = this.#state;
    if (isError(event)) {
      if (state.name === 'awaiting') {
        this.#state = { name: 'refused' };
        return { name: 'refused', error: refusal(event) };
      }
      this.#state = { name: 'failing', responseId: this.responseId };
      return { name: 'failing' };
    }
    const response = responseOf(event);
    if (state.name === 'awaiting') {
      if (response === undefined)
        return isHousekeeping(event) || !this.#strict ? pass : foreign('an event came before response.created');
      if (this.#strict && idOf(response) === this.#before) return foreign('an event of the response before came');
      this.#state = { name: 'begun', responseId: idOf(response) };
      if (typeof response['store'] === 'boolean') this.stored = response['store'];
      if (terminalOf(event) === undefined) return pass;
      // A connection that has carried other turns may still hold the end of one of them.
      if (this.#strict) return foreign('a response ended before it began');
    } else if (response !== undefined && this.responseId !== undefined && idOf(response) !== this.responseId) {
      return foreign('an event of another response came');
    }
    if (terminalOf(event) === undefined) return pass;
    this.#state = { name: 'ended', responseId: this.responseId };
    return end;
  }
}

const pass: Verdict = { name: 'pass' };
const end: Verdict = { name: 'end' };

function foreign(why: string): Verdict {
  return { name: 'foreign', why };
}

function idOf(response: { id?: unknown }): string | undefined {
  return typeof response.id === 'string' ? response.id : undefined;
}

function refusal(event: ResponseEvent): TurnwireError {
  const server = readServerError(event);
  const { status } = server;
  const named = [status, server.code].filter((part) => part !== undefined).join(', ');
  return new TurnwireError(
    'request_refused',
    `the server refused the turn${named === '' ? '' : ` (${named})`}: ${server.message}`,
    {
      phase: 'sent',
      status,
      server,
      retryable:
        status !== undefined
          ? status === 408 || status === 409 || status === 429 || status >= 500
          : server.code === 'rate_limit_exceeded' || server.code === 'server_error',
    },
  );
}
