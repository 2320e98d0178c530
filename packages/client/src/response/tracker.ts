import { maxOutputBytes } from '../base/bounds.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { isHousekeeping } from '../protocol/event-types.js';
import { sanitize, parseServerError } from '../protocol/errors/server-error.js';
import { isError, responseOf, terminalOf } from '../protocol/terminal.js';
import { chainIgnoredError, ignoresParent } from './expected-parent.js';
import { itemIdOf } from './connection-responses.js';
import { OutputItems } from './output-items.js';
import { phaseAfter } from './phase.js';
import { itemsOf } from '../protocol/request.js';
import type { Steering } from './steering.js';
import type { Json } from '../json/json.js';
import type { Phase } from '../protocol/phase.js';
import type { ResponseEvent } from '../protocol/events.js';
import type { Frame } from '../protocol/frame.js';
import type { Response } from '../protocol/response.js';
import type { Secrets } from '../protocol/errors/secrets.js';
import type { Terminal } from '../protocol/terminal.js';
import type { ExpectedParent } from './expected-parent.js';
import type { ConnectionResponses } from './connection-responses.js';
import type { StoredOutput } from './output-items.js';
import type { SuccessorWait } from './steering.js';

/**
 * awaiting ──created──▶ begun ──terminal──▶ ended
 *    │                  ▲   ├──terminal of a steered response──▶ awaiting_successor ──nothing follows──▶ ended
 *    │                  └───┼──created of the successor──────────────┘
 *    │                      └──error──▶ failing ──response.failed──▶ ended
 *    └──error──▶ refused
 */
type State = 'awaiting' | 'begun' | 'awaiting_successor' | 'failing' | 'ended' | 'refused';

/** What becomes of an event. */
export type Disposition =
  | { name: 'pass' }
  /** Pass the event on; it is the last one. */
  | { name: 'end' }
  /** Pass the event on; a successor of the response, or the news that none comes, must follow (P48, P49). */
  | { name: 'awaiting_successor'; wait: SuccessorWait }
  /** Pass the event on; a `response.failed` of the same response may follow, and is the last one then. */
  | { name: 'failing' }
  /** The server has refused the turn. */
  | { name: 'refused'; error: TurnwireError }
  /** The server has ignored `previous_response_id`: its response is to another input. */
  | { name: 'ignored'; error: TurnwireError }
  /** The event belongs to another response. */
  | { name: 'foreign'; why: string }
  /** The response is too large, or its end does not say how it ended. */
  | { name: 'broken'; error: TurnwireError };

/**
 * The state machine of the response of one attempt, over either transport: beginning, id, items, phase, end, and whether an event belongs to it at all. A
 * steered turn has several responses, one after the other. Events are not changed.
 */
export class ResponseTracker {
  readonly steering: Steering;
  /** How far the turn is, from what is certain. */
  phase: Phase = 'queued';
  /** Items that earlier responses of the turn, and the input they were steered with, have added to the chain. */
  added: readonly Json[] = [];
  /** The responses that have ended, in order, with their output. */
  readonly responses: Response[] = [];
  /** The id of the last response that has begun. */
  responseId: string | undefined;
  /** Whether the server says that it stores the response; undefined if it says nothing (P80). */
  stored: boolean | undefined;
  /** The end of the last response; undefined while it runs. */
  terminal: Terminal | undefined;
  /** The `error` event of a response that had begun. */
  errorEvent: ResponseEvent | undefined;
  /** The output of the last response as the server holds it; undefined if it cannot be remembered. */
  storedOutput: StoredOutput | undefined;
  /** The id of the response has changed from event to event. */
  idChanges = false;
  /** No event has said that the response begins. */
  unannounced = false;
  readonly #secrets: Secrets;
  #state: State = 'awaiting';
  #output: OutputItems;
  readonly #rebuilds: boolean;
  /** The bytes of the items of earlier responses. */
  #bytes = 0;
  #expectedParent: ExpectedParent | undefined;
  #connection: ConnectionResponses | undefined;
  #reused = false;
  /** The number of the response on its connection. */
  #number = 0;
  /** The item of this response whose delta came last. */
  #itemId: string | undefined;

