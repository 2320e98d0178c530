import type { Transport } from '../journal/journal-turn.js';
import type { Refusal } from '../wire/refusal.js';
import type { Frame, ResponseObject } from '../wire/wire.js';
import type { ConnectionControl } from './connection-control.js';

/** Where the events of one turn go. Faults are wrapped around a sink. */
export interface Sink {
  readonly transport: Transport;
  /** The number of the connection in the journal. */
  readonly connection: number;
  /** The access to the connection that socket faults need. */
  readonly connectionControl: ConnectionControl;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Sends one event. Returns a promise if the client has to catch up before the next event. */
  send(frame: Frame): Promise<void> | undefined;
  /** Ends the answer after its last event. `response` is undefined if the events break off. */
  finish(response: ResponseObject | undefined): void;
  /** Answers with an error in place of the events. */
  refuse(refusal: Refusal): Promise<void> | void;
}
