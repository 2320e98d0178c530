import { z } from 'zod';

export const formatVersion = 1;

const headerFields = {
  turnwire: z.literal('recording'),
  version: z.literal(formatVersion),
  /** When the recording began: a date in ISO 8601. */
  started: z.string(),
};

/** The first line of a recording: the base URL of the recorded upstream, without a query, or the base URLs of several by their names. */
export const headerSchema = z.union([
  z.strictObject({ ...headerFields, upstream: z.string() }),
  z.strictObject({ ...headerFields, upstreams: z.record(z.string(), z.string()) }),
]);

const headers = z.record(z.string(), z.string());
const line = {
  /** Milliseconds since the recording began. */
  at: z.number().min(0),
  /** The number, from 1, of one HTTP request with its answer or of one WebSocket. */
  exchange: z.int().positive(),
};
/** The beginning of an exchange. `upstream` is the name of its upstream in a recording of several. */
const begin = { ...line, upstream: z.string().optional() };
/** A body without its content coding. For a body that was left out, `text` is `[redacted]`, and `note` says why. */
const text = { text: z.string(), base64: z.literal(true).optional(), note: z.string().optional() };

/** Every line after the first. The lines are in the order in which they were written. */
export const lineSchema = z.discriminatedUnion('kind', [
  /** The beginning of a request or an upgrade. `path` follows the base URL; query values that are not known to be harmless are redacted. */
  z.strictObject({ ...begin, kind: z.literal('request'), method: z.string(), path: z.string(), headers }),
  z.strictObject({ ...begin, kind: z.literal('upgrade'), path: z.string(), headers }),
  /** A whole HTTP body: of a request, or of an answer that is not an event stream. */
  z.strictObject({ ...line, kind: z.literal('body'), from: z.enum(['client', 'server']), ...text }),
  /** The head of an answer. Its status is 101 for a socket that was opened. */
  z.strictObject({ ...line, kind: z.literal('answer'), status: z.int().min(100).max(999), headers }),
  /** One event of an event stream, without the empty line that ends it. */
  z.strictObject({ ...line, kind: z.literal('event'), text: z.string() }),
  /** One message of a socket. */
  z.strictObject({ ...line, kind: z.literal('frame'), from: z.enum(['client', 'server']), ...text }),
  /**
   * The end of an HTTP answer: `complete`, `cut` (the server ended the connection before the end of the body), `reset` (the server reset the
   * connection), or `left` (the client closed the connection first). `text` is the beginning of an event that was cut.
   */
  z.strictObject({
    ...line,
    kind: z.literal('end'),
    how: z.enum(['complete', 'cut', 'reset', 'left']),
    text: z.string().optional(),
  }),
  /** The end of a socket. Code 1005: a close frame without a code; 1006: no close frame, with `reset` if the connection was reset. */
  z.strictObject({
    ...line,
    kind: z.literal('close'),
    by: z.enum(['client', 'server']),
    code: z.int(),
    reason: z.string(),
    reset: z.literal(true).optional(),
  }),
]);

export type RecordingHeader = z.output<typeof headerSchema>;
export type RecordingLine = z.output<typeof lineSchema>;
type Unplaced<T> = T extends unknown ? Omit<T, 'at' | 'exchange'> : never;
/** A line without its time and its exchange. */
export type RecordingEntry = Unplaced<RecordingLine>;

/** The text that replaces a secret. A replay accepts any text in its place. */
export const redactedText = '[redacted]';
