import type { Transport } from '../journal/journal-turn.js';
import type { Refusal } from '../wire/refusal.js';
import type { Frame, ResponseObject } from '../wire/wire.js';
import type { ConnectionControl } from './connection-control.js';

/** Where one turn's events go: what faults wrap. */
export interface Sink {
  readonly transport: Transport;
  readonly connection: number;
  /** What faults strike at. */
  readonly connectionControl: ConnectionControl;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Sends one event; a promise if the client has to catch up first. */
  send(frame: Frame): Promise<void> | undefined;
  /** After the last event. */
  finish(response: ResponseObject | undefined): void;
  refuse(refusal: Refusal): Promise<void> | void;
}
