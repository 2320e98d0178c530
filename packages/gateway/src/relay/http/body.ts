import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { Refusal } from '../../base/refusal.js';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Decode = (raw: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate);
const inflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);

const codings = new Map<string, Decode>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  // `deflate` means the zlib format; some clients send bare deflate, whose first byte is never that of zlib.
  ['deflate', (raw, options) => (((raw[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw)(raw, options)],
  ['br', promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress)],
]);
// Node has zstd from 22.15 on.
const { zstdDecompress } = zlib as unknown as {
  zstdDecompress?: (raw: Buffer, options: object, callback: (error: Error | null, decoded: Buffer) => void) => void;
};
if (zstdDecompress !== undefined) codings.set('zstd', promisify<Buffer, object, Buffer>(zstdDecompress));

/** The most codings on top of each other. */
const maxCodings = 3;

/** The codings that the gateway decodes, in the form of `accept-encoding`. */
const decodable = [...codings.keys()].filter((name) => name !== 'x-gzip').join(', ');

/** A body that is larger than the limit times this factor is cut off; a smaller one is read to its end, and then refused. */
const cutOffFactor = 2;

/**
 * Reads and decodes the body of a request, in chunks. A client that sent `expect: 100-continue` is told to go on.
 *
 * @throws Refusal: 415 for a coding that is not supported, 413 for a body that is too large before or after decoding, 400 for a broken one
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<readonly Buffer[]> {
  const { 'content-encoding': coding, 'content-length': length, expect } = request.headers;
  const decoders = decodersOf(coding);
  const asks = expect?.toLowerCase() === '100-continue';
  if (Number(length ?? 0) > (asks ? limit : cutOffFactor * limit)) throw tooLarge(limit, { connection: 'close' });
  if (asks) response.writeContinue();
  const chunks = await received(request, limit);
  if (decoders.length === 0) return chunks;
  let body: Buffer = Buffer.concat(chunks);
  for (const { name, decode } of decoders) body = await decoded(body, name, decode, limit);
  return [body];
}

/** The chunks of the body. They are read by its events: an async iterator costs as much as the rest of a small request. */
function received(request: IncomingMessage, limit: number): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (settled: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError);
      settled();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      // A body slightly over the limit is read on without being kept, so that the client is still there to read the refusal.
      if (bytes <= limit) return void chunks.push(chunk);
      if (bytes <= cutOffFactor * limit) return;
      request.pause();
      settle(() => reject(tooLarge(limit, { connection: 'close' })));
    };
    const onEnd = (): void => {
      settle(() => {
        if (bytes > limit) reject(tooLarge(limit));
        else resolve(chunks);
      });
    };
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => onError(new Error('the client has left before its request had come whole'));
    if (request.destroyed) return onClose();
    request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onError);
  });
}

async function decoded(body: Buffer, name: string, decode: Decode, limit: number): Promise<Buffer> {
  try {
    return await decode(body, { maxOutputLength: limit });
  } catch (error) {
    const { code = 'broken' } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit, {}, ' when it is decoded');
    throw new Refusal(`the request body is not valid ${name} (${code})`, { code: 'invalid_encoding' });
  }
}

function tooLarge(limit: number, headers: Record<string, string> = {}, when = ''): Refusal {
  return new Refusal(
    `the request body has more than ${limit} bytes${when}, which is the limit of this gateway (limits.body_bytes)`,
    {
      status: 413,
      code: 'request_too_large',
      headers,
    },
  );
}

/** The decoders to apply, in order: the coding that was applied last comes first. */
function decodersOf(header: string | undefined): { name: string; decode: Decode }[] {
  const names = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  return names.toReversed().map((name) => {
    const decode = codings.get(name);
    if (decode !== undefined && names.length <= maxCodings) return { name, decode };
    throw new Refusal(
      `this gateway cannot decode a body with content-encoding ${named(name, names.length)}; it takes ${decodable}`,
      {
        status: 415,
        code: 'unsupported_content_encoding',
        headers: { 'accept-encoding': decodable },
      },
    );
  });
}

function named(name: string, count: number): string {
  if (count > maxCodings) return `of more than ${maxCodings} codings`;
  if (name === 'zstd') return `"zstd" with Node.js ${process.version}, which has it from 22.15 on`;
  return JSON.stringify(name.slice(0, 40));
}