  /**
   * @param steering the submissions of the turn, which outlive an attempt.
   * @param rebuilds false where nobody asks for the response: its reader has the events.
   */
  constructor(secrets: Secrets, steering: Steering, rebuilds = true) {
    this.#secrets = secrets;
    this.steering = steering;
    this.#rebuilds = rebuilds;
    this.#output = new OutputItems(rebuilds);
  }

  /** The request goes out: from here on the server may have a part of it. */
  requestSending(): void {
    this.phase = 'sending';
  }

  /** The operating system has taken all of the request. The answer may be faster than this news. */
  requestSent(): void {
    if (this.phase === 'sending') this.phase = 'sent';
  }

  /** An event was handed over to the turn. True for the first one. */
  eventDelivered(frame: Frame): boolean {
    const isFirst = this.phase === 'sending' || this.phase === 'sent';
    if (isFirst) this.phase = 'created';
    // After text was visible, only a finished item changes the phase, and such a frame is inspected.
    if (this.phase === 'created' || (this.phase === 'visible' && !frame.opaque))
      this.phase = phaseAfter(this.phase, frame);
    return isFirst;
  }

  /** The turn has ended with its terminal event. */
  turnEnded(): void {
    this.phase = 'terminal';
  }

  /**
   * Called when the request is about to be sent.
   *
   * @param guard the other responses of the connection; undefined over SSE.
   * @param reused whether the connection has carried other turns.
   */
  expect(echo: ExpectedParent | undefined, guard?: ConnectionResponses, reused = false): void {
    this.#expectedParent = echo;
    this.#connection = guard;
    this.#reused = reused;
  }

  get begun(): boolean {
    return this.#state !== 'awaiting' && this.#state !== 'refused';
  }

  /** A response has ended, and its successor has not begun. */
  get awaitsSuccessor(): boolean {
    return this.#state === 'awaiting_successor';
  }

  /** The bytes of all output items that are kept, as they came. */
  get bytes(): number {
    return this.#bytes + this.#output.bytes;
  }

  /** The last response can be continued by its id: it has completed, and its id did not change. */
  get continuable(): boolean {
    const { outcome, response } = this.terminal ?? {};
    return outcome === 'completed' && typeof response?.id === 'string' && response.id !== '' && !this.idChanges;
  }

  /** @throws TurnwireError `response_failed`, `response_cancelled`, `protocol_error` */
  get result(): Response {
    const { terminal, responseId } = this;
    const last = this.responses.at(-1);
    if (last !== undefined && (terminal?.outcome === 'completed' || terminal?.outcome === 'incomplete')) {
      const { problem } = this.#output;
      if (problem !== undefined) throw new TurnwireError('protocol_error', problem, { phase: 'terminal', responseId });
      return last;
    }
    if (terminal?.outcome === 'cancelled')
      throw new TurnwireError('response_cancelled', 'the response was cancelled', { phase: 'terminal', responseId });
    const server = parseServerError(
      this.#secrets.redactJson(terminal === undefined ? this.errorEvent : { response: terminal.response }),
    );
    throw new TurnwireError(
      'response_failed',
      `the response failed${server.code === undefined ? '' : ` (${server.code})`}: ${sanitize(server.message)}`,
      { phase: 'terminal', responseId, status: server.status, server },
    );
  }

