import type { ErrorCode } from '../protocol/errors/error-codes.js';
import type { Phase } from '../protocol/phase.js';
import type { FailureKind } from '../protocol/errors/failure-kind.js';
import type { Usage } from '../protocol/response.js';
import type { Outcome } from '../protocol/terminal.js';

/** What is known of a turn, at any time; complete once it has settled. Holds no secrets and nothing of its content. */
export interface TurnReport {
  /** Counts the turns of its client, from 1. */
  turn: number;
  /** The transport that carried it, or carries it now. */
  transport: 'websocket' | 'sse';
  /** `full`: the request stands for itself. `delta`: it continues a response, and only what is new travels. */
  plan: 'full' | 'delta';
  /**
   * Why the plan is `full`, and not a delta: `first_turn`, `fields_changed: tools`, `history_diverged_at: 7`, `chain_lost`, …; docs/continuation.md
   * has them all. For a delta `explicit` if the caller named the response, otherwise undefined.
   */
  planReason: string | undefined;
  /** Why the turn does not go over the transport that `auto` prefers, as a sentence; undefined where it does. */
  fallback: string | undefined;
  phase: Phase;
  /** undefined while it runs, and where the server refused it before it began. */
  outcome: Outcome | undefined;
  /** The id of the last response, where the turn was steered. */
  responseId: string | undefined;
  /** One for each time the request was tried, the last one last. */
  attempts: readonly Attempt[];
  /** Bytes of requests handed to the network, all attempts together; without headers and framing. */
  sentBytes: number;
  /** From the call of `turn()` to the first event of the answer, in milliseconds. */
  firstEventMs: number | undefined;
  /** From the call of `turn()` to its end, in milliseconds. */
  totalMs: number | undefined;
  /** As the server counted it, from whichever terminal event; of the last response, where the turn was steered. */
  usage: Usage | undefined;
}

export interface Attempt {
  transport: 'websocket' | 'sse';
  /** The number of the connection within its client; undefined over SSE, and where none was had. */
  connection: number | undefined;
  /** The lane on that connection; undefined for the default lane. */
  lane: string | undefined;
  /** The connection had carried turns before. */
  reused: boolean;
  plan: 'full' | 'delta';
  planReason: string | undefined;
  sentBytes: number;
  phase: Phase;
  /** Why it failed; undefined for one that did not. */
  error: ErrorCode | undefined;
  /** What kind of failure that is; undefined for one that did not fail. */
  kind: FailureKind | undefined;
  /** What was done then: `redial`, `resend_in_full`, `retry`, `fall_back`, `surface`; undefined for one that did not fail. */
  recovery: string | undefined;
  /** How long was waited before that, in milliseconds. */
  delayMs: number;
}
