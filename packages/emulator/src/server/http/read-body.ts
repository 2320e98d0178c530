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
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= limit) chunks.push(chunk);
      if (bytes <= cutOff) return;
      request.pause();
      reject(tooLarge({ connection: 'close' }));
    });
    request.once('end', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new Error('The client has gone.')));
  });
  if (bytes > limit) throw tooLarge();
  const body = await decodeBody(joined(chunks), request.headers['content-encoding'], limit);
  return { body, wireBytes: bytes };
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

export interface ReadBody {
  /** Without its content codings. */
  readonly body: Buffer;
  /** As long as it came. */
  readonly wireBytes: number;
}
