import { Refusal } from '../wire/refusal.js';

/** The error of the connection's age limit (P74), which the fault `connection-limit` causes at any age. */
export class ConnectionLimitReached extends Refusal {
  readonly closeCode: number;

  constructor(closeCode: number) {
    super('Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.', {
      code: 'websocket_connection_limit_reached',
    });
    this.closeCode = closeCode;
  }
}
