import { HttpProtocolError } from '../http/response-reader.js';
import { PrematureCloseError } from '../network/post/post.js';
import { TurnwireError } from '../protocol/errors/errors.js';
import { sanitize } from '../protocol/errors/server-error.js';
import type { TurnwireErrorOptions } from '../protocol/errors/errors.js';

/** Shorter silences are not mentioned in errors; in milliseconds. */
const notableMs = 100;

/** The error of a turn whose connection ended before its terminal event. It says how long the server was silent: that shows the idle limit of a proxy. */
export function connectionLostError(how: string, silentMs: number, options: TurnwireErrorOptions = {}): TurnwireError {
  return new TurnwireError('connection_lost', `${how}${silence(silentMs)}`, options);
}

function silence(ms: number): string {
  if (!(ms >= notableMs)) return '';
  const span = ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
  return `, after ${span} of silence`;
}

/** Why the response to a POST broke off, as a sentence. `unanswered` until its head has come. */
export function describeBreak(error: Error, unanswered: boolean): string {
  if (error instanceof PrematureCloseError)
    return unanswered
      ? 'the server closed the connection before it answered'
      : 'the body of the answer ended before it was complete';
  const { code } = error as { code?: unknown };
  const how =
    error instanceof HttpProtocolError
      ? `the server sent ${error.message}`
      : typeof code === 'string'
        ? code
        : sanitize(error.message);
  return `the connection broke before the turn ended (${how})`;
}
