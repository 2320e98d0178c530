import { STATUS_CODES } from 'node:http';
import { closeLingering } from './lingering-close.js';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface RefusalDetails {
  status?: number;
  type?: string;
  code?: string | null;
  param?: string | null;
  headers?: Readonly<Record<string, string>>;
}

/** An error that the gateway answers by itself: over HTTP a status and `{error}`, on a WebSocket one error frame, in the API's format. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(message: string, details: RefusalDetails = {}) {
    super(message);
    this.status = details.status ?? 400;
    this.type = details.type ?? typeOf(this.status);
    this.code = details.code ?? null;
    this.param = details.param ?? null;
    this.headers = details.headers ?? {};
  }

  /** The same refusal with further headers. */
  with(headers: Readonly<Record<string, string>>): Refusal {
    const { status, type, code, param } = this;
    return new Refusal(this.message, { status, type, code, param, headers: { ...this.headers, ...headers } });
  }

  /** The JSON body of an HTTP answer. */
  get body(): string {
    const { type, code, message, param } = this;
    return JSON.stringify({ error: { type, code, message, param } });
  }

  /** The error frame of a WebSocket. */
  get frame(): string {
    const { type, message, param, status, headers } = this;
    const error = {
      type,
      code: this.code ?? type,
      message,
      param,
      ...(Object.keys(headers).length > 0 && { headers }),
    };
    return JSON.stringify({ type: 'error', status, error });
  }
}

function typeOf(status: number): string {
  if (status >= 500) return 'server_error';
  if (status === 429) return 'rate_limit_error';
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  return 'invalid_request_error';
}

/**
 * The longest wait that the gateway itself asks for, in seconds. The openai SDK and the AI SDK take a minute and more for no answer, and come back at
 * once; whoever comes too early is refused again.
 */
const maxRetryAfterSeconds = 59;

/** A wait as `retry-after` has it, in whole seconds. */
export function retryAfterSeconds(ms: number): number {
  return Math.min(maxRetryAfterSeconds, Math.ceil(ms / 1000));
}

/** A complete HTTP answer, held in memory. */
export interface WholeAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

export function answerOf(refusal: Refusal): WholeAnswer {
  return {
    status: refusal.status,
    headers: { 'content-type': 'application/json', ...refusal.headers },
    body: refusal.body,
  };
}

/** Answers an upgrade with a status other than 101, then ends its connection. */
export function refuseUpgrade(socket: Duplex, { status, headers, body }: WholeAnswer): void {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Node types the socket of an upgrade as a Duplex, and hands over a net.Socket or one of TLS.
  closeLingering(socket as Socket, () => socket.resume());
}
