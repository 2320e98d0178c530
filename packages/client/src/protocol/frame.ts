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
  /** One of the many that say nothing of the course of a turn: deltas, and all that belongs to an item that is not finished. */
  readonly quiet: boolean;
  #event: ResponseEvent | undefined;

  private constructor(raw: EventText, type: string | undefined, quiet: boolean, event: ResponseEvent | undefined) {
    this.raw = raw;
    this.type = type;
    this.quiet = quiet;
    this.#event = event;
  }

  /** @throws FrameError */
  static parse(text: EventText): Frame {
    const event = decodeEvent(String(text));
    const given: unknown = event.type;
    const type = typeof given === 'string' ? given : undefined;
    return new Frame(text, type, isQuiet(type), event);
  }

  /**
   * For a reader that passes text on: an event into which nobody here looks (a delta, as a rule) is told by its beginning and stays text.
   * What is wrong inside such a one is found by who reads it; that it ends as an object is checked.
   *
   * @throws FrameError
   */
  static peek(text: EventText): Frame {
    const type = typeAtBeginning(typeof text === 'string' ? text : text.beginning);
    if (!isQuiet(type) || !text.endsWith('}')) return Frame.parse(text);
    return new Frame(text, type, true, undefined);
  }

  /** Of a long one made anew each time. */
  get text(): string {
    return String(this.raw);
  }

  /** In characters, which are bytes as good as always; what buffers are measured by. */
  get size(): number {
    return this.raw.length;
  }

  /** Nothing of it is left to be parsed. */
  get parsed(): boolean {
    return this.#event !== undefined;
  }

  /** @throws FrameError only for a frame that was peeked at. */
  get event(): ResponseEvent {
    return (this.#event ??= decodeEvent(this.text));
  }
}

function isQuiet(type: string | undefined): boolean {
  if (type === undefined || !type.startsWith('response.')) return false;
  // Most are deltas: no need to look them up.
  return type.endsWith('.delta') || !lookedInto.has(type);
}

/** The events into which the engine looks; all that does not begin with `response.` is looked into, too. */
const lookedInto: ReadonlySet<string> = new Set([
  'response.cancelled',
  'response.completed',
  'response.created',
  'response.done',
  'response.failed',
  'response.in_progress',
  'response.incomplete',
  'response.metadata',
  'response.output_item.done',
  'response.queued',
  'response.steer.accepted',
  'response.steer.failed',
  'response.steer.pending',
]);

const beginning = '{"type":"';

/** Providers put the type first; where it stands elsewhere, the frame is parsed. */
function typeAtBeginning(text: string): string | undefined {
  if (!text.startsWith(beginning)) return undefined;
  const end = text.indexOf('"', beginning.length);
  return end === -1 ? undefined : text.slice(beginning.length, end);
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

/**
 * What a server may say on a connection that has no turn, or before a turn's own `response.created`, without meaning any response:
 * limits, metadata, keep-alives (P60). Anything else there belongs to another response.
 */
export function isHousekeeping(event: { type?: unknown }): boolean {
  const type: unknown = event.type;
  return typeof type === 'string' && (housekeeping.has(type) || !type.startsWith('response.')) && type !== 'error';
}

const housekeeping: ReadonlySet<string> = new Set([
  'response.metadata',
  // What becomes of a steering may be told after its turn (P49).
  'response.steer.failed',
  'response.steer.pending',
]);
