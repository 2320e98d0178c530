import { randomFillSync } from 'node:crypto';
import { alignedMemory } from './frame-memory.js';

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

/**
 * The text of a message, whole or in pieces. A request with a long history has a piece for each item: V8 asks the system for new memory for each text of more
 * than 128 KiB, and gives it back at a later collection.
 */
export type MessageText = string | readonly string[];

/** The length of a text in UTF-8. No piece ends between the two halves of a character. */
export function textBytes(text: MessageText): number {
  if (typeof text === 'string') return Buffer.byteLength(text);
  let bytes = 0;
  for (const piece of text) bytes += Buffer.byteLength(piece);
  return bytes;
}

/**
 * Encodes one frame of a client: final, and masked with an unpredictable key (RFC 6455, 5.3). The payload is masked word by word.
 *
 * @param allocate gives memory that is aligned to words of four bytes.
 */
export function encodeFrame(
  opcode: number,
  payload: MessageText | Uint8Array,
  allocate: (length: number) => Buffer = alignedMemory,
): Buffer {
  const length = payload instanceof Uint8Array ? payload.byteLength : textBytes(payload);
  const words = Math.ceil(length / 4);
  const memory = allocate(payloadOffset + words * 4);
  const headBytes = length < length16 ? 6 : length < 0x1_0000 ? 8 : largestHeadBytes;
  const bytes = memory.subarray(payloadOffset - headBytes, payloadOffset + length);
  if (typeof payload === 'string') bytes.write(payload, headBytes);
  else if (payload instanceof Uint8Array) bytes.set(payload, headBytes);
  else
    for (let at = headBytes, index = 0; index < payload.length; index += 1) at += bytes.write(payload[index] ?? '', at);
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
