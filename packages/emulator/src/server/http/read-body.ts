import type { IncomingMessage } from 'node:http';
import { decodeBody } from '../../listener/content-encoding.js';
import { Refusal } from '../../wire/refusal.js';

/**
 * Reads the body of a request. A body beyond the limit is read to its end without being kept, so that its client reads the refusal. Beyond four
 * times the limit the connection is closed. With `keepsUndecodable`, a body with an unknown content coding is returned as it is.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  { keepsUndecodable = false } = {},
): Promise<ReadBody> {
  const cutOff = 4 * limit;
  const tooLarge = (headers = {}) =>
    new Refusal(`The request body is larger than ${limit} bytes.`, { status: 413, code: 'request_too_large', headers });
  if (Number(request.headers['content-length'] ?? 0) > cutOff) throw tooLarge({ connection: 'close' });
  const body = new BodyBuffer(Number(request.headers['content-length'] ?? 0), limit);
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= limit) body.add(chunk);
      if (bytes <= cutOff) return;
      request.pause();
      reject(tooLarge({ connection: 'close' }));
    });
    request.once('end', resolve);
    request.once('error', reject);
    request.once('close', () => {
      if (!request.readableEnded) reject(new Error('The client has gone.'));
    });
  });
  if (bytes > limit) throw tooLarge();
  const coding = request.headers['content-encoding'];
  const raw = body.all();
  if (coding === undefined) return { body: raw, wireBytes: bytes };
  try {
    return { body: await decodeBody(raw, coding, limit), wireBytes: bytes };
  } catch (error) {
    if (!keepsUndecodable || !(error instanceof Refusal) || error.status !== 415) throw error;
    return { body: raw, wireBytes: bytes, undecodable: error };
  }
}

/** The length above which the chunks of a body are copied as they arrive, because copying all of them at the end would take long. */
const largeBytes = 256 * 1024;

/** The buffer of a body that arrives in chunks. */
class BodyBuffer {
  readonly #chunks: Buffer[] = [];
  readonly #whole: Buffer | undefined;
  #length = 0;

  /** `announced` is the content-length of the request; 0 without one. */
  constructor(announced: number, limit: number) {
    if (announced > largeBytes && announced <= limit) this.#whole = Buffer.allocUnsafe(announced);
  }

  add(chunk: Buffer): void {
    if (this.#whole === undefined) this.#chunks.push(chunk);
    else this.#length += chunk.copy(this.#whole, this.#length);
  }

  all(): Buffer {
    if (this.#whole !== undefined) return this.#whole.subarray(0, this.#length);
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }
}

/** A body that was read. */
export interface ReadBody {
  /** The body without its content codings. */
  readonly body: Buffer;
  /** The length of the body as it was received. */
  readonly wireBytes: number;
  /** The refusal of a body whose content coding is not known. */
  readonly undecodable?: Refusal;
}
