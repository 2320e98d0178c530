import { responseOf } from '../../protocol/terminal.js';
import type { Frame } from '../../protocol/frame.js';

/**
 * A response as JSON. Where it is what the last frame said, it is cut out of that frame's text: not written anew, and with its numbers as they
 * came. Where the engine has rebuilt its output (P58), or the frame has a form that is not known here, it is written.
 */
export function responseText(response: object, last: Frame | undefined): string {
  const isSaid = last !== undefined && responseOf(last.event) === response;
  return (isSaid ? sliceResponse(last) : undefined) ?? JSON.stringify(response);
}

const member = String.raw`\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|-?\d[\d.eE+-]*|null|true|false)\s*`;
const before = new RegExp(String.raw`\s*\{(?:${member},)*\s*"response"\s*:\s*(?=\{)`, 'y');
const after = new RegExp(String.raw`\}(?:\s*(?:,${member})*\}\s*)$`);

/** The length of the end of a frame in which the members after the response are searched for, in characters. */
const tailLength = 1024;

/**
 * The text of the member `response` of a frame, if all others are plain values: then only the two ends need to be looked at. From its last brace on
 * there are but plain members and the frame's own brace.
 *
 * @param frame no key stands twice in it.
 */
export function sliceResponse({ event, text }: Frame): string | undefined {
  for (const [name, value] of Object.entries(event as object))
    if (name !== 'response' && typeof value === 'object' && value !== null) return undefined;
  before.lastIndex = 0;
  if (!before.test(text)) return undefined;
  const begin = before.lastIndex;
  const tailAt = Math.max(begin, text.length - tailLength);
  const found = after.exec(text.slice(tailAt));
  return found === null ? undefined : text.slice(begin, tailAt + found.index + 1);
}
