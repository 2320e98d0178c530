import { Backlog } from './backlog.js';

/**
 * RFC 6455 framing, the server's side, written for this server so that a test can be wrong on purpose: nothing here refuses a frame that
 * no well-behaved peer would send.
 */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  /** One of `opcodes`, or any other number below 16. @default text */
  opcode?: number;
  /** @default true */
  fin?: boolean;
  /** The length that the header claims. @default the payload's */
  claims?: number;
  /** RSV1 is 4, as if the payload were compressed. @default 0 */
  rsv?: number;
}

export function frame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = opcodes.text, fin = true, rsv = 0 } = options;
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const length = options.claims ?? body.length;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), body]);
  if (length < 65_536) {
    const header = Buffer.from([first, 126, 0, 0]);
    header.writeUInt16BE(length, 2);
    return Buffer.concat([header, body]);
  }
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, body]);
}

/** Without a code the payload is empty: the peer then reports 1005. */
export function closeFrame(code?: number, reason = ''): Buffer {
  if (code === undefined) return frame('', { opcode: opcodes.close });
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frame(payload, { opcode: opcodes.close });
}

export interface ReceivedFrame {
  opcode: number;
  fin: boolean;
  payload: Buffer;
}

/** Reads the frames of a client, which are masked. */
export class FrameReader {
  readonly #backlog = new Backlog();

  push(chunk: Buffer): ReceivedFrame[] {
    this.#backlog.push(chunk);
    const frames: ReceivedFrame[] = [];
    for (let next = this.#take(); next !== undefined; next = this.#take()) frames.push(next);
    return frames;
  }

  #take(): ReceivedFrame | undefined {
    const buffer = this.#backlog.bytes;
    if (buffer === undefined || buffer.length < 2) return undefined;
    const short = buffer.readUInt8(1) & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (buffer.length < start + 4) return undefined;
    const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
    const end = start + 4 + length;
    if (buffer.length < end) {
      this.#backlog.awaited = end;
      return undefined;
    }
    const mask = buffer.subarray(start, start + 4);
    const payload = Buffer.from(buffer.subarray(start + 4, end));
    for (let index = 0; index < payload.length; index += 1)
      payload[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
    this.#backlog.drop(end);
    const first = buffer.readUInt8(0);
    return { opcode: first & 0x0f, fin: (first & 0x80) !== 0, payload };
  }
}
