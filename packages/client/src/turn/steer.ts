import { snapshot } from '../json/snapshot.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import type { Json } from '../json/json.js';
import type { ResponseEvent, SteerEvent } from '../protocol/events.js';
import type { ForeignItem, InputItem } from '../protocol/items.js';

/** Input for a response that runs: text, or messages of the user (P47). */
export type SteerInput = string | readonly (InputItem | ForeignItem)[];

/**
 * The server's answer to `turn.steer()` (P48–P51).
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

interface Waiting {
  input: Json;
  send: () => void;
  resolve: (answer: SteerAnswer) => void;
  reject: (error: TurnwireError) => void;
}

/** @internal The submissions of one turn: sent once its response has begun, answered in their order. */
export class Submissions {
  #unsent: Waiting[] = [];
  readonly #unanswered: Waiting[] = [];
  /** What the server has and no response holds yet, by its names, in the order of the submissions. */
  readonly #accepted = new Map<string, { input: Json; pending: boolean }>();
  #responseId: string | undefined;

  /** With the id of the response that runs, once it has begun. */
  constructor(responseId: string | undefined) {
    this.#responseId = responseId;
  }

  /** `say` sends a frame; false where the transport cannot. */
  submit(
    input: SteerInput,
    send: (frame: string, done: (error: Error | undefined) => void) => boolean,
  ): Promise<SteerAnswer> {
    let copy: Json;
    try {
      copy = snapshot(input);
    } catch (cause) {
      return Promise.reject(new TurnwireError('invalid_request', 'the input cannot be written as JSON', { cause }));
    }
    return new Promise((resolve, reject) => {
      const unconsumed: Waiting = {
        input: copy,
        resolve,
        reject,
        send: () => {
          const frame = JSON.stringify({ type: 'response.steer', previous_response_id: this.#responseId, input: copy });
          this.#unanswered.push(unconsumed);
          // Where writing fails the connection has ended, and the turn with it.
          if (!send(frame, () => {})) this.#refuse(unconsumed, steerUnavailableError());
        },
      };
      if (this.#responseId === undefined) this.#unsent.push(unconsumed);
      else unconsumed.send();
    });
  }

  /** A response has begun: from now on it is the one that is steered. Gives what was accepted before, and is now a part of it. */
  responseBegan(responseId: string | undefined): readonly Json[] {
    const taken: Json[] = [];
    for (const [id, { input, pending }] of this.#accepted) {
      if (pending) continue;
      taken.push(input);
      this.#accepted.delete(id);
    }
    if (responseId !== undefined) {
      this.#responseId = responseId;
      for (const waiting of this.#unsent.splice(0)) waiting.send();
    }
    return taken;
  }

  /** What the server puts before the input of the turn that continues this one, once this one has ended (P49). */
  get waiting(): readonly Json[] {
    return [...this.#accepted.values()].map(({ input }) => input);
  }

  /** `response.steer.*` */
  read(event: ResponseEvent): void {
    const { type, steer, error } = event as SteerEvent;
    const name = type.slice('response.steer.'.length);
    if (name !== 'accepted' && name !== 'pending' && name !== 'failed') return;
    const id = typeof steer?.id === 'string' ? steer.id : undefined;
    // The fate of one that was accepted before: it has had its answer.
    const earlier = id === undefined ? undefined : this.#accepted.get(id);
    if (id !== undefined && earlier !== undefined) {
      if (name === 'failed') this.#accepted.delete(id);
      else earlier.pending = name === 'pending';
      return;
    }
    const waiting = this.#unanswered.shift();
    if (name !== 'failed' && id !== undefined && waiting !== undefined)
      this.#accepted.set(id, { input: waiting.input, pending: name === 'pending' });
    waiting?.resolve({
      name,
      id,
      error: name === 'failed' ? { code: error?.code, message: error?.message } : undefined,
    });
  }

  /** The turn is over: what was not answered will not be (P51). */
  end(error: TurnwireError | undefined): void {
    if (this.#unsent.length === 0 && this.#unanswered.length === 0) return;
    const why = error ?? turnEndedError();
    for (const waiting of [...this.#unsent.splice(0), ...this.#unanswered.splice(0)]) waiting.reject(why);
  }

  #refuse(waiting: Waiting, error: TurnwireError): void {
    const index = this.#unanswered.indexOf(waiting);
    if (index !== -1) this.#unanswered.splice(index, 1);
    waiting.reject(error);
  }
}

function steerUnavailableError(): TurnwireError {
  return new TurnwireError('invalid_request', 'a turn can be steered over a WebSocket only, and this one goes by SSE');
}

/** @internal */
export function turnEndedError(): TurnwireError {
  return new TurnwireError('invalid_request', 'the turn has ended: give the input to the next one');
}
