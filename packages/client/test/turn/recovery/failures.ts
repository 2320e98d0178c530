// Failures as they come from the transports, for the tests of what follows from them.
import { TurnwireError } from '../../../dist/protocol/errors/errors.js';
import { MissingPongError } from '../../../dist/protocol/errors/missing-pong.js';
import { parseServerError } from '../../../dist/protocol/errors/server-error.js';

/** The answer to an upgrade; the body is JSON, or the text that was none. */
export function upgrade(status: number, body: unknown = '', headers: Record<string, string> = {}): TurnwireError {
  return new TurnwireError('upgrade_refused', `upgrade ${status}`, {
    status,
    server: parseServerError(body, { status, headers }),
  });
}

/** An `error` frame, or a status and body over SSE. */
export function refusal(error: object, status?: number, headers: Record<string, string> = {}): TurnwireError {
  const server = parseServerError({ type: 'error', error }, { headers, ...(status === undefined ? {} : { status }) });
  return new TurnwireError('request_refused', 'refused', { status, server });
}

/** A POST that was answered by something before the API, with a page. */
export function page(status: number): TurnwireError {
  const server = parseServerError('<html>', { status, headers: {} });
  return new TurnwireError('request_refused', `page ${status}`, { status, server });
}

export function closed(closeCode: number): TurnwireError {
  return new TurnwireError('connection_lost', `close ${closeCode}`, { closeCode });
}

export const cut = new TurnwireError('connection_lost', 'RST', { cause: new Error('ECONNRESET') });
export const endOfBody = new TurnwireError('connection_lost', 'the stream ended');
export const pongLost = new TurnwireError('connection_lost', 'no pong', {
  closeCode: 1006,
  cause: new MissingPongError(5000),
});
export const dialFailed = new TurnwireError('dial_failed', 'ECONNREFUSED');
export const certificate = new TurnwireError('dial_failed', 'CERT_HAS_EXPIRED', { kind: 'configuration' });
export const dialTimeout = new TurnwireError('dial_timeout', 'no answer');

export const apiError = { error: { type: 'invalid_request_error', code: null, message: 'no', param: null } };
