import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import { Refusal } from '../wire/refusal.js';

type Options = zlib.ZlibOptions & zlib.BrotliOptions;

interface Coding {
  readonly decode: (raw: Uint8Array, options: Options) => Promise<Buffer>;
  readonly decodeSync: (raw: Uint8Array, options: Options) => Buffer;
  readonly stream: () => Transform;
}

/** The zstd functions of `node:zlib`, which exist from Node.js 22.15 and 23.8 on. */
interface Zstd {
  readonly zstdDecompress?: (
    raw: Uint8Array,
    options: object,
    callback: (error: Error | null, decoded: Buffer) => void,
  ) => void;
  readonly zstdDecompressSync?: (raw: Uint8Array, options: object) => Buffer;
  readonly createZstdDecompress?: () => Transform;
}

const gzip: Coding = {
  decode: promisify<Uint8Array, Options, Buffer>(zlib.gunzip),
  decodeSync: zlib.gunzipSync,
  stream: zlib.createGunzip,
};
const inflate = promisify<Uint8Array, Options, Buffer>(zlib.inflate);
const inflateRaw = promisify<Uint8Array, Options, Buffer>(zlib.inflateRaw);
const codings = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  [
    'deflate',
    {
      decode: (raw, options) => (isZlib(raw) ? inflate : inflateRaw)(raw, options),
      decodeSync: (raw, options) => (isZlib(raw) ? zlib.inflateSync : zlib.inflateRawSync)(raw, options),
      stream: zlib.createInflate,
    },
  ],
  [
    'br',
    {
      decode: promisify<Uint8Array, Options, Buffer>(zlib.brotliDecompress),
      decodeSync: zlib.brotliDecompressSync,
      stream: zlib.createBrotliDecompress,
    },
  ],
]);
const { zstdDecompress, zstdDecompressSync, createZstdDecompress }: Zstd & Partial<typeof zlib> = zlib;
if (zstdDecompress !== undefined && zstdDecompressSync !== undefined && createZstdDecompress !== undefined) {
  codings.set('zstd', {
    decode: promisify<Uint8Array, object, Buffer>(zstdDecompress),
    decodeSync: zstdDecompressSync,
    stream: createZstdDecompress,
  });
}

/**
 * True for a `deflate` body in the zlib format, which RFC 9110 §8.4.1.2 requires. Some clients send a bare deflate stream, whose first byte
 * differs.
 */
function isZlib(raw: Uint8Array): boolean {
  return ((raw[0] ?? 0) & 0x0f) === 8;
}

/** The maximum number of codings of one body. More of them are only used to exhaust a server. */
const maxCodings = 3;

/** The codings that can be decoded, in the form of the header `accept-encoding`. */
const decodable = [...codings.keys()].filter((name) => name !== 'x-gzip').join(', ');

/** The codings of a body, the last applied first. @throws Refusal (415) for a coding that cannot be decoded */
function codingsOf(header: string | undefined): readonly { readonly name: string; readonly coding: Coding }[] {
  if (header === undefined) return [];
  const names = header
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  const found = names.toReversed().map((name) => {
    const coding = codings.get(name);
    if (coding !== undefined && names.length <= maxCodings) return { name, coding };
    const why =
      coding !== undefined
        ? `more than ${maxCodings} codings`
        : name === 'zstd'
          ? `"zstd" with Node.js ${process.version}, which has it from 22.15 on`
          : JSON.stringify(name.slice(0, 40));
    throw new Refusal(`This server cannot decode a body with content-encoding ${why}; it takes ${decodable}.`, {
      status: 415,
      code: 'unsupported_content_encoding',
      headers: { 'accept-encoding': decodable },
    });
  });
  return found;
}

/**
 * The body without its codings.
 *
 * @throws Refusal: 415 for a coding that cannot be decoded, 413 for a body longer than `limit` bytes, 400 for a body that is not valid
 */
export async function decodeBody(raw: Buffer, header: string | undefined, limit: number): Promise<Buffer> {
  let body = raw;
  for (const { name, coding } of codingsOf(header)) {
    try {
      body = await coding.decode(body, { maxOutputLength: limit });
    } catch (error) {
      const { code = 'broken' }: NodeJS.ErrnoException = error instanceof Error ? error : new Error();
      if (code === 'ERR_BUFFER_TOO_LARGE') {
        throw new Refusal(`The request body is larger than ${limit} bytes when it is decoded.`, {
          status: 413,
          code: 'request_too_large',
        });
      }
      throw new Refusal(`The request body is not valid ${name}: ${code}.`, {
        code: 'invalid_encoding',
      });
    }
  }
  return body;
}

/** The same as `decodeBody`, synchronously, for the recorder. @throws Error for a body that cannot be decoded */
export function decodeBodySync(raw: Buffer, header: string | undefined, limit: number): Buffer {
  return codingsOf(header).reduce<Buffer>(
    (body, { coding }) => coding.decodeSync(body, { maxOutputLength: limit }),
    raw,
  );
}

/** The decoders to pipe a body through, in order; none for a body without a coding. @throws Refusal (415) */
export function decoders(header: string | undefined): readonly Transform[] {
  return codingsOf(header).map(({ coding }) => coding.stream());
}
