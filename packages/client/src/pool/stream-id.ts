import type { Frame } from '../protocol/frame.js';

const key = '"stream_id"';

/**
 * The lane that a frame names (P42). A frame that is parsed anyway is asked; a delta stays text, for it has nothing of the caller's
 * but strings, in which every quotation mark is escaped: there `"stream_id":"` can only be the key. Where it does not stand there exactly
 * once and in this form, the frame is parsed after all.
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
