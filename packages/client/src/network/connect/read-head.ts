import { parseResponseHead } from '../../http/head.js';
import type { Readable } from 'node:stream';
import type { ResponseHead } from '../../http/head.js';

/**
 * Reads the head of a response, and nothing after it: further bytes are put back into the stream.
 *
 * @param to the request that the response answers, for the message of an error.
 * @throws Error that says what the server did instead.
 */
export function readHead(socket: Readable, to: string, maxBytes: number): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0);
    const leave = (): void => {
      socket.removeListener('readable', onReadable);
      socket.removeListener('error', onError);
      socket.removeListener('end', onEnd);
      socket.removeListener('close', onEnd);
    };
    const onError = (error: Error): void => {
      leave();
      reject(error);
    };
    const onEnd = (): void => onError(new Error(`it hung up without an answer to ${to}`));
    const onReadable = (): void => {
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
        head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1 && head.length <= maxBytes) continue;
        const whole = end !== -1 && end <= maxBytes;
        const found = parseResponseHead(head.toString('latin1', 0, whole ? end : maxBytes));
        if (found === undefined) return onError(new Error(`its answer to ${to} is not HTTP`));
        if (!whole) return onError(new Error(`its answer to ${to} has no end within ${maxBytes} bytes`));
        leave();
        if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
        return resolve(found);
      }
    };
    socket.on('readable', onReadable);
    socket.once('error', onError);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
    onReadable();
  });
}

function read(socket: Readable): Buffer | null {
  return socket.read() as Buffer | null;
}
