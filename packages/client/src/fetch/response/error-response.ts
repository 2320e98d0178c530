import { createResponse } from './create-response.js';
import { codeTable, failureTable } from '../../protocol/errors/failure-table.js';
import type { ServerError } from '../../protocol/errors/server-error.js';
import type { TurnwireError } from '../../protocol/errors/errors.js';
import type { Attempt, TurnReport } from '../../turn/report.js';

/** What a failure before the first event means for the caller of the fetch. */
export type FetchFailure =
  /** The server has refused, with this status and body. */
  | { name: 'refused'; status: number; server: ServerError | undefined }
  /** The turn certainly did not run, and no response says why. */
  | { name: 'not_sent' }
  /** The turn may have run at the server. */
  | { name: 'unknown' };

export function fetchFailureOf(error: TurnwireError, { attempts }: TurnReport): FetchFailure {
  // An earlier attempt may have run, although the last one was refused.
  if (attempts.some(mayHaveRun)) return { name: 'unknown' };
  const { server } = error;
  if (error.code === 'request_too_large') return { name: 'refused', status: 413, server: undefined };
  if (error.code === 'invalid_request' || error.code === 'chain_ignored')
    return { name: 'refused', status: 400, server: undefined };
  if (server === undefined || codeTable[error.code].ran === 'sent') return { name: 'not_sent' };
  const { status } = error;
  // A redirect is not followed with the caller's key (N2), and a 200 to an upgrade is no response to a turn.
  if (status !== undefined && status < 400 && (error.code === 'upgrade_refused' || status >= 300))
    return { name: 'not_sent' };
  // A status of success does not belong to a refusal: the status of its kind is used.
  const isNamed = status !== undefined && status >= 400;
  return { name: 'refused', status: isNamed ? status : (failureTable[error.kind].status ?? 500), server };
}

/**
 * Whether the server may have run the turn in this attempt. Not after a refusal, which is an answer; and not when no connection was opened, although a request
 * may have been written already: a server can refuse the TLS handshake after that (`isTlsAlert`).
 */
function mayHaveRun({ phase, error, kind }: Attempt): boolean {
  if (phase === 'queued' || phase === 'sending' || kind === 'configuration') return false;
  // The response was to another input, and nothing of it was handed over.
  if (error === 'chain_ignored') return false;
  return error === undefined || codeTable[error].ran === 'sent';
}

/** The refusal as HTTP would have had it: its status, its body as the server gave it, and when to come back (P27, P62, F11). */
export function errorResponse(
  error: TurnwireError,
  failure: Extract<FetchFailure, { name: 'refused' }>,
  report: TurnReport,
  url: string,
): Response {
  const { status, headers, body } = errorResponseParts(error, failure);
  return createResponse(body, { status, headers, report, url });
}

/** The parts of an HTTP response to a refusal. The headers name the type of the body. */
export interface ErrorResponseParts {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export function errorResponseParts(
  error: TurnwireError,
  { status, server }: Extract<FetchFailure, { name: 'refused' }>,
): ErrorResponseParts {
  if (server === undefined)
    return { status, headers: { 'content-type': 'application/json' }, body: errorText(error.code, error.message) };
  const { raw } = server;
  const isText = typeof raw === 'string';
  const { 'content-type': type = 'text/plain;charset=utf-8', ...headers } = server.headers;
  if (headers['retry-after'] === undefined && headers['retry-after-ms'] === undefined) {
    const ms = error.retryAfterMs;
    if (ms !== undefined)
      Object.assign(headers, { 'retry-after': String(Math.ceil(ms / 1000)), 'retry-after-ms': String(ms) });
  }
  return {
    status,
    headers: { ...headers, 'content-type': isText ? type : 'application/json' },
    body: isText ? raw : JSON.stringify(bodyOf(raw)),
  };
}

/** The body for an answer that was lost after the request was sent. */
export function unknownOutcomeBody(error: TurnwireError): string {
  const message = `the request was sent, and its answer was lost, so the turn may have run: ${error.message}`;
  return errorText('turn_outcome_unknown', message);
}

/** The response to a JSON call that was lost after the request was sent, with the one status after which no SDK makes a second call. */
export function unknownOutcomeResponse(error: TurnwireError, report: TurnReport, url: string): Response {
  return createResponse(unknownOutcomeBody(error), {
    status: 400,
    headers: { 'x-should-retry': 'false' },
    report,
    url,
  });
}

/** The response to a JSON call whose turn met an `error` event after its beginning: the turn has run, so the status invites no second call. */
export function failedMidwayResponse(error: TurnwireError, report: TurnReport, url: string): Response {
  return createResponse(failedMidwayBody(error), { status: 400, headers: { 'x-should-retry': 'false' }, report, url });
}

/** The body of {@link failedMidwayResponse}: what the server said, or what is known here. */
export function failedMidwayBody(error: TurnwireError): string {
  return error.server === undefined ? errorText(error.code, error.message) : JSON.stringify(bodyOf(error.server.raw));
}

/** Fields of an error frame that are no part of an HTTP error body. */
const frameFields: ReadonlySet<string> = new Set([
  'event_id',
  'headers',
  'sequence_number',
  'status',
  'status_code',
  'stream_id',
  'type',
]);

/** An error frame as a body: `{ error: … }` (P27, P61, P63). A body stays as it came. */
function bodyOf(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || (raw as { type?: unknown }).type !== 'error') return raw;
  const rest = Object.fromEntries(Object.entries(raw).filter(([name]) => !frameFields.has(name)));
  return 'error' in rest ? rest : { error: rest };
}

function errorText(code: string, message: string): string {
  return JSON.stringify({ error: { message, type: 'turnwire_error', param: null, code } });
}
