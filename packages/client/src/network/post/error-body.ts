import { maxErrorBodyBytes, maxErrorBodyMs, maxHeadBytes } from '../../base/bounds.js';
import { startDeadline } from '../../base/clock.js';
import { HttpResponseReader, HttpProtocolError } from '../../http/response-reader.js';
import { ContentDecoder, UnknownCodingError } from './content-decoder.js';
import type { Readable } from 'node:stream';
import type { ResponseHead } from '../../http/head.js';
import type { Clock, Timer } from '../../base/clock.js';

/**
 * The body of a refusal, decoded, as far as it comes within the limits: a body that drips must not hold up the status (A2). A body that breaks off, or cannot
 * be decoded, is cut there.
 */
export class ErrorBody {
  readonly #done: (text: string) => void;
  readonly #timer: Timer;
  readonly #decoder: ContentDecoder | undefined;
  #bytes = Buffer.alloc(0);
  /** The body has a coding that is not known. Some servers name one and use none. */
  #isUndecoded = false;
  #over = false;

  /** @param done called once with the text. */
  constructor(clock: Clock, { headers }: Pick<ResponseHead, 'headers'>, done: (text: string) => void) {
    this.#done = done;
    this.#timer = startDeadline(clock, maxErrorBodyMs, () => this.#finish());
    try {
      this.#decoder = ContentDecoder.for(headers['content-encoding'], {
        decoded: (bytes) => this.#take(bytes),
        // The body of an error is bounded by its size and its time.
        pauseWrites: () => {},
        resumeWrites: () => {},
        decodeFailed: () => this.#finish(),
      });
    } catch (error) {
      if (!(error instanceof UnknownCodingError)) throw error;
      this.#isUndecoded = true;
    }
  }

  add(bytes: Buffer): void {
    if (this.#decoder === undefined) this.#take(bytes);
    else this.#decoder.write(bytes);
  }

  /** The body has ended. */
  end(): void {
    if (this.#decoder === undefined) this.#finish();
    else this.#decoder.end(() => this.#finish());
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.#bytes.length >= maxErrorBodyBytes) this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.cancel();
    this.#decoder?.destroy();
    const text = this.#bytes.toString('utf8', 0, maxErrorBodyBytes);
    this.#done(this.#isUndecoded && text.includes('\ufffd') ? '' : text);
  }
}

/** Reads the body of a refusal from a connection whose head was read. */
export function readErrorBody(connection: Readable, head: ResponseHead, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const body = new ErrorBody(clock, head, resolve);
    const end = (): void => body.end();
    const reader = new HttpResponseReader({ head: () => {}, body: (bytes) => body.add(bytes), end }, maxHeadBytes);
    reader.begin(head);
    connection.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        if (!(error instanceof HttpProtocolError)) throw error;
        end();
      }
    });
    for (const event of ['end', 'error', 'close']) connection.once(event, end);
  });
}
