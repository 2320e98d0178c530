import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import { Refusal } from '../wire/refusal.js';
import { codeOf } from '../base/thrown.js';

/** The options of `node:zlib` with which a decoder tells how much of its input it has read. */
interface Options {
  readonly maxOutputLength: number;
  readonly info: true;
}

/** What a decoder has made of its input, up to the end of one stream. */
interface Decoded {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

type Decode = (raw: Uint8Array, options: Options, callback: (error: Error | null, decoded: Decoded) => void) => void;
type DecodeSync = (raw: Uint8Array, options: Options) => Decoded;

interface Coding {
  readonly decode: (raw: Uint8Array, options: Options) => Promise<Decoded>;
  readonly decodeSync: DecodeSync;
  readonly stream: () => Transform;
  /** The number of streams that a body may consist of, one after another. The decoder of gzip reads them all by itself (RFC 1952 §2.2). */
  readonly maxStreams: number;
}

/** The functions of `node:zlib` with the option `info`, which its types do not have, and with zstd, which exists from Node.js 22.15 and 23.8 on. */
type Zlib = Record<'gunzip' | 'inflate' | 'inflateRaw' | 'brotliDecompress', Decode> &
  Record<'gunzipSync' | 'inflateSync' | 'inflateRawSync' | 'brotliDecompressSync', DecodeSync> & {
    readonly zstdDecompress?: Decode;
    readonly zstdDecompressSync?: DecodeSync;
    readonly createZstdDecompress?: () => Transform;
  };

const typed = zlib as unknown as Zlib;
const gzip: Coding = {
  decode: promisify(typed.gunzip),
  decodeSync: typed.gunzipSync,
  stream: zlib.createGunzip,
  maxStreams: 1,
};
const inflate = promisify(typed.inflate);
const inflateRaw = promisify(typed.inflateRaw);
const codings = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  [
    'deflate',
    {
      decode: (raw, options) => (isZlib(raw) ? inflate : inflateRaw)(raw, options),
      decodeSync: (raw, options) => (isZlib(raw) ? typed.inflateSync : typed.inflateRawSync)(raw, options),
      stream: zlib.createInflate,
      maxStreams: 1,
    },
  ],
  [
    'br',
    {
      decode: promisify(typed.brotliDecompress),
      decodeSync: typed.brotliDecompressSync,
      stream: zlib.createBrotliDecompress,
      maxStreams: 1,
    },
  ],
]);
const { zstdDecompress, zstdDecompressSync, createZstdDecompress } = typed;
if (zstdDecompress !== undefined && zstdDecompressSync !== undefined && createZstdDecompress !== undefined) {
  codings.set('zstd', {
    decode: promisify(zstdDecompress),
    decodeSync: zstdDecompressSync,
    stream: createZstdDecompress,
    // A body is any number of frames (RFC 8878 §3.1), of which Node.js decodes the first one.
    maxStreams: 1000,
  });
}

/** The state of a body that is decoded stream by stream. */
class Streams {
  readonly #parts: Buffer[] = [];
  readonly #maxStreams: number;
  #room: number;
  rest: Uint8Array;

  constructor(raw: Uint8Array, { maxStreams }: Coding, limit: number) {
    this.rest = raw;
    this.#maxStreams = maxStreams;
    this.#room = limit;
  }

  get options(): Options {
    return { maxOutputLength: Math.max(1, this.#room), info: true };
  }

  /** Takes one decoded stream. Returns true if another one follows. @throws Error for bytes after the last one */
  add({ buffer, engine }: Decoded): boolean {
    this.#parts.push(buffer);
    this.#room -= buffer.byteLength;
    this.rest = this.rest.subarray(engine.bytesWritten);
    if (this.rest.byteLength === 0) return false;
    if (this.#parts.length < this.#maxStreams && engine.bytesWritten > 0) return true;
    throw Object.assign(new Error('There are bytes after the end.'), { code: 'bytes after its end' });
  }

  all(): Buffer {
    const [only] = this.#parts;
    return this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
  }
}

async function decodeAll(coding: Coding, raw: Uint8Array, limit: number): Promise<Buffer> {
  const streams = new Streams(raw, coding, limit);
  while (streams.add(await coding.decode(streams.rest, streams.options)));
  return streams.all();
}

function decodeAllSync(coding: Coding, raw: Uint8Array, limit: number): Buffer {
  const streams = new Streams(raw, coding, limit);
  while (streams.add(coding.decodeSync(streams.rest, streams.options)));
  return streams.all();
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
      body = await decodeAll(coding, body, limit);
    } catch (error) {
      const code = codeOf(error) ?? 'broken';
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
  return codingsOf(header).reduce<Buffer>((body, { coding }) => decodeAllSync(coding, body, limit), raw);
}

/** The decoders to pipe a body through, in order; none for a body without a coding. @throws Refusal (415) */
export function decoders(header: string | undefined): readonly Transform[] {
  return codingsOf(header).map(({ coding }) => coding.stream());
}
