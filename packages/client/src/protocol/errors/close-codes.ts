import type { FailureKind } from './failure-kind.js';
import type { FailureCause } from './failure-table.js';

/** What a close code means for the turn that it ended. */
export interface CloseMeaning {
  /** The meaning of the close code, for error messages. */
  meaning: string;
  kind: FailureKind;
  cause: FailureCause;
}

const broken = { kind: 'network', cause: 'broken' } as const;
const violated = { kind: 'protocol', cause: 'closed' } as const;

/**
 * The WebSocket close codes on this wire (P89–P95). Without a terminal event a turn is lost whatever the code says, 1000 included. `broken`
 * ones say something of the network or of the server's state, and nothing of the request.
 */
export const closeCodeTable: Readonly<Record<number, CloseMeaning>> = {
  1000: {
    meaning: 'normal closure; before any event it is usually a rejection of the request',
    kind: 'unknown',
    cause: 'dismissed',
  },
  1001: { meaning: 'the server is going away or its idle limit has passed', ...broken },
  1002: { meaning: 'protocol error', ...violated },
  1003: { meaning: 'unsupported data', ...violated },
  1005: { meaning: 'closed without a code', ...broken },
  1006: { meaning: 'the connection broke without a close frame', ...broken },
  1007: { meaning: 'invalid data', ...violated },
  1008: {
    meaning: 'refused by policy, or WebSocket mode is not enabled here',
    kind: 'unsupported',
    cause: 'turned_away',
  },
  1009: { meaning: 'message too large', kind: 'too_large', cause: 'too_large' },
  1010: { meaning: 'a required extension is missing', ...violated },
  1011: { meaning: 'the server failed, or it missed a pong', kind: 'server', cause: 'broken' },
  1012: { meaning: 'the server restarts', ...broken },
  1013: { meaning: 'the server is overloaded', kind: 'overload', cause: 'broken' },
  1015: { meaning: 'TLS failed', ...broken },
  // Without credits a request over SSE is refused too.
  4402: { meaning: 'no credits left', kind: 'quota', cause: 'final' },
};

export function closeMeaningOf(code: number): CloseMeaning {
  return (
    closeCodeTable[code] ?? {
      meaning: code >= 4000 ? 'a code of the provider' : 'an unassigned code',
      kind: 'unknown',
      cause: 'closed',
    }
  );
}

/** `1011, the server failed, or it missed a pong: keepalive ping timeout` */
export function describeClose(code: number, reason: string): string {
  return `${code}, ${closeMeaningOf(code).meaning}${reason === '' ? '' : `: ${reason}`}`;
}

/** The code for a connection that broke: no close frame was read. */
export const abnormalClosure = 1006;
