import type { IncomingMessage } from 'node:http';
import type { Ids } from '../wire/ids.js';
import type { Frame } from '../wire/wire.js';

// The headers and events that the ChatGPT backend adds to its answers (P10, P18, P60). They were observed of its clients and are not documented.

/** The path at which Codex 0.171 asks, before its first turn, for the server of its workspace. */
const accountsPath = '/backend-api/wham/accounts/check';

/** The value for a workspace that is bound to no server, whose turns go to the configured base URL. */
const unbound = 'NO_CONSTRAINT';

export function asksForAccounts({ method, url }: IncomingMessage): boolean {
  return method === 'GET' && url?.replace(/[?#].*$/s, '') === accountsPath;
}

/** The list of accounts: one personal account, with the id that the request names and its client looks for. */
export function accountsOf({ headers }: IncomingMessage): object {
  const named = headers['chatgpt-account-id'];
  const id = typeof named === 'string' && named !== '' ? named : 'account';
  const account = { id, structure: 'personal', workspace_backend_origin: unbound, account_routing_override: unbound };
  return { accounts: [account], account_ordering: [id], default_account_id: id };
}

const minutes = { primary: 300, secondary: 10_080 } as const;

interface RateLimit {
  readonly used_percent: number;
  readonly window_minutes: number;
  /** When the window ends, in seconds since 1970. */
  readonly reset_at: number;
}

/** A rate limit of which nothing is used, because the emulator has no rate limits. */
function unused(window: keyof typeof minutes, now: number): RateLimit {
  return { used_percent: 0, window_minutes: minutes[window], reset_at: Math.floor(now / 1000) + minutes[window] * 60 };
}

/** The event with the rate limits that precedes each response on a socket. It has no sequence number and no lane. */
export function rateLimitsFrame(now: number): Frame {
  const type = 'codex.rate_limits';
  const limits = {
    allowed: true,
    limit_reached: false,
    primary: unused('primary', now),
    secondary: unused('secondary', now),
  };
  const credits = { has_credits: false, unlimited: false, balance: null };
  return { type, text: JSON.stringify({ type, plan_type: 'pro', rate_limits: limits, credits }) };
}

/** The headers with the rate limits that an answer has over HTTP. */
export function rateLimitHeaders(now: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (['primary', 'secondary'] as const).flatMap((window) =>
      Object.entries(unused(window, now)).map(([name, value]) => [
        `x-codex-${window}-${name.replaceAll('_', '-')}`,
        String(value),
      ]),
    ),
  );
}

export const turnStateHeader = 'x-codex-turn-state';

/** The token that keeps a user's turn on one server: the token that the request repeats, or a new one. */
export function turnStateOf({ headers }: IncomingMessage, ids: Ids): string {
  const repeated = headers[turnStateHeader];
  return typeof repeated === 'string' && repeated !== '' ? repeated : ids.next('ts');
}
