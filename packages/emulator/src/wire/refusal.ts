import type { Frame } from './wire.js';

interface RefusalDetails {
  readonly status?: number | undefined;
  readonly type?: string | undefined;
  readonly code?: string | null | undefined;
  readonly param?: string | null | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The form of an error frame: `nested` has `type` and `status` beside `error`; `typeless` has `error` alone (xAI, P12). */
export type ErrorShape = 'nested' | 'typeless';

/**
 * An error that answers a request instead of a response: over HTTP a status and a body with `error` (P27), on a socket one error frame
 * (P61).
 */
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
    this.type = details.type ?? defaultType(this.status);
    this.code = details.code ?? null;
    this.param = details.param ?? null;
    this.headers = details.headers ?? {};
  }

  /** The JSON body of the HTTP answer. */
  body(): string {
    const { type, code, message, param } = this;
    return JSON.stringify({ error: { type, code, message, param } });
  }

  /** The error frame of a socket. `code` is never null in a frame, because OpenResponses requires a string. */
  frame(shape: ErrorShape = 'nested'): Frame {
    const { type, message, param } = this;
    const headers = Object.keys(this.headers).length === 0 ? {} : { headers: this.headers };
    const error = { type, code: this.code ?? type, message, param, ...headers };
    const envelope = shape === 'typeless' ? { error } : { type: 'error', status: this.status, error };
    return { type: 'error', text: JSON.stringify(envelope) };
  }
}

function defaultType(status: number): string {
  if (status >= 500) return 'server_error';
  if (status === 429) return 'rate_limit_error';
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  return 'invalid_request_error';
}
