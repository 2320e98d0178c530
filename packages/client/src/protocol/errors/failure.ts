import { closeMeaningOf } from './close-codes.js';
import {
  codeTable,
  contextSentence,
  failureTable,
  serverCodes,
  serverWords,
  statusKinds,
  vagueTypes,
} from './failure-table.js';
import type { ErrorCode } from './error-codes.js';
import type { Phase } from '../phase.js';
import type { FailureKind } from './failure-kind.js';
import type { ServerError } from './server-error.js';

/** What is known of a failure, for the tables of `failure-table.ts`. */
export interface FailureSignals {
  server?: ServerError | undefined;
  status?: number | undefined;
  closeCode?: number | undefined;
}

export function failureKindOf(code: ErrorCode, { server, status, closeCode }: FailureSignals): FailureKind {
  const { kind } = codeTable[code];
  if (kind === 'closure') return closeCode === undefined ? 'network' : closeMeaningOf(closeCode).kind;
  if (kind !== 'server') return kind;
  const named = status ?? server?.status;
  if (isThrottle(named, server)) return 'rate_limit';
  if (code === 'upgrade_refused' && named === 400 && !hasJsonBody(server)) return 'unsupported';
  // A refusal that calls itself a success has no status: only its words count.
  return kindOfWords(server, code === 'request_refused' && named !== undefined && named < 300 ? undefined : named);
}

/** Whether the cause may pass by itself. What the server says of that counts more than the kind, but for a code that is known to stay. */
export function isTransient(code: ErrorCode, kind: FailureKind, server: ServerError | undefined): boolean {
  const { transient } = failureTable[kind];
  if (codeTable[code].kind !== 'server') return codeTable[code].transient ?? transient;
  return serverRetryAdvice(server) ?? transient;
}

/** `x-should-retry`, as far as it is to be followed. */
export function serverRetryAdvice(server: ServerError | undefined): boolean | undefined {
  const named = serverCodes.get(server?.code ?? '');
  if (named !== undefined && !failureTable[named].transient) return undefined;
  const said = server?.headers['x-should-retry'];
  return said === 'true' ? true : said === 'false' ? false : undefined;
}

/** The server certainly has not run the turn. */
export function hasNotRun(
  code: ErrorCode,
  kind: FailureKind,
  { server, phase }: { server: ServerError | undefined; phase: Phase },
): boolean {
  if (phase === 'queued' || phase === 'sending' || kind === 'configuration') return true;
  if (phase !== 'sent') return false;
  const { ran } = codeTable[code];
  if (ran === 'as_kind') return !failureTable[kind].mayHaveBegun || serverRetryAdvice(server) === true;
  return ran === 'never';
}

/** A 403 by something before the API: an edge network that counts dials (A4). */
export function isThrottle(status: number | undefined, server: ServerError | undefined): boolean {
  return status === 403 && (!hasJsonBody(server) || server?.headers['cf-mitigated'] !== undefined);
}

function hasJsonBody(server: ServerError | undefined): boolean {
  return typeof server?.raw === 'object' && server.raw !== null;
}

export function kindOfStatus(status: number): FailureKind {
  return statusKinds.find(([from, to]) => status >= from && status <= to)?.[2] ?? 'unknown';
}

/** Kinds of statuses that a refusal of one field has (P110, D13). */
const requestKinds: ReadonlySet<FailureKind> = new Set(['invalid_request', 'not_found', 'conflict']);

/** What a server's refusal is, by the field that it names, its code, its words and its status, in this order. */
function kindOfWords(server: ServerError | undefined, status: number | undefined): FailureKind {
  const { code = '', type = '', param, message = '' } = server ?? {};
  const byStatus = status === undefined ? undefined : kindOfStatus(status);
  const isAboutTheRequest = byStatus === undefined || requestKinds.has(byStatus);
  if (isAboutTheRequest && param === 'previous_response_id') return 'chain_lost';
  if (isAboutTheRequest && param === 'stream_id') return 'lanes';
  if (param === 'stream' && (status === undefined || status < 500 || status === 501)) return 'unsupported';
  const named = serverCodes.get(code) ?? (vagueTypes.has(type) ? undefined : serverCodes.get(type));
  if (named !== undefined) return named;
  const words = `${snake(code)} ${snake(type)}`;
  const narrow = serverWords.find((row) => row.narrow === true && row.words.test(words));
  if (narrow !== undefined) return narrow.kind;
  if ((isAboutTheRequest || byStatus === 'too_large') && contextSentence.test(message)) return 'context_length';
  if (byStatus !== undefined) return byStatus;
  // A server that names a parameter speaks of the request.
  return wordIn(code) ?? vagueTypes.get(type) ?? wordIn(type) ?? (param === undefined ? 'unknown' : 'invalid_request');
}

function wordIn(name: string): FailureKind | undefined {
  const word = snake(name);
  return serverWords.find(({ words }) => words.test(word))?.kind;
}

/** `RateLimitError` as `rate_limit_error`. */
function snake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
