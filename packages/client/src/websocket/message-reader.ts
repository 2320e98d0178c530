import { isUtf8 } from 'node:buffer';
import { ByteBuffer } from '../base/byte-buffer.js';
import { finalBit, isValidCloseCode, length16, maskBit, maxControlBytes, opcodes } from './frame.js';
import { MessageTooLargeError, WebSocketProtocolError } from './protocol-error.js';

/** The messages and control frames of the server, in order. */
export interface MessageListener {
  /** @param bytes the length of the text in UTF-8. */
  message(text: string, bytes: number): void;
  ping(payload: Buffer): void;
  pong(payload: Buffer): void;
  /** The close frame; nothing is read after it. The code is 1005 if the frame had none. */
  close(code: number, reason: string): void;
}

export interface MessageLimits {
  /** The largest message, in bytes. */
  maxBytes: number;
  /** The most frames of one message. */
  maxFragments: number;
}

/**
 * Reads the messages of a server from chunks of bytes (RFC 6455, 5). Pure: the memory of a chunk is used during the call only.
 *
 * A text in one frame, as every event of this wire usually is, is decoded straight out of its chunk. Whether the bytes were UTF-8 is checked only if the
 * decoded text has a replacement character.
 */
export class MessageReader {
  readonly #listener: MessageListener;
  readonly #limits: MessageLimits;
  /** The beginning of a frame that is not complete yet. */
  readonly #partialFrame = new ByteBuffer();
  /** The number of bytes of the partial frame that is needed to read on: its head, or all of it. */
  #neededBytes = 0;
  /** The payloads of a message that is not complete yet. */
  readonly #fragments = new ByteBuffer();
  /** The number of frames of that message. */
  #fragmentCount = 0;
  #stopped = false;

  constructor(listener: MessageListener, limits: MessageLimits) {
    this.#listener = listener;
    this.#limits = limits;
  }

  /** Stops reading. */
  stop(): void {
    this.#stopped = true;
    this.#partialFrame.clear();
    this.#fragments.clear();
  }

  /** @throws WebSocketProtocolError; nothing is read after it. */
  push(chunk: Buffer): void {
    if (this.#stopped) return;
    try {
      this.#read(chunk, this.#partialFrame.length === 0 ? 0 : this.#completePartial(chunk));
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Reads the partial frame, if it ends in this chunk. Returns where the next frame begins. */
  #completePartial(chunk: Buffer): number {
    let at = 0;
    while (this.#partialFrame.length > 0) {
      const end = Math.min(chunk.length, at + this.#neededBytes - this.#partialFrame.length);
      this.#partialFrame.append(chunk, at, end, this.#neededBytes);
      at = end;
      if (this.#partialFrame.length < this.#neededBytes) break;
      // The whole frame, or only its head, which tells its length.
      this.#read(this.#partialFrame.take(), 0);
    }
    return at;
  }

  #read(bytes: Buffer, from: number): void {
    const end = bytes.length;
    let at = from;
    while (!this.#stopped && at < end) {
      const left = end - at;
      if (left < 2) return this.#keepPartial(bytes, at, 2);
      const first = bytes[at] ?? 0;
      let length = bytes[at + 1] ?? 0;
      let start = at + 2;
      if (length >= length16) {
        // The highest bit says that the frame is masked, which a server's frame must not be.
        if (length >= maskBit) throw new WebSocketProtocolError('a masked frame');
        start = at + (length === length16 ? 4 : 10);
        if (start > end) return this.#keepPartial(bytes, at, start - at);
        length = length === length16 ? bytes.readUInt16BE(at + 2) : readLength64(bytes, at + 2);
      }
      if (length > this.#limits.maxBytes) throw new MessageTooLargeError(this.#limits.maxBytes);
      const next = start + length;
      if (first === unfragmentedText && this.#fragmentCount === 0) {
        if (next > end) return this.#keepPartial(bytes, at, next - at);
        this.#listener.message(this.#decode(bytes, start, next), length);
      } else {
        this.#checkHeader(first, length);
        if (next > end) return this.#keepPartial(bytes, at, next - at);
        this.#handleFrame(first, bytes.subarray(start, next));
      }
      at = next;
    }
  }

  #keepPartial(bytes: Buffer, at: number, wanted: number): void {
    this.#partialFrame.append(bytes, at, bytes.length, wanted);
    this.#neededBytes = wanted;
  }

  /** Checks the head of a frame, before its payload has come. */
  #checkHeader(first: number, length: number): void {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw new WebSocketProtocolError('a frame with reserved bits');
    if (opcode >= opcodes.close) {
      if (opcode > opcodes.pong) throw new WebSocketProtocolError(`a frame with opcode ${opcode}`);
      if ((first & finalBit) === 0) throw new WebSocketProtocolError('a control frame in fragments');
      if (length > maxControlBytes) throw new WebSocketProtocolError(`a control frame of ${length} bytes`);
      return;
    }
    if (opcode > opcodes.binary) throw new WebSocketProtocolError(`a frame with opcode ${opcode}`);
    if (opcode === opcodes.binary)
      throw new WebSocketProtocolError('a binary frame, which this protocol does not have', 1003);
    if ((opcode === opcodes.continuation) !== this.#fragmentCount > 0)
      throw new WebSocketProtocolError(
        opcode === opcodes.continuation ? 'a continuation of nothing' : 'a message within a message',
      );
    if (this.#fragments.length + length > this.#limits.maxBytes) throw new MessageTooLargeError(this.#limits.maxBytes);
  }

  #handleFrame(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    if (opcode === opcodes.ping) return this.#listener.ping(payload);
    if (opcode === opcodes.pong) return this.#listener.pong(payload);
    if (opcode === opcodes.close) return this.#handleClose(payload);
    this.#fragments.append(payload, 0, payload.length);
    this.#fragmentCount += 1;
    if (this.#fragmentCount > this.#limits.maxFragments)
      throw new WebSocketProtocolError(`a message in more than ${this.#limits.maxFragments} fragments`, 1008);
    if ((first & finalBit) === 0) return;
    this.#fragmentCount = 0;
    const whole = this.#fragments.take();
    this.#listener.message(this.#decode(whole, 0, whole.length), whole.length);
  }

  #handleClose(payload: Buffer): void {
    this.stop();
    if (payload.length === 0) return this.#listener.close(1005, '');
    if (payload.length === 1) throw new WebSocketProtocolError('a close frame of one byte');
    const code = payload.readUInt16BE(0);
    if (!isValidCloseCode(code)) throw new WebSocketProtocolError(`a close frame with code ${code}`);
    // Some servers cut a reason within a character: the code counts all the same.
    this.#listener.close(code, payload.toString('utf8', 2));
  }

  #decode(bytes: Buffer, start: number, end: number): string {
    const text = bytes.toString('utf8', start, end);
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) throw invalidUtf8();
    return text;
  }
}

function invalidUtf8(): WebSocketProtocolError {
  return new WebSocketProtocolError('a text that is not UTF-8', 1007);
}

const unfragmentedText = finalBit | opcodes.text;

function readLength64(bytes: Buffer, at: number): number {
  if ((bytes[at] ?? 0) >= 0x80) throw new WebSocketProtocolError('a length with its highest bit set');
  return Number(bytes.readBigUInt64BE(at));
}
