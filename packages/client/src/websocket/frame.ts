import { randomFillSync } from 'node:crypto';

/** RFC 6455, 5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const finalBit = 0x80;
export const maskBit = 0x80;

/** A length of 126 means that the next two bytes are the length; 127, that the next eight bytes are. */
export const length16 = 126;
const length64 = 127;

/** The most that a control frame may carry (RFC 6455, 5.5). */
export const maxControlBytes = 125;

/** The longest head: two bytes, eight of length, four of mask. */
const largestHeadBytes = 14;
/** The offset of the payload in its buffer: behind the longest head, and aligned to words of four bytes. */
const payloadOffset = 16;

/** Encodes one frame of a client: final, and masked with an unpredictable key (RFC 6455, 5.3). The payload is masked word by word. */
export function encodeFrame(opcode: number, payload: string | Uint8Array): Buffer {
  const length = Buffer.byteLength(payload);
  const words = Math.ceil(length / 4);
  const memory = alignedMemory(payloadOffset + words * 4);
  const headBytes = length < length16 ? 6 : length < 0x1_0000 ? 8 : largestHeadBytes;
  const bytes = memory.subarray(payloadOffset - headBytes, payloadOffset + length);
  if (typeof payload === 'string') bytes.write(payload, headBytes);
  else bytes.set(payload, headBytes);
  const key = nextKey();
  // The word before the payload is the masking key.
  const all = new Int32Array(memory.buffer, memory.byteOffset + payloadOffset - 4, 1 + words);
  all[0] = key;
  for (let at = 1; at <= words; at += 1) all[at] = (all[at] ?? 0) ^ key;
  bytes[0] = finalBit | opcode;
  if (headBytes === 6) {
    bytes[1] = maskBit | length;
  } else if (headBytes === 8) {
    bytes[1] = maskBit | length16;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = maskBit | length64;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  return bytes;
}

/** Memory for words of four bytes. Node's pool is aligned to eight; another runtime's need not be. */
function alignedMemory(length: number): Buffer {
  const memory = Buffer.allocUnsafe(length);
  return memory.byteOffset % 4 === 0 ? memory : Buffer.from(new ArrayBuffer(length));
}

/** The number of unpredictable words that are made at once: a call for each frame would cost more than the frame. */
const keys = new Int32Array(1024);
let keysUsed = keys.length;

function nextKey(): number {
  if (keysUsed === keys.length) {
    randomFillSync(keys);
    keysUsed = 0;
  }
  const key = keys[keysUsed] ?? 0;
  keysUsed += 1;
  return key;
}

/** The payload of a close frame; empty for a code that must not be on the wire (RFC 6455, 7.4.1). */
export function closePayload(code: number, reason: string): Buffer {
  if (!isValidCloseCode(code)) return Buffer.alloc(0);
  const payload = Buffer.alloc(maxControlBytes);
  payload.writeUInt16BE(code);
  // Cut before a character that does not fit.
  return payload.subarray(0, 2 + payload.write(reason, 2));
}

/** Whether a code may be on the wire (RFC 6455, 7.4). */
export function isValidCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
  );
}
