import type { Frame } from '../protocol/frame.js';

const key = '"stream_id"';

/**
 * The lane that a frame names (P42). An opaque frame is searched as text: every quotation mark inside a string is escaped, so `"stream_id":"` can only be
 * the key. A frame in which the key does not stand exactly once in this form is parsed.
 *
 * @throws FrameError
 */
export function streamIdOf(frame: Frame): unknown {
  return (frame.parsed ? undefined : idInText(frame.text)) ?? frame.event['stream_id'];
}

function idInText(text: string): string | undefined {
  const at = text.indexOf(key);
  if (at === -1 || text.charCodeAt(at - 1) === backslash || !text.startsWith(':"', at + key.length)) return undefined;
  if (text.includes(key, at + key.length)) return undefined;
  const begin = at + key.length + 2;
  const id = text.slice(begin, text.indexOf('"', begin));
  // An escape would have to be read as JSON reads it, and no lane has one in its name (P84).
  return id.includes('\\') ? undefined : id;
}

const backslash = 0x5c;
