import { traitsOf } from './event-types.js';
import type { EventTraits } from './event-types.js';
import type { ResponseEvent } from './events.js';
import type { LongText } from './long-text.js';

/** The text of an event: where it is long, as its bytes. */
export type EventText = string | LongText;

/** A frame that is no event: not JSON, or not an object. The message says what was wrong, not what it held: that may be private. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/**
 * The text of one event: of one WebSocket frame or of one SSE `data` field. An object without a `type`, or with an unknown one, is an
 * event: it passes (P56). Everything else is not this protocol.
 */
export class Frame {
  /** As it came, for who passes it on. */
  readonly raw: EventText;
  readonly type: string | undefined;
  /** In bytes of UTF-8: what buffers are measured by. */
  readonly size: number;
  /** What the engine makes of an event of this type. */
  readonly traits: EventTraits;
  #event: ResponseEvent | undefined;

  private constructor(raw: EventText, type: string | undefined, size: number, event: ResponseEvent | undefined) {
    this.raw = raw;
    this.type = type;
    this.size = size;
    this.traits = traitsOf(type);
    this.#event = event;
  }

  /**
   * @param bytes of `text`, where its reader knows how many they are.
   * @throws FrameError
   */
  static parse(text: EventText, bytes = sizeOf(text)): Frame {
    const event = decodeEvent(String(text));
    const given: unknown = event.type;
    return new Frame(text, typeof given === 'string' ? given : undefined, bytes, event);
  }

  /**
   * For a reader that passes text on: an event into which nobody here looks (a delta, as a rule) is told by its beginning and stays text.
   * What is wrong inside such a one is found by who reads it; that it ends as an object is checked.
   *
   * @param bytes of `text`, where its reader knows how many they are.
   * @throws FrameError
   */
  static peek(text: EventText, bytes = sizeOf(text)): Frame {
    const type = typeInPrefix(typeof text === 'string' ? text : text.prefix);
    if (type === undefined || traitsOf(type).inspected === true || !text.endsWith('}')) return Frame.parse(text, bytes);
    return new Frame(text, type, bytes, undefined);
  }

  /** One of the many that say nothing of the course of a turn: deltas, and all that belongs to an item that is not finished. */
  get opaque(): boolean {
    return this.traits.inspected !== true;
  }

  /** Of a long one made anew each time. */
  get text(): string {
    return String(this.raw);
  }

  /** Nothing of it is left to be parsed. */
  get parsed(): boolean {
    return this.#event !== undefined;
  }

  /** @throws FrameError only for a frame that was peeked at. */
  get event(): ResponseEvent {
    return (this.#event ??= decodeEvent(this.text));
  }

  /** The event; undefined where it was peeked at, and is none. */
  get eventOrUndefined(): ResponseEvent | undefined {
    try {
      return this.event;
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return undefined;
    }
  }
}

function sizeOf(text: EventText): number {
  return typeof text === 'string' ? Buffer.byteLength(text) : text.length;
}

/** Of JSON that says nothing, white space included. */
const maxBlankLength = 64;

/**
 * Text without an event in it, which servers send as a heartbeat: nothing, white space, or JSON that has nothing in it. A sign of life, and no event:
 * nobody is told of it.
 */
export function isBlank(text: EventText): boolean {
  if (typeof text !== 'string') return false;
  if (text.length > maxBlankLength) return text.charCodeAt(0) <= space && text.trim() === '';
  return blank.test(text);
}

const space = 32;
const blank = /^\s*(?:\{\s*\}|\[\s*\]|""|null)?\s*$/;

const typePrefix = '{"type":"';

/** Providers put the type first; where it stands elsewhere, the frame is parsed. */
function typeInPrefix(text: string): string | undefined {
  if (!text.startsWith(typePrefix)) return undefined;
  const end = text.indexOf('"', typePrefix.length);
  return end === -1 ? undefined : text.slice(typePrefix.length, end);
}

/** @throws FrameError */
export function decodeEvent(text: string): ResponseEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FrameError(`${text.length} characters that are not valid JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError(
      `a JSON ${value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value} instead of an object`,
    );
  }
  return value as ResponseEvent;
}
