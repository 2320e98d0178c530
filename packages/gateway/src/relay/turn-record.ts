import { textField } from './create.js';
import type { GatewayTurn, TurnReport } from './turn.js';

/** The record of a turn that has ended, for the log and the admin page: how it was carried, its cost and savings. It has no contents and no key. */
export interface TurnRecord {
  principal: string;
  model: string | undefined;
  downstream: 'sse' | 'json' | 'websocket';
  transport: 'websocket' | 'sse';
  plan: 'full' | 'delta';
  /** The reason of the plan. */
  reason: string | undefined;
  /** True where the turn went over SSE, although a WebSocket was wanted. */
  fallback: true | undefined;
  outcome: string;
  /** The code of the last failed attempt. */
  error: string | undefined;
  attempts: number;
  client_bytes: number;
  upstream_bytes: number;
  saved_bytes: number;
  first_event_ms: number | undefined;
  total_ms: number | undefined;
  response_id: string | undefined;
  previous_response_id: string | undefined;
  /** The usage as the upstream counted it. */
  usage: TurnReport['usage'];
  traceparent?: string;
}

export function recordOf(turn: GatewayTurn): TurnRecord {
  const { principal, create, downstream, headers } = turn.options;
  const report = turn.report;
  const { traceparent } = headers;
  return {
    principal: principal.name,
    model: textField(create.params, 'model')?.slice(0, 200),
    downstream,
    transport: report.transport,
    plan: report.plan,
    reason: report.planReason?.slice(0, 200),
    fallback: report.fallback === undefined ? undefined : true,
    outcome: report.outcome ?? 'refused',
    error: report.attempts.at(-1)?.error,
    attempts: report.attempts.length,
    client_bytes: create.bytes,
    upstream_bytes: report.sentBytes,
    saved_bytes: Math.max(0, create.bytes - report.sentBytes),
    first_event_ms: rounded(report.firstEventMs),
    total_ms: rounded(turn.ms),
    response_id: report.responseId?.slice(0, 200),
    previous_response_id: textField(create.params, 'previous_response_id')?.slice(0, 200),
    usage: report.usage,
    ...(traceparent !== undefined && { traceparent: traceparent.slice(0, 200) }),
  };
}

/** The tokens of a turn; undefined for those that the upstream did not count. */
export interface Tokens {
  input: number | undefined;
  cached: number | undefined;
  output: number | undefined;
}

/** @param usage the upstream's own object: any field may be missing, or of another type. */
export function tokensOf(usage: TurnReport['usage']): Tokens {
  const { input_tokens: input, output_tokens: output, input_tokens_details: details } = (usage ?? {}) as Unchecked;
  const { cached_tokens: cached } = (details ?? {}) as Unchecked;
  return { input: count(input), cached: count(cached), output: count(output) };
}

type Unchecked = Record<string, unknown>;

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
