import { maxErrorBodyBytes, maxErrorBodyMs } from '../protocol/limits.js';
import type { Readable } from 'node:stream';
import type { Clock } from '../clock.js';
import type { Head } from './head.js';

/**
 * The body of a refusal, as far as it comes within the limits: its status counts, and is not held up by a body that drips (A2). Never
 * rejects: a broken body is a short one.
 */
export async function readBody(answer: Readable, clock: Clock): Promise<string> {
  return text(await read(answer, clock, () => false));
}

/** The same, of an answer in HTTP/1.1 whose head was read: the connection need not end with the body. */
export async function readRawBody(connection: Readable, { headers }: Head, clock: Clock): Promise<string> {
  if (/\bchunked$/i.test(headers['transfer-encoding'] ?? ''))
    return text(dechunk(await read(connection, clock, (bytes) => dechunk(bytes).whole)).body);
  const length = Number(headers['content-length'] ?? Infinity);
  return text((await read(connection, clock, (bytes) => bytes.length >= length)).subarray(0, length));
}

function text(bytes: Buffer): string {
  return bytes.subarray(0, maxErrorBodyBytes).toString('utf8');
}

/** Until it ends, or until `whole` says of what has come that it is all. */
function read(stream: Readable, clock: Clock, whole: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const timer = clock.after(maxErrorBodyMs, () => stream.destroy());
    const done = (): void => {
      timer.cancel();
      stream.removeListener('data', onData);
      resolve(bytes);
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= maxErrorBodyBytes) stream.destroy();
      else if (whole(bytes)) done();
    };
    stream.once('end', done);
    stream.once('error', done);
    stream.once('close', done);
    if (whole(bytes)) done();
    else stream.on('data', onData);
  });
}

/** What is chunked (RFC 9112, 7.1), as far as it has come. */
function dechunk(bytes: Buffer): { body: Buffer; whole: boolean } {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line === -1 ? NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size > 0)) return { body: Buffer.concat(chunks), whole: size === 0 };
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
