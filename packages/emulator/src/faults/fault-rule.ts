import type { FaultErrorShape } from './error-shape.js';

/**
 * When something is broken, and what.
 *
 * Faults that strike `after: request` or `after: open`, and `refuse`, `connect-rate` and `no-pong` (unless it says
 * `after` an event), are faults of a connection: of an upgrade, or of a POST before its body is looked at.
 */
export interface FaultRule {
  /** All that is given must hold; nothing means always. */
  on?:
    | {
        /** The number of the turn in the journal, from 1. */
        turn?: number | undefined;
        /** The number of the connection in the journal, from 1. */
        connection?: number | undefined;
        /** `json` is a POST that does not stream. */
        transport?: 'websocket' | 'sse' | 'json' | undefined;
        /** Looked for as in a script's `match`. */
        model?: string | undefined;
        input?: string | undefined;
        /** How often the rule strikes in all. @default every time */
        times?: number | undefined;
      }
    | undefined;
  /** `close code=1011 after=3`, or the same as an object. */
  do: string | FaultInput;
}

/**
 * When a fault strikes. `request`: the upgrade or the POST has come, nothing was answered. `open`: the 101 or the headers
 * of the event stream have been sent, nothing else. A number n: after the n-th event of the turn (0: the create has come,
 * no event was sent). `terminal`: right after the last event.
 */
export type FaultMoment = number | 'request' | 'open' | 'terminal';

/** A fault with its parameters; what each does, and its defaults, stand in the emulator's page. */
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
      after?: number | 'terminal' | undefined;
      bytes?: number | undefined;
      reset?: boolean | undefined;
    }
  | { fault: 'black-hole'; after?: FaultMoment | undefined }
  | { fault: 'throttle'; after?: FaultMoment | undefined; bytes_per_second: number }
  | { fault: 'no-pong'; after?: FaultMoment | undefined }
  | {
      fault: 'error';
      after?: number | undefined;
      /** How it is written on the wire. */
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
