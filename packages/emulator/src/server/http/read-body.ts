import type { IncomingMessage } from 'node:http';
import { decodeBody } from '../../listener/content-encoding.js';
import { Refusal } from '../../wire/refusal.js';

/**
 * Reads the body. One that is too large is read on, without keeping it, so that its client is still there to read the
 * refusal; one that is far too large is cut off.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<ReadBody> {
  const cutOff = 4 * limit;
  const tooLarge = (headers = {}) =>
    new Refusal(`The request body is larger than ${limit} bytes.`, { status: 413, code: 'request_too_large', headers });
  if (Number(request.headers['content-length'] ?? 0) > cutOff) throw tooLarge({ connection: 'close' });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > cutOff) throw tooLarge({ connection: 'close' });
    if (bytes <= limit) chunks.push(chunk);
  }
  if (bytes > limit) throw tooLarge();
  const body = await decodeBody(Buffer.concat(chunks), request.headers['content-encoding'], limit);
  return { body, wireBytes: bytes };
}

export interface ReadBody {
  /** Without its content codings. */
  readonly body: Buffer;
  /** As long as it came. */
  readonly wireBytes: number;
}
