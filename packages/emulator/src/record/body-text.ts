import { utf8 } from '../base/utf8.js';
import { decodeBodySync } from '../listener/content-encoding.js';
import { redactedText } from './format.js';
import type { Redaction } from './redaction.js';
import { codeOf } from '../base/thrown.js';

/** The size in bytes above which a body that is not an event stream is left out of a recording. The whole body is passed on. */
export const maxBodyBytes = 64 * 1024 * 1024;

/** The bytes of a body or a frame in the form in which a recording has them. */
interface RecordedText {
  readonly text: string;
  readonly base64?: true;
  readonly note?: string;
}

/** The redacted form of bytes: a text if they are UTF-8, base64 otherwise. */
export function bodyText(bytes: Buffer, redaction: Redaction): RecordedText {
  const text = utf8(bytes);
  if (text === undefined) return binaryText(bytes, redaction);
  redaction.learnBody(text);
  return { text: redaction.text(text) };
}

/** The redacted form of a binary frame: base64, also of bytes that are UTF-8. */
export function binaryText(bytes: Buffer, redaction: Redaction): RecordedText {
  const text = utf8(bytes);
  if (text !== undefined) redaction.learnBody(text);
  const redacted = text === undefined ? redaction.bytes(bytes) : Buffer.from(redaction.text(text));
  return { text: redacted.toString('base64'), base64: true };
}

/** Stands for a body that is not in the recording. The note says why. */
function leftOut(why: string): RecordedText {
  return { text: redactedText, note: `left out: ${why}` };
}

/** Stands for a body that is too large for a recording. */
export const tooLargeText = leftOut(`it is larger than ${maxBodyBytes} bytes`);

/** The redacted form of a body without its content codings. A body that cannot be decoded is left out, and a note says so. */
export function decodedText(raw: Buffer, coding: string | undefined, redaction: Redaction): RecordedText {
  let body: Buffer;
  try {
    body = decodeBodySync(raw, coding, maxBodyBytes);
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return tooLargeText;
    return leftOut(`it could not be decoded (content-encoding ${JSON.stringify(coding)})`);
  }
  return bodyText(body, redaction);
}
