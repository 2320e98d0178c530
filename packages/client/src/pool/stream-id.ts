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
  return lastMember(text) ?? anywhere(text);
}

/**
 * The name, if `stream_id` is the last member: servers that add the name to a finished event put it there. The member before the last brace belongs to the
 * outermost object.
 */
function lastMember(text: string): string | undefined {
  const end = text.length - 2;
  if (text.charCodeAt(end) !== quote || text.charCodeAt(end + 1) !== brace) return undefined;
  const begin = text.lastIndexOf('"', end - 1) + 1;
  if (!text.startsWith(memberStart, begin - memberStart.length)) return undefined;
  return plainName(text.slice(begin, end));
}

function anywhere(text: string): string | undefined {
  const at = text.indexOf(key);
  if (at === -1 || text.charCodeAt(at - 1) === backslash || !text.startsWith(':"', at + key.length)) return undefined;
  if (text.includes(key, at + key.length)) return undefined;
  const begin = at + key.length + 2;
  return plainName(text.slice(begin, text.indexOf('"', begin)));
}

/** The name as it stands; undefined for a name with an escape, which would have to be parsed and which no lane has (P84). */
function plainName(name: string): string | undefined {
  return name.includes('\\') ? undefined : name;
}

const memberStart = `,${key}:"`;
const backslash = 0x5c;
const quote = 0x22;
const brace = 0x7d;
