import { steerPendingMs, successorMs } from '../base/bounds.js';
import { snapshot } from '../json/snapshot.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import type { Json } from '../json/json.js';
import type { ResponseEvent, SteerEvent } from '../protocol/events.js';
import type { ForeignItem, InputItem } from '../protocol/items.js';
import type { Terminal } from '../protocol/terminal.js';

/** Input for a response that runs: text, or messages of the user. */
export type SteerInput = string | readonly (InputItem | ForeignItem)[];

/**
 * The server's answer to `turn.steer()`.
 *
 * `accepted`: the server owns the input; the running response ends at its next item and a successor goes on with it. `pending`: the response stops
 * for results of the client's tools, and the server puts the input before those in the next turn that continues it: do not send it
 * again. `failed`: it was not taken, and `error` says why.
 */
export interface SteerAnswer {
  name: 'accepted' | 'pending' | 'failed';
  /** The server's name for this submission. */
  id: string | undefined;
  /** With `failed`: as the server gave it. */
  error: { code: string | undefined; message: string | undefined } | undefined;
}

/** Sends a frame; false where the transport cannot. */
export type SendFrame = (frame: string, done: (error: Error | undefined) => void) => boolean;

/** How long a turn waits for a successor, or for the news that none comes. */
export interface SuccessorWait {
  ms: number;
  /** What the turn does when nothing has come. */
  onTimeout: 'end' | 'fail';
}

/** One call of `turn.steer()`. */
interface Submission {
  readonly input: Json;
  readonly send: SendFrame;
  readonly resolve: (answer: SteerAnswer) => void;
  readonly reject: (error: TurnwireError) => void;
}

/** A submission that the server has. */
interface AcceptedInput {
  /** Undefined for a submission without an id, which no later event can name. */
  readonly input: Json | undefined;
  /** The server keeps the input for the client's next request: no successor follows from it (P49). */
  pending: boolean;
}

/**
 * The submissions of `response.steer` in one turn, and the server's answers (P47–P51): whether a response that ends is followed by a successor,
 * and which input the successor holds.
 *
 * unsent ──the response has begun──▶ unanswered ──accepted──▶ accepted ──a successor has begun──▶ consumed
 *                                        ├──pending──▶ pending   ▲│
 *                                        └──failed              └┴─ pending, failed
 */
export class Steering {
  readonly #unsent: Submission[] = [];
  readonly #unanswered: Submission[] = [];
  /** Accepted inputs by the server's id of the submission; without an id, by the event that accepted it. Nearly every turn has none. */
  #accepted: Map<unknown, AcceptedInput> | undefined;
  #responseId: string | undefined;
  /** The server has ended a response in order to go on with another one. */
  #successorAnnounced = false;
  /** At least one submission was sent. */
  used = false;

