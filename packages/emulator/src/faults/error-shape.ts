import { Refusal } from '../wire/refusal.js';
import { isRecord, type Frame } from '../wire/wire.js';

/** The forms of errors that have been seen on this wire (P61–P66). */
export const errorShapes = [
  'nested',
  'flat',
  'typeless',
  'status_code',
  'string',
  'no-code',
  'top-headers',
  'bare',
  'failed',
] as const;

export type FaultErrorShape = (typeof errorShapes)[number];

interface ErrorDetails {
  readonly shape: FaultErrorShape;
  readonly status: number;
  readonly type?: string | undefined;
  readonly code: string;
  readonly message: string;
  readonly param?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** The error of the fault `error`: a refusal that is written in the form that the fault asks for. */
export class ShapedError extends Refusal {
  readonly shape: FaultErrorShape;
  /** The response in `response.created`; undefined if that event was not sent. */
  readonly #created: unknown;
  readonly #sequence: number;

  constructor({ shape, message, ...details }: ErrorDetails, created: unknown, sequence: number) {
    super(message, details);
    this.shape = shape;
    this.#created = created;
    this.#sequence = sequence;
  }

  override frame(): Frame {
    return { type: this.shape === 'failed' ? 'response.failed' : 'error', text: JSON.stringify(this.#event()) };
  }

  /** The JSON body over HTTP. The forms that exist only as events are written like any error of the API (P27). */
  override body(): string {
    const { type, code, message, param } = this;
    if (this.shape === 'string') return JSON.stringify({ error: message });
    if (this.shape === 'flat') return JSON.stringify({ code, message, param });
    if (this.shape === 'no-code') return JSON.stringify({ error: { type, message } });
    if (this.shape === 'bare') return JSON.stringify({});
    return super.body();
  }

  #event(): Record<string, unknown> {
    const { type, code, message, param, status } = this;
    const headers = Object.keys(this.headers).length === 0 ? {} : { headers: this.headers };
    switch (this.shape) {
      case 'nested':
        return { type: 'error', status, error: { type, code, message, param, ...headers } };
      case 'flat':
        return { type: 'error', code, message, param, sequence_number: this.#sequence };
      case 'typeless':
        return { error: { type, code, message, param } };
      case 'status_code':
        return { type: 'error', status_code: status, error: { type, code, message, param } };
      case 'string':
        return { type: 'error', error: message };
      case 'no-code':
        return { type: 'error', error: { type, message } };
      case 'top-headers':
        return { type: 'error', status, ...headers, error: { type, code, message, param } };
      case 'bare':
        return { type: 'error' };
      case 'failed':
        break;
    }
    const response = isRecord(this.#created) ? this.#created : {};
    const failed = { ...response, status: 'failed', error: { code, message } };
    return { type: 'response.failed', sequence_number: this.#sequence, response: failed };
  }
}
