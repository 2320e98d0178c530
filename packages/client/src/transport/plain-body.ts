import { maxEventBytes } from '../base/bounds.js';
import { ByteBuffer } from '../base/byte-buffer.js';
import { Frame, FrameError } from '../protocol/frame.js';
import { EventTooLargeError } from '../protocol/sse.js';
import { responseOf } from '../protocol/terminal.js';
import { withoutMark } from '../base/byte-order-mark.js';
import type { PlainResponse } from './transport.js';

/** The result of a whole body. */
export interface PlainResult {
  answer: PlainResponse;
  isJson: boolean;
  /** The response as the terminal event of a stream; undefined if the body holds no response. */
  frame: Frame | undefined;
}

/** The body of a successful response that is no stream. */
export class PlainBody {
  readonly status: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #bytes = new ByteBuffer();

  constructor(status: number, headers: Readonly<Record<string, string>>) {
    this.status = status;
    this.#headers = headers;
  }

  /** @throws EventTooLargeError */
  add(bytes: Buffer): void {
    if (this.#bytes.length + bytes.length > maxEventBytes)
      throw new EventTooLargeError(`an answer of more than ${maxEventBytes} bytes`);
    this.#bytes.append(bytes, 0, bytes.length, Number(this.#headers['content-length'] ?? 0));
  }

  /** Called once, at the end. undefined for a body that was cut: without a length, only its JSON shows whether it is whole. */
  end(): PlainResult | undefined {
    const text = withoutMark(this.#bytes.take().toString());
    const frame = frameOf(text);
    const { 'content-type': type = '', 'content-length': length, 'transfer-encoding': coding } = this.#headers;
    const isMarked = length !== undefined || coding !== undefined;
    const isJson = frame !== undefined || isJsonText(text);
    if (!isMarked && !isJson && type.includes('json')) return undefined;
    return { answer: { status: this.status, text }, isJson, frame };
  }
}

/** As `response.done`, in which `status` says how the response ended. */
function frameOf(text: string): Frame | undefined {
  try {
    const frame = Frame.parse(`{"type":"response.done","response":${text}}`);
    const { id, output } = responseOf(frame.event) ?? {};
    return typeof id === 'string' && Array.isArray(output) ? frame : undefined;
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return undefined;
  }
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
