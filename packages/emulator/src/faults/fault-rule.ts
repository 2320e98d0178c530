import type { FaultErrorShape } from './error-shape.js';

/**
 * A rule that says what is broken, and when.
 *
 * Some faults strike a connection before there is a turn: an upgrade, or a POST whose body was not read yet. They are `refuse`,
 * `connect-rate`, every fault with `after: request` or `after: open`, and `no-pong` unless its `after` is an event.
 */
export interface FaultRule {
  /** The conditions of the rule, all of which must hold. Without conditions the rule always applies. */
  on?:
    | {
        /** The number of the turn in the journal, from 1. */
        turn?: number | undefined;
        /** The number of the connection in the journal, from 1. */
        connection?: number | undefined;
        /** How the turn is carried; `json` is a POST that does not stream. */
        transport?: 'websocket' | 'sse' | 'json' | undefined;
        /** A text to be found in the model's name, or a regular expression written `/…/flags`. */
        model?: string | undefined;
        /** The same for the user messages and tool outputs of the create that the model has not answered yet. */
        input?: string | undefined;
        /** How many times the rule strikes. @default every time */
        times?: number | undefined;
      }
    | undefined;
  /** The fault: a text such as `close code=1011 after=3`, or the same as an object. */
  do: string | FaultInput;
}

/**
 * When a fault strikes. `request`: after the upgrade or the POST was received, before any answer. `open`: after the 101 or the headers of
 * the event stream, before anything else. A number n: after the n-th event of the turn; 0 is after the create was received, before the
 * first event. `terminal`: right after the last event.
 */
export type FaultMoment = number | 'request' | 'open' | 'terminal';

/** A fault with its parameters. The emulator's documentation says what each fault does, and its defaults. */
export type FaultInput =
  | {
      fault: 'refuse';
      status?: number | undefined;
      headers?: Record<string, string> | undefined;
      body?: string | undefined;
    }
  | { fault: 'connect-rate'; per_second: number; status?: number | undefined }
  | { fault: 'stall'; after?: FaultMoment | undefined; ms?: number | undefined }
  | { fault: 'close'; after?: FaultMoment | undefined; code?: number | undefined; reason?: string | undefined }
  | { fault: 'end'; after?: FaultMoment | undefined }
  | { fault: 'reset'; after?: FaultMoment | undefined }
  | {
      fault: 'cut';
      after?: number | undefined;
      bytes?: number | undefined;
      reset?: boolean | undefined;
    }
  | { fault: 'black-hole'; after?: FaultMoment | undefined }
  | { fault: 'throttle'; after?: FaultMoment | undefined; bytes_per_second: number }
  | { fault: 'no-pong'; after?: FaultMoment | undefined }
  | {
      fault: 'error';
      after?: number | undefined;
      /** The form in which the error is written on the wire. */
      shape?: FaultErrorShape | undefined;
      status?: number | undefined;
      type?: string | undefined;
      code?: string | undefined;
      message?: string | undefined;
      param?: string | undefined;
      headers?: Record<string, string> | undefined;
    }
  | { fault: 'connection-limit'; after?: number | 'terminal' | undefined; code?: number | undefined }
  | { fault: 'forget' }
  | { fault: 'drop'; event?: number | string | undefined }
  | { fault: 'empty-output' }
  | { fault: 'repeat'; event?: number | string | undefined; times?: number | undefined }
  | { fault: 'reorder'; event: number }
  | { fault: 'wrong-id'; after?: number | undefined }
  | { fault: 'stray'; after?: number | undefined };