  /** Called for each event, in order, before the turn gets it. */
  read(frame: Frame): Disposition {
    if (frame.opaque && this.#state === 'begun') return this.#readPatch(frame);
    const { event } = frame;
    if (isError(event)) return this.#readError(event);
    if (frame.type?.startsWith('response.steer.') && this.#state !== 'awaiting') return this.#readSteering(event);
    const response = responseOf(event);
    if (this.#state === 'awaiting' || this.#state === 'awaiting_successor') {
      if (response !== undefined) return this.#begin(event, response);
      if (isHousekeeping(event)) return pass;
      return frame.traits.terminal === undefined ? this.#readEarly(frame) : this.#readTerminal(event);
    }
    if (response !== undefined) {
      const why = this.#foreignReason(event, response.id);
      if (why !== undefined) return foreign(why);
    }
    if (frame.type !== 'response.output_item.done') return this.#readTerminal(event);
    if (this.#isForeignItem(frame)) return foreignItem;
    this.#output.read(event, frame.size);
    return this.#passWithinLimit();
  }

  #readPatch(frame: Frame): Disposition {
    if (this.#connection?.ids.hasSeveralResponses === true && this.#isForeignItem(frame)) return foreignItem;
    if (frame.traits.patch === undefined) return pass;
    this.#output.add(frame);
    return this.#passWithinLimit();
  }

  /** An event of an item, and no response has begun. */
  #readEarly(frame: Frame): Disposition {
    // On another lane of a connection that was dialled for both, a response may have begun meanwhile.
    const hasOthers = this.#reused || this.#connection?.ids.hasResponses === true;
    if (this.#state === 'awaiting_successor' || hasOthers) return foreign('an event came before response.created');
    // Without `response.created` no event names the parent.
    if (this.#expectedParent?.required === true)
      return { name: 'ignored', error: chainIgnoredError(this.#expectedParent, undefined) };
    this.unannounced = true;
    if (frame.traits.patch !== undefined) this.#output.add(frame);
    this.#output.read(frame.event, frame.size);
    return this.#passWithinLimit();
  }

  #passWithinLimit(): Disposition {
    if (this.bytes <= maxOutputBytes) return pass;
    return broken('event_too_large', `the output items have more than ${maxOutputBytes} bytes together`);
  }

  #begin(event: ResponseEvent, response: Response): Disposition {
    const isSuccessor = this.#state === 'awaiting_successor';
    if (!isSuccessor && this.#expectedParent !== undefined && ignoresParent(this.#expectedParent, response))
      return { name: 'ignored', error: chainIgnoredError(this.#expectedParent, response) };
    if (isSuccessor) this.#beginSuccessor();
    this.#number = this.#connection?.ids.begin() ?? 0;
    if (!this.#claims(response.id)) return foreign('an event of the response before came');
    this.#state = 'begun';
    if (typeof response.store === 'boolean') this.stored = response.store;
    this.#setId(response);
    if (terminalOf(event) === undefined) {
      this.steering.responseBegan(response.id);
      return pass;
    }
    this.unannounced = true;
    // On a reused connection this may be the end of an earlier turn.
    return this.#reused || isSuccessor ? foreign('a response ended before it began') : this.#readTerminal(event);
  }

  /** A successor has begun: the response before stays in `responses`. */
  #beginSuccessor(): void {
    const consumed = this.steering.consume().flatMap((input) => itemsOf(input) ?? []);
    this.added = [...this.added, ...(this.storedOutput?.output ?? []), ...consumed];
    // From now on an event may belong to the response before.
    this.#reused = true;
    this.#itemId = undefined;
    this.#bytes += this.#output.bytes;
    this.#output = new OutputItems(this.#rebuilds);
    this.terminal = undefined;
  }

  #readTerminal(event: ResponseEvent): Disposition {
    const terminal = terminalOf(event);
    if (terminal === undefined) return pass;
    const isFailing = this.#state === 'failing';
    this.#state = 'ended';
    // After an `error` only the failure of the same response counts: the first end is the end (F9).
    if (isFailing && terminal.outcome !== 'failed') return end;
    if (terminal.outcome === undefined) return broken('protocol_error', `the server sent ${terminal.why}`);
    this.terminal = terminal;
    this.#connection?.ids.end();
    this.#setId(terminal.response);
    const response = this.#output.complete(terminal.response);
    if (!this.#claimsItems(response.output)) return foreignItem;
    this.responses.push(response);
    this.storedOutput = this.#output.stored(response, terminal.response);
    const wait = isFailing ? undefined : this.steering.waitAfter(terminal);
    if (wait === undefined) return end;
    this.#state = 'awaiting_successor';
    return { name: 'awaiting_successor', wait };
  }

  #readSteering(event: ResponseEvent): Disposition {
    this.steering.onEvent(event);
    if (this.#state !== 'awaiting_successor' || this.steering.expectsSuccessor) return pass;
    this.#state = 'ended';
    return end;
  }

  #readError(event: ResponseEvent): Disposition {
    if (this.#state === 'awaiting') {
      this.#state = 'refused';
      return { name: 'refused', error: refusal(this.#secrets.redactJson(event)) };
    }
    this.errorEvent ??= event;
    this.#state = 'failing';
    return { name: 'failing' };
  }

  #setId({ id }: { id?: unknown }): void {
    if (typeof id === 'string' && id !== this.responseId) this.responseId = id;
  }

  /**
   * Servers change the id of a response from event to event. Over a WebSocket an id that none before it has had is still this response's while no other
   * one runs there; on a connection that has carried others, once an item of this response has come: an end that follows a beginning without anything
   * between may be anyone's. By which id such a response can be continued, nobody knows.
   */
  #foreignReason(event: ResponseEvent, id: unknown): string | undefined {
    if (typeof id !== 'string' || id === '' || id === this.responseId || !this.responseId) return undefined;
    const isBeginning = event.type === 'response.created';
    const isDoubtful = isBeginning || (this.#reused && this.#itemId === undefined);
    if (this.#connection !== undefined && (isDoubtful || this.#connection.othersRun || !this.#claims(id)))
      return 'an event of another response came';
    this.idChanges = true;
    this.responseId = id;
    return undefined;
  }

  #claims(id: unknown): boolean {
    const isId = typeof id === 'string' && id !== '';
    return this.#connection === undefined || !isId || this.#connection.ids.claim(id, this.#number);
  }

  #isForeignItem(frame: Frame): boolean {
    if (this.#connection === undefined) return false;
    const { text, parsed } = frame;
    // Most deltas have the same item id as the delta before: searching for it is less work than reading it.
    if (this.#itemId !== undefined && !parsed && text.includes(this.#itemId)) return false;
    const id = itemIdOf(frame);
    if (id === this.#itemId || typeof id !== 'string' || id === '') return false;
    this.#itemId = id;
    return !this.#connection.ids.claimItem(id, this.#number);
  }

  #claimsItems(output: readonly ({ id?: unknown } | null)[]): boolean {
    if (this.#connection === undefined) return true;
    for (const item of output) {
      const id = item?.id;
      if (id !== this.#itemId && !this.#connection.ids.claimItem(id, this.#number)) return false;
    }
    return true;
  }
}

const pass: Disposition = { name: 'pass' };
const end: Disposition = { name: 'end' };
const foreignItem: Disposition = { name: 'foreign', why: 'an event of an item of another response came' };

function broken(code: 'event_too_large' | 'protocol_error', why: string): Disposition {
  return { name: 'broken', error: new TurnwireError(code, why) };
}

function foreign(why: string): Disposition {
  return { name: 'foreign', why };
}

function refusal(event: ResponseEvent): TurnwireError {
  const server = parseServerError(event);
  const { status } = server;
  const named = [status, server.code].filter((part) => part !== undefined).join(', ');
  return new TurnwireError(
    'request_refused',
    `the server refused the turn${named === '' ? '' : ` (${named})`}: ${server.message}`,
    { phase: 'sent', status, server },
  );
}
