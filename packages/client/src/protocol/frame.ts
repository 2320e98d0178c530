import { maxBlankLength } from '../base/bounds.js';
import { traitsOf } from './event-types.js';
import type { EventTraits } from './event-types.js';
import type { ResponseEvent } from './events.js';

/** A frame that is no event: not JSON, or no object. The message contains nothing of the frame, which may be private. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** One event as text: a WebSocket frame, or an SSE `data` field. An object without a `type`, or with an unknown one, is an event too (P56). */
export class Frame {
  /** The text as it came. */
  readonly text: string;
  readonly type: string | undefined;
  /** The length of the text in bytes of UTF-8. */
  readonly size: number;
  /** What the engine does with events of this type. */
  readonly traits: EventTraits;
  #event: ResponseEvent | undefined;

  private constructor(text: string, type: string | undefined, size: number, event: ResponseEvent | undefined) {
    this.text = text;
    this.type = type;
    this.size = size;
    this.traits = traitsOf(type);
    this.#event = event;
  }

  /**
   * @param bytes of `text`, where its reader knows how many they are.
   * @throws FrameError
   */
  static parse(text: string, bytes = Buffer.byteLength(text)): Frame {
    const event = decodeEvent(text);
    const given: unknown = event.type;
    return new Frame(text, typeof given === 'string' ? given : undefined, bytes, event);
  }

  /**
   * For a consumer that passes text on: an opaque event, such as a delta, is told by its beginning, and stays text. Only its last character is checked.
   *
   * Kept for its measured worth: with every frame parsed the openai SDK on `createFetch` takes 1.2 to 1.3 times the CPU for an event (rows `short` and
   * `longer`, Node 24.21, 2026-11-30).
   *
   * @param bytes of `text`, where its reader knows how many they are.
   * @throws FrameError
   */
  static peek(text: string, bytes = Buffer.byteLength(text)): Frame {
    const type = typeInPrefix(text);
    if (type === undefined || traitsOf(type).inspected === true || !text.endsWith('}')) return Frame.parse(text, bytes);
    return new Frame(text, type, bytes, undefined);
  }

  /** The engine does not look into the frame: deltas, and other events of unfinished items. */
  get opaque(): boolean {
    return this.traits.inspected !== true;
  }

  /** The event was parsed. */
  get parsed(): boolean {
    return this.#event !== undefined;
  }

  /** @throws FrameError only for a frame that was peeked at. */
  get event(): ResponseEvent {
    return (this.#event ??= decodeEvent(this.text));
  }

  /** The event; undefined for a peeked frame that is no event. */
  get eventOrUndefined(): ResponseEvent | undefined {
    try {
      return this.event;
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return undefined;
    }
  }
}

/** Whether a text is a heartbeat of the server: empty, white space, or empty JSON. It is a sign of life, and no event. */
export function isBlank(text: string): boolean {
  if (text.length > maxBlankLength) return text.charCodeAt(0) <= space && text.trim() === '';
  return blank.test(text);
}

const space = 32;
const blank = /^\s*(?:\{\s*\}|\[\s*\]|""|null)?\s*$/;

const typePrefix = '{"type":"';

/** The type at the beginning of a text, where providers put it; undefined if the frame must be parsed. */
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
