import { TurnwireError } from '../protocol/errors.js';
import { isHousekeeping } from '../protocol/event-types.js';
import { readServerError } from '../protocol/server-error.js';
import { isError, responseOf, terminalOf } from '../protocol/terminal.js';
import { Steering } from './steering.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Frame } from '../protocol/frame.js';
import type { Secrets } from '../protocol/secrets.js';
import type { Terminal } from '../protocol/terminal.js';
import type { Wait } from './steering.js';

/**
 * awaiting ──created──▶ begun ──terminal──▶ ended
 *    │                  ▲   ├──terminal of a steered response──▶ between ──nothing follows──▶ ended
 *    │                  └───┼──created of the successor────────────┘
 *    │                      └──error──▶ failing ──response.failed──▶ ended
 *    └──error──▶ refused
 */
type State =
  | { name: 'awaiting' }
  | { name: 'begun' | 'between' | 'failing' | 'ended'; responseId: string | undefined }
  | { name: 'refused' };

/** What to do with an event. */
export type Verdict =
  | { name: 'pass' }
  /** Pass it on; it is the last. */
  | { name: 'end' }
  /** Pass it on; a successor of the response, or the news that none comes, must follow (P48, P49). */
  | { name: 'between'; wait: Wait }
  /** Pass it on; a `response.failed` of the same response may follow, and is then the last. */
  | { name: 'failing' }
  /** Not an event of the answer: the server has refused the turn. */
  | { name: 'refused'; error: TurnwireError }
  /** It belongs to another response. */
  | { name: 'foreign'; why: string }
  /** It says that the response has ended, and not how. */
  | { name: 'broken'; why: string };

/**
 * What the events of one turn say, read in order: has the server begun, has it ended, is this ours at all. The same over both
 * transports.
 */
export class Reading {
  readonly steering = new Steering();
  /** The server's own word on whether it stores the response (P80). */
  stored: boolean | undefined;
  /** The last terminal event that was read. */
  terminal: Terminal | undefined;
  readonly #secrets: Secrets;
  readonly #strict: boolean;
  #state: State = { name: 'awaiting' };
  #before: string | undefined;

  /**
   * `strict`: events of other responses are possible here, because the connection has carried other turns (F4); `before` is the id of
   * the response that was the last one there.
   */
  constructor(options: { strict: boolean; before?: string | undefined; secrets: Secrets }) {
    this.#secrets = options.secrets;
    this.#strict = options.strict;
    this.#before = options.before;
  }

  /** A response has ended, and its successor has not begun. */
  get between(): boolean {
    return this.#state.name === 'between';
  }

  get responseId(): string | undefined {
    return 'responseId' in this.#state ? this.#state.responseId : undefined;
  }

  read(frame: Frame): Verdict {
    const state = this.#state;
    if (frame.quiet && state.name === 'begun') return pass;
    const { event } = frame;
    if (isError(event)) return this.#readError(event);
    if (frame.type?.startsWith('response.steer.') && state.name !== 'awaiting') return this.#readSteering(event);
    const response = responseOf(event);
    switch (state.name) {
      case 'awaiting':
      case 'between':
        if (terminalOf(event)?.outcome === undefined && frame.traits.terminal !== undefined)
          return this.#readTerminal(event);
        if (response === undefined)
          return isHousekeeping(event) || (state.name === 'awaiting' && !this.#strict)
            ? pass
            : foreign('an event came before response.created');
        return this.#begin(event, response);
      default:
        if (response !== undefined && this.responseId !== undefined && idOf(response) !== this.responseId)
          return foreign('an event of another response came');
        return this.#readTerminal(event);
    }
  }

  #begin(event: ResponseEvent, response: { id?: unknown; store?: unknown }): Verdict {
    const strict = this.#strict || this.#state.name === 'between';
    if (strict && idOf(response) === this.#before) return foreign('an event of the response before came');
    if (this.#state.name === 'between') this.steering.succeeded();
    this.#state = { name: 'begun', responseId: idOf(response) };
    if (typeof response.store === 'boolean') this.stored = response.store;
    if (terminalOf(event) === undefined) return pass;
    // A connection that has carried other turns may still hold the end of one of them.
    return strict ? foreign('a response ended before it began') : this.#readTerminal(event);
  }

  #readTerminal(event: ResponseEvent): Verdict {
    const terminal = terminalOf(event);
    if (terminal === undefined) return pass;
    const { responseId } = this;
    if (terminal.outcome === undefined) {
      // An error has said already how it ended.
      const isFailing = this.#state.name === 'failing';
      this.#state = { name: 'ended', responseId };
      return isFailing ? end : { name: 'broken', why: `the server sent ${terminal.why}` };
    }
    this.terminal = terminal;
    const wait = this.#state.name === 'failing' ? undefined : this.steering.waitAfter(terminal);
    if (wait === undefined) {
      this.#state = { name: 'ended', responseId };
      return end;
    }
    this.#before = responseId;
    this.#state = { name: 'between', responseId };
    return { name: 'between', wait };
  }

  #readSteering(event: ResponseEvent): Verdict {
    this.steering.read(event);
    if (this.#state.name !== 'between' || this.steering.open) return pass;
    this.#state = { name: 'ended', responseId: this.responseId };
    return end;
  }

  #readError(event: ResponseEvent): Verdict {
    if (this.#state.name === 'awaiting') {
      this.#state = { name: 'refused' };
      return { name: 'refused', error: refusal(this.#secrets.hideIn(event)) };
    }
    this.#state = { name: 'failing', responseId: this.responseId };
    return { name: 'failing' };
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
    { phase: 'sent', status, server },
  );
}
