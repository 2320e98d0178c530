import { TurnwireError } from '@turnwire/client';

/** What a failure of a turn says about trying again. */
export type Failing =
  /** It may pass by itself. */
  | 'passes'
  /** Too many requests: it passes when the server says so. */
  | 'rate_limit'
  /** The context window is full. */
  | 'overflow'
  /** Trying the same again would fail again; another model may do. */
  | 'stays'
  /** The user has ended it, or this process has: nothing is tried any more. */
  | 'over';

const codes: Readonly<Partial<Record<TurnwireError['code'], Failing>>> = {
  aborted: 'over',
  client_closed: 'over',
  connection_lost: 'passes',
  dial_failed: 'passes',
  dial_timeout: 'passes',
  first_event_timeout: 'passes',
  idle_timeout: 'passes',
  proxy_failed: 'passes',
  queue_timeout: 'passes',
  protocol_error: 'passes',
  chain_lost: 'passes',
};

const passing: ReadonlySet<number> = new Set([408, 409, 425, 500, 502, 503, 504, 520, 522, 524, 529]);
/** Codes of servers, also of failures in the middle of an answer, which have no status (P64). */
const passingCode = /server_error|internal|overload|unavailable|timeout|capacity|slow_down/i;
const overflow =
  /context[_ ](?:length|window)|maximum context|too many tokens|prompt is too long|input is too long|exceeds? the (?:model's )?(?:context|token)|token limit/i;

/** What a failure says, by what the server called it, then its status, then the client's own code. */
export function failing(error: unknown): Failing {
  if (!(error instanceof TurnwireError)) return 'over';
  const known = codes[error.code];
  if (known === 'over') return known;
  const { server } = error;
  // What a recording does not have, another model would be asked for in vain.
  if (server?.code === 'replay_mismatch') return 'over';
  if (error.code === 'request_too_large') return 'overflow';
  if (server !== undefined && (overflow.test(server.code ?? '') || overflow.test(server.message))) return 'overflow';
  const status = server?.status ?? error.status;
  if (status === 429 || /rate_limit/i.test(server?.code ?? ''))
    return /quota|billing/i.test(server?.code ?? '') ? 'stays' : 'rate_limit';
  if (status !== undefined && status >= 400) return passing.has(status) ? 'passes' : 'stays';
  if (passingCode.test(server?.code ?? '')) return 'passes';
  return known ?? 'stays';
}

/** How long the server asks to wait, in milliseconds; undefined if it does not say. */
export function askedWait(error: unknown, now: number): number | undefined {
  const headers = error instanceof TurnwireError ? error.server?.headers : undefined;
  const exact = Number(headers?.['retry-after-ms'] ?? NaN);
  if (exact >= 0) return exact;
  const text = headers?.['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  const wait = Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1000;
  return wait >= 0 ? wait : undefined;
}
