import { TurnwireError } from '../protocol/errors.js';
import { maxErrorBodyBytes, maxErrorBodyMs } from '../protocol/limits.js';
import { clean, readServerError } from '../protocol/server-error.js';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Clock } from '../clock.js';
import type { Phase } from '../protocol/errors.js';

/** A connection that could not be had: DNS, TCP, TLS, or a peer that hung up. Nothing was sent. */
export function dialFailure(origin: string, cause: unknown): TurnwireError {
  const { code } = cause as { code?: unknown };
  const why = typeof code === 'string' ? code : clean(cause instanceof Error ? cause.message : String(cause));
  return new TurnwireError('dial_failed', `${origin} could not be reached: ${why}${hints[why] ?? ''}`, {
    retryable: !permanent.has(why),
    cause,
  });
}

/** What to look at, where the code alone does not tell it. */
const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: ' (nothing listens there)',
  ENOTFOUND: ' (no such host name)',
  EAI_AGAIN: ' (the name server did not answer)',
  SELF_SIGNED_CERT_IN_CHAIN:
    ' (is a proxy inspecting TLS? give its certificate as network.ca or in NODE_EXTRA_CA_CERTS)',
  DEPTH_ZERO_SELF_SIGNED_CERT: ' (give the certificate as network.ca or in NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ' (give the missing certificate as network.ca or in NODE_EXTRA_CA_CERTS)',
};

/** Trying again changes nothing (A8, A9). */
const permanent: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ENOTFOUND',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * A refusal by HTTP status: of the upgrade (`upgrade_refused`) or of the POST (`request_refused`). A JSON error body is read into
 * `server`; a page of HTML is not put before users.
 */
export function statusFailure(
  code: 'upgrade_refused' | 'request_refused',
  origin: string,
  answer: { status: number; headers: IncomingHttpHeaders; body: string; identity: Record<string, string> },
  phase: Phase,
): TurnwireError {
  const { status, headers } = answer;
  const body = withoutSecrets(answer.body, answer.identity);
  const json = parse(body);
  const server = readServerError(json ?? body, { status, headers: flat(headers) });
  if (json === undefined) server.message = '';
  const what = code === 'upgrade_refused' ? 'the WebSocket' : 'the turn';
  const named = server.code === undefined ? '' : `, ${server.code}`;
  return new TurnwireError(
    code,
    `${origin} refused ${what} (${status}${named})${server.message === '' ? '' : `: ${server.message}`}`,
    {
      phase,
      status,
      server,
      retryable: status === 408 || status === 409 || status === 429 || status >= 500,
    },
  );
}

/**
 * The body of a refusal, as far as it comes within the limits: its status counts, and is not held up by a body that drips (A2). Never
 * rejects: a broken body is a short one.
 */
export function readBody(response: IncomingMessage, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = clock.after(maxErrorBodyMs, () => response.destroy());
    const done = (): void => {
      timer.cancel();
      resolve(Buffer.concat(chunks).subarray(0, maxErrorBodyBytes).toString('utf8'));
    };
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= maxErrorBodyBytes) response.destroy();
    });
    response.once('end', done);
    response.once('error', done);
    response.once('close', done);
  });
}

/** Some servers quote the key that they refuse: it is cut out before anything is made of the body (N1). */
function withoutSecrets(body: string, identity: Record<string, string>): string {
  return (
    Object.entries(identity)
      .filter(([name]) => /authorization|cookie|key|secret|token/.test(name))
      .map(([, value]) => value.replace(/^(Basic|Bearer) /i, ''))
      // A shorter one is no secret (`any`, for a local server), and a part of ordinary words.
      .filter((secret) => secret.length >= 8)
      .reduce((text, secret) => text.replaceAll(secret, '[secret]'), body)
  );
}

function parse(body: string): object | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) all[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return all;
}
