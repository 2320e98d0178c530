import { utf8 } from '../base/utf8.js';
import { redactedText } from '../record/format.js';
import { firstDifference, type Difference } from './difference.js';
import { parseObject, type Payload } from './recording.js';

/** A received body in the form in which a recording has it. */
export function payloadOf(bytes: Buffer, contentType: string | undefined): Payload {
  const text = utf8(bytes);
  return { text: text ?? bytes.toString('base64'), base64: text === undefined, contentType };
}

/** The first difference of two bodies: a place in their JSON, or the whole bodies if they are not JSON. */
export function payloadDifference(expected: Payload, got: Payload): Difference | undefined {
  // A body that could not be decoded was left out of the recording.
  if (expected.text === redactedText) return undefined;
  const [left, right] = [comparable(expected), comparable(got)];
  if (left.bytes === undefined && right.bytes === undefined) {
    return firstDifference(parseObject(left.text) ?? left.text, parseObject(right.text) ?? right.text);
  }
  const isSameKind = (left.bytes === undefined) === (right.bytes === undefined);
  if (isSameKind && firstDifference(left.text, right.text) === undefined) return undefined;
  return { path: '', expected: described(left), got: described(right) };
}

interface Comparable {
  readonly text: string;
  /** The number of bytes of a body that is not a text; undefined for a text. */
  readonly bytes: number | undefined;
}

/** A body in the form in which bodies are compared. The boundary of a form is replaced, because each request has a new one (RFC 2046 §5.1.1). */
function comparable({ text, base64, contentType }: Payload): Comparable {
  const plain = base64 ? Buffer.from(text, 'base64').toString('latin1') : text;
  const boundary = /^multipart\/[^;]+;.*boundary="?([^";]+)/i.exec(contentType ?? '')?.[1];
  return {
    text: boundary === undefined ? plain : plain.replaceAll(boundary, 'boundary'),
    bytes: base64 ? plain.length : undefined,
  };
}

function described({ text, bytes }: Comparable): string {
  return bytes === undefined ? text : `${bytes} bytes that are no text`;
}
