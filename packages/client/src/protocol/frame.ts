import type { ResponseEvent } from './events.js';

/** A frame that is no event: not JSON, or not an object. The message says what was wrong, not what it held: that may be private. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/**
 * One event from the text of one frame or of one SSE `data` field. An object without a `type`, or with an unknown one, is an
 * event: it passes (P56). Everything else is not this protocol.
 */
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
export function isHousekeeping(event: ResponseEvent): boolean {
  const type: unknown = event.type;
  return typeof type === 'string' && (housekeeping.has(type) || !type.startsWith('response.')) && type !== 'error';
}

const housekeeping: ReadonlySet<string> = new Set(['response.metadata']);