  /** Sends the input at once if a response has begun, otherwise as soon as one has. */
  submit(input: SteerInput, send: SendFrame): Promise<SteerAnswer> {
    let copy: Json;
    try {
      copy = snapshot(input);
    } catch (cause) {
      return Promise.reject(new TurnwireError('invalid_request', 'the input cannot be written as JSON', { cause }));
    }
    return new Promise((resolve, reject) => {
      const submission: Submission = { input: copy, send, resolve, reject };
      if (this.#responseId === undefined) this.#unsent.push(submission);
      else this.#send(submission);
    });
  }

  /** A response has begun: from now on it is the one that is steered. */
  responseBegan(responseId: unknown): void {
    if (typeof responseId !== 'string') return;
    this.#responseId = responseId;
    for (const submission of this.#unsent.splice(0)) this.#send(submission);
  }

  /** A successor has begun. Gives the inputs that it holds: all that were accepted before, and none that was not answered. */
  consume(): Json[] {
    const consumed: Json[] = [];
    for (const [name, { input, pending }] of this.#accepted ?? []) {
      if (pending) continue;
      if (input !== undefined) consumed.push(input);
      this.#accepted?.delete(name);
    }
    this.#successorAnnounced = false;
    return consumed;
  }

  /** Inputs that the server has and no response holds: the server puts them before the input of the turn that continues this one (P49). */
  get unconsumed(): Json[] {
    return [...(this.#accepted?.values() ?? [])].flatMap(({ input }) => (input === undefined ? [] : [input]));
  }

  /** A successor may still follow. */
  get expectsSuccessor(): boolean {
    return this.#unanswered.length > 0 || this.#successorAnnounced || this.#hasAccepted;
  }

  /** `response.steer.*` */
  onEvent(event: ResponseEvent): void {
    const { type, steer, error } = event as SteerEvent;
    const name = type.slice('response.steer.'.length);
    if (name !== 'accepted' && name !== 'pending' && name !== 'failed') return;
    const id = typeof steer?.id === 'string' ? steer.id : undefined;
    const earlier = this.#accepted?.get(id);
    if (earlier === undefined) this.#answer({ name, id, error: failureOf(name, error) }, event);
    else if (name === 'failed') this.#accepted?.delete(id);
    else earlier.pending = name === 'pending';
    if (name !== 'accepted' && !this.#hasAccepted) this.#successorAnnounced = false;
  }

  /** What must still come after this end of a response; undefined if nothing will. */
  waitAfter({ outcome, response }: Terminal): SuccessorWait | undefined {
    if (outcome === 'incomplete' && response.incomplete_details?.reason === 'steered') {
      this.#successorAnnounced = true;
      return { ms: successorMs, onTimeout: 'fail' };
    }
    if (outcome !== 'completed' || !this.expectsSuccessor) return undefined;
    // The client has work to do, and may begin before the server says that it waits for it (P49).
    return requiresClientAction(response.output)
      ? { ms: steerPendingMs, onTimeout: 'end' }
      : { ms: successorMs, onTimeout: 'fail' };
  }

  /** The turn is over: submissions without an answer get none any more (P51). */
  end(error: TurnwireError | undefined): void {
    // Nearly every turn ends without any, and an error costs more than an event.
    if (this.#unsent.length + this.#unanswered.length === 0) return;
    const reason = error ?? turnEndedError();
    for (const { reject } of [...this.#unsent.splice(0), ...this.#unanswered.splice(0)]) reject(reason);
  }

  get #hasAccepted(): boolean {
    for (const { pending } of this.#accepted?.values() ?? []) if (!pending) return true;
    return false;
  }

  #send(submission: Submission): void {
    const { input, send, reject } = submission;
    const frame = JSON.stringify({ type: 'response.steer', previous_response_id: this.#responseId, input });
    this.#unanswered.push(submission);
    // A write that fails ends the connection, and the turn with it.
    if (send(frame, () => {})) {
      this.used = true;
      return;
    }
    this.#unanswered.splice(this.#unanswered.indexOf(submission), 1);
    reject(steerUnavailableError());
  }

  /** The first answer to the oldest submission without one. */
  #answer(answer: SteerAnswer, event: ResponseEvent): void {
    const { name, id } = answer;
    const submission = this.#unanswered.shift();
    const input = id === undefined ? undefined : submission?.input;
    if (name === 'accepted' || (name === 'pending' && input !== undefined))
      (this.#accepted ??= new Map()).set(id ?? event, { input, pending: name === 'pending' });
    submission?.resolve(answer);
  }
}

function failureOf(name: SteerAnswer['name'], error: SteerEvent['error']): SteerAnswer['error'] {
  return name === 'failed' ? { code: error?.code, message: error?.message } : undefined;
}

function steerUnavailableError(): TurnwireError {
  return new TurnwireError('invalid_request', 'a turn can be steered over a WebSocket only, and this one goes by SSE');
}

/** @internal */
export function turnEndedError(): TurnwireError {
  return new TurnwireError('invalid_request', 'the turn has ended: give the input to the next one');
}

/** The items for which a client must bring results or an approval (P50). */
const clientActionTypes: ReadonlySet<string> = new Set([
  'apply_patch_call',
  'computer_call',
  'custom_tool_call',
  'function_call',
  'local_shell_call',
  'mcp_approval_request',
  'shell_call',
]);

function requiresClientAction(output: unknown): boolean {
  return (
    Array.isArray(output) &&
    output.some((item: { type?: unknown } | null) => typeof item?.type === 'string' && clientActionTypes.has(item.type))
  );
}
