// The types of the wire that the whole emulator shares. Fields that the emulator does not read are `unknown`.

/** One element of `input` or `output`. */
export interface Item {
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** A response as it stands in `response.created`, in a terminal event and in the store. */
export interface ResponseObject {
  readonly id: string;
  readonly status: string;
  readonly output: readonly Item[];
  readonly [field: string]: unknown;
}

/** One event of the server: its type, and the exact text that is sent as an SSE `data:` payload or as a WebSocket text frame. */
export interface Frame {
  readonly type: string;
  readonly text: string;
}

/** Token counts of a response, in the API's own shape. */
export interface Usage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** True for a usage with the fields that the emulator reads. The usage of a recording may have another shape. */
export function isUsage(value: unknown): value is Usage {
  if (!isRecord(value) || typeof value['input_tokens'] !== 'number') return false;
  const details = value['input_tokens_details'];
  return isRecord(details) && typeof details['cached_tokens'] === 'number';
}

/** True for a received value that can be an item: an object whose `type` is a text or missing. */
export function isItem(value: unknown): value is Item {
  return isRecord(value) && (value['type'] === undefined || typeof value['type'] === 'string');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The response in an event; undefined for an event without one. */
export function responseIn(frame: Frame): unknown {
  const event: unknown = JSON.parse(frame.text);
  return isRecord(event) ? event['response'] : undefined;
}
