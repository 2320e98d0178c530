import { maxCodings } from '../../base/bounds.js';
import { builtin } from '../../base/builtin.js';
import { sanitize } from '../../protocol/errors/server-error.js';
import type { Transform } from 'node:stream';
import type * as zlib from 'node:zlib';

/** `zlib` as later versions of Node have it. */
type Zlib = typeof zlib & { createZstdDecompress?: (options: object) => Transform };

const hasZstd = 'zstd' in process.versions;

/** The content codings that are decoded. `identity` is preferred: some proxies buffer a compressed event stream. */
export const acceptEncoding = `identity, ${['gzip', 'deflate', 'br', ...(hasZstd ? ['zstd'] : [])]
  .map((coding) => `${coding};q=0.5`)
  .join(', ')}`;

/** The content coding of a body is not supported. The message continues "answered with". */
export class UnknownCodingError extends Error {
  override readonly name = 'UnknownCodingError';
}

/** The codings of a `content-encoding` header, the outermost first. */
function codingsOf(header = ''): string[] {
  const codings = header
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim().replace(/^x-gzip$/, 'gzip'))
    .filter((coding) => coding !== '' && coding !== 'identity')
    .toReversed();
  const isKnown = (coding: string): boolean => (coding === 'zstd' ? hasZstd : /^(?:gzip|deflate|br)$/.test(coding));
  if (codings.length > maxCodings || !codings.every(isKnown))
    throw new UnknownCodingError(
      `a body with content-encoding "${sanitize(header)}", which is not one of ${acceptEncoding}`,
    );
  return codings;
}

/** A body that is being decoded. Calls never come in the same tick as `write`. */
export interface ContentDecoderListener {
  /** A decoded part, which may be kept. */
  decoded(bytes: Buffer): void;
  /** Nothing should be written until `resumeWrites` is called. */
  pauseWrites(): void;
  resumeWrites(): void;
  /** The body is not in the coding that its head names. No call follows. */
  decodeFailed(error: Error): void;
}

/** Decodes a body chunk by chunk, so that an event is there when its bytes are. Nothing is called after `destroy`. */
export class ContentDecoder {
  readonly #codings: readonly string[];
  readonly #listener: ContentDecoderListener;
  #chain: Transform[] = [];
  /** Nothing should be written for now. */
  writesPaused = false;
  #over = false;

  private constructor(codings: readonly string[], listener: ContentDecoderListener) {
    this.#codings = codings;
    this.#listener = listener;
  }

  /**
   * The decoder of a body; undefined for one without a coding.
   *
   * @throws UnknownCodingError
   */
  static for(contentEncoding: string | undefined, listener: ContentDecoderListener): ContentDecoder | undefined {
    const codings = codingsOf(contentEncoding);
    return codings.length === 0 ? undefined : new ContentDecoder(codings, listener);
  }

  /** Decodes a chunk. Its memory is copied. */
  write(bytes: Buffer): void {
    if (this.#over || bytes.length === 0) return;
    if (this.#chain.length === 0) this.#open(bytes);
    if (this.#chain[0]?.write(Buffer.from(bytes)) !== false || this.writesPaused) return;
    this.writesPaused = true;
    this.#listener.pauseWrites();
  }

  /** The body has ended, or was cut: the rest is decoded, and then `done` is called. */
  end(done: () => void): void {
    const [first] = this.#chain;
    if (this.#over) return;
    if (first === undefined) return done();
    this.#chain.at(-1)?.once('end', () => {
      if (!this.#over) done();
    });
    first.end();
  }

  pause(): void {
    this.#chain.at(-1)?.pause();
  }

  resume(): void {
    this.#chain.at(-1)?.resume();
  }

  destroy(): void {
    this.#over = true;
    for (const stage of this.#chain) stage.destroy();
  }

  #open(beginning: Buffer): void {
    const library = builtin('node:zlib') as Zlib;
    this.#chain = this.#codings.map((coding, index) => stageOf(library, coding, index === 0 ? beginning : undefined));
    for (const [index, stage] of this.#chain.entries()) {
      const next = this.#chain[index + 1];
      if (next !== undefined) stage.pipe(next);
      stage.on('error', (error) => {
        if (this.#over) return;
        this.destroy();
        this.#listener.decodeFailed(error);
      });
    }
    this.#chain[0]?.on('drain', () => {
      this.writesPaused = false;
      if (!this.#over) this.#listener.resumeWrites();
    });
    this.#chain.at(-1)?.on('data', (bytes: Buffer) => {
      if (!this.#over) this.#listener.decoded(bytes);
    });
  }
}

/** Each stage gives out at once what it can decode, also of a body that is cut. */
function stageOf(library: Zlib, coding: string, beginning: Buffer | undefined): Transform {
  const { constants } = library;
  const flushed = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
  const operation = { flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH };
  switch (coding) {
    case 'br':
      return library.createBrotliDecompress(operation);
    case 'deflate':
      // Some servers leave out the zlib wrapping of the coding (RFC 9110, 8.4.1.2): the first byte tells.
      return ((beginning?.[0] ?? deflated) & 0x0f) === deflated
        ? library.createInflate(flushed)
        : library.createInflateRaw(flushed);
    case 'gzip':
      return library.createGunzip(flushed);
    default: {
      const { ZSTD_e_flush: flush } = constants as typeof constants & { ZSTD_e_flush?: number };
      const stage = library.createZstdDecompress?.({ flush, finishFlush: flush });
      if (stage === undefined) throw new Error('codingsOf lets zstd pass only where Node has it');
      return stage;
    }
  }
}

/** The compression method, in the first byte of the zlib format. */
const deflated = 8;
