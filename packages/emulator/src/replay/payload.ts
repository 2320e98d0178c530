import { utf8 } from '../base/utf8.js';
import { firstDifference, type Difference } from './difference.js';
import { parsed, type Payload } from './recording.js';

/** A body that came, in the form in which it would have been recorded. */
export function payloadOf(bytes: Buffer, contentType: string | undefined): Payload {
  const text = utf8(bytes);
  return { text: text ?? bytes.toString('base64'), base64: text === undefined, contentType };
}

/** The first difference of two bodies: of JSON where it is, else of the whole. */
export function payloadDifference(expected: Payload, got: Payload): Difference | undefined {
  const [left, right] = [comparable(expected), comparable(got)];
  if (left.bytes === undefined && right.bytes === undefined) {
    return firstDifference(parsed(left.text) ?? left.text, parsed(right.text) ?? right.text);
  }
  if (left.bytes === right.bytes && left.text === right.text) return undefined;
  return { path: '', expected: described(left), got: described(right) };
}

interface Comparable {
  readonly text: string;
  /** Of a body that is no text: how many bytes it has. */
  readonly bytes: number | undefined;
}

/** The boundary of a form is drawn anew for each request (RFC 2046 §5.1.1), so it says nothing. */
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
