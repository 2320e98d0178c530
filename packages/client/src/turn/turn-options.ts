import type { TransportChoice } from '../options.js';

export interface TurnOptions {
  /** Aborts the turn: its iteration and `response()` then fail with `aborted`. */
  signal?: AbortSignal | undefined;
  /** For this turn alone. @default the client's */
  transport?: TransportChoice | undefined;
}
