import { TurnwireError } from '../protocol/errors/errors.js';
import { kindOfStatus } from '../protocol/errors/failure.js';
import { failureTable } from '../protocol/errors/failure-table.js';
import { sanitize, parseServerError } from '../protocol/errors/server-error.js';
import { withoutMark } from '../base/byte-order-mark.js';
import { NoAddressError, NotLoopbackError } from './connect/lookup.js';
import type { Phase } from '../protocol/phase.js';
import type { Secrets } from '../protocol/errors/secrets.js';
import type { Proxy } from './connect/proxy.js';

/** The error of a dial that failed: DNS, TCP, TLS, or a server that hung up. Nothing was sent. */
export function dialFailure(origin: string, cause: unknown): TurnwireError {
  // The proxy has failed, and this error says so.
  if (cause instanceof TurnwireError) return cause;
  return new TurnwireError('dial_failed', `${origin} could not be reached: ${describeCause(cause)}`, {
    kind: kindOfDial(cause),
    cause,
  });
}

/** The error of a proxy that could not be reached, or did not answer as a proxy. */
export function proxyFailure({ origin }: Proxy, cause: unknown): TurnwireError {
  return new TurnwireError('proxy_failed', `the proxy ${origin} could not be used: ${describeCause(cause)}`, {
    kind: kindOfDial(cause),
    cause,
  });
}

/** The error of a proxy that refuses a tunnel to this target. */
export function proxyRefusal({ origin, authorization }: Proxy, target: string, status: number): TurnwireError {
  const asked = authorization === undefined ? 'asks for credentials' : 'does not take the credentials in its address';
  const what =
    status === 407
      ? `${asked} (407): http://user:password@host:port has them`
      : `opens no tunnel to ${target} (${status})`;
  const kind = failureTable[kindOfStatus(status)].transient ? 'network' : 'configuration';
  return new TurnwireError('proxy_failed', `the proxy ${origin} ${what}`, { status, kind });
}

/** Whether an open connection failed by a TLS alert: from version 1.3 on a server checks the client's certificate last. It has read no request then. */
export function isTlsAlert(cause: Error): boolean {
  return /^ERR_SSL_.*_ALERT_/.test(codeOf(cause) ?? '');
}

function describeCause(cause: unknown): string {
  const code = codeOf(cause);
  if (code !== undefined) return `${code}${hints[code] ?? ''}`;
  return sanitize(cause instanceof Error ? cause.message : String(cause));
}

function codeOf(cause: unknown): string | undefined {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

const missingCa = ' (give the missing certificate as network.ca or in NODE_EXTRA_CA_CERTS)';
const clientCertificate = ' (does it ask for a client certificate? give one as network.cert and network.key)';

/** What to check, for codes that do not say it. */
const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: ' (nothing listens there)',
  ENOTFOUND: ' (no such host name)',
  EAI_AGAIN: ' (the name server did not answer)',
  SELF_SIGNED_CERT_IN_CHAIN:
    ' (is a proxy inspecting TLS? give its certificate as network.ca or in NODE_EXTRA_CA_CERTS)',
  DEPTH_ZERO_SELF_SIGNED_CERT: ' (give the certificate as network.ca or in NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_GET_ISSUER_CERT: missingCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: missingCa,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: missingCa,
  EPROTO:
    ' (TLS failed: is https: right? does it ask for a client certificate, which network.cert and network.key would give?)',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: clientCertificate,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: clientCertificate,
  // The name in later versions of OpenSSL.
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': clientCertificate,
  ERR_SSL_WRONG_VERSION_NUMBER: ' (it does not speak TLS there: is https: right?)',
};

/** `configuration` for a wrong name or certificate: neither another try nor another transport helps (A8, A9, N5). */
function kindOfDial(cause: unknown): 'network' | 'configuration' {
  const code = codeOf(cause) ?? '';
  const isPermanent =
    cause instanceof NotLoopbackError ||
    cause instanceof NoAddressError ||
    permanent.has(code) ||
    /^(CERT_|CRL_|ERR_OSSL_|ERR_SSL_|ERR_TLS_|UNABLE_TO_)/.test(code);
  return isPermanent ? 'configuration' : 'network';
}

const permanent: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ENOTFOUND',
  'EPROTO',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
]);

/** An HTTP response that is no success. */
interface HttpRefusal {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  secrets: Secrets;
}

/**
 * The error of a refusal by HTTP status: of the upgrade (`upgrade_refused`) or of the POST (`request_refused`). A JSON body is parsed into `server`; a page of
 * HTML is not shown.
 */
export function statusFailure(
  code: 'upgrade_refused' | 'request_refused',
  origin: string,
  answer: HttpRefusal,
  phase: Phase,
): TurnwireError {
  const { status, headers } = answer;
  const body = answer.secrets.redact(answer.body);
  const json = parseJsonObject(body);
  const server = parseServerError(json ?? body, { status, headers });
  if (json === undefined) server.message = '';
  const what = code === 'upgrade_refused' ? 'the WebSocket' : 'the turn';
  const named = server.code === undefined ? '' : `, ${server.code}`;
  const target = redirectOf(answer, origin);
  const elsewhere = target === undefined ? '' : `: it redirects to ${target}, which is not followed`;
  return new TurnwireError(
    code,
    `${origin} refused ${what} (${status}${named})${elsewhere}${server.message === '' ? '' : `: ${server.message}`}`,
    { phase, status, server },
  );
}

/** The error of a 200 that should be an event stream and is none: a refusal in JSON, a page of HTML, or something unknown. */
export function notAStream(origin: string, answer: HttpRefusal): TurnwireError {
  const { status, headers, body } = answer;
  const { error, output } = (parseJsonObject(body) ?? {}) as { error?: unknown; output?: unknown };
  if (error !== undefined && error !== null && output === undefined)
    return statusFailure('request_refused', origin, answer, 'sent');
  const type = sanitize(headers['content-type'] ?? 'no content type');
  if (!/html/i.test(type))
    return new TurnwireError('protocol_error', `${origin} answered with "${type}" instead of text/event-stream`, {
      status,
    });
  return new TurnwireError(
    'protocol_error',
    `${origin} answered with a page of HTML instead of text/event-stream, so the turn did not run: is the path of baseUrl right?`,
    { status, kind: 'configuration' },
  );
}

/** The error of a status that allows no body, where an event stream should come. It is a success, so the turn may have run. */
export function withoutBody(origin: string, status: number): TurnwireError {
  const message = `${origin} answered with ${status}, which has no body, instead of an event stream`;
  return new TurnwireError('protocol_error', message, { status });
}

/** The origin that a redirect points to. Its path and query may hold a secret, and are left out. */
function redirectOf(
  { status, headers }: { status: number; headers: Readonly<Record<string, string>> },
  origin: string,
): string | undefined {
  const { location } = headers;
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, origin)) return undefined;
  const { protocol, host } = new URL(location, origin);
  return /^(https?|wss?):$/.test(protocol) ? `${protocol}//${host}` : undefined;
}

function parseJsonObject(body: string): object | undefined {
  try {
    const json: unknown = JSON.parse(withoutMark(body));
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
