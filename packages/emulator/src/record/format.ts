import { z } from 'zod';

export const formatVersion = 1;

const begun = {
  turnwire: z.literal('recording'),
  version: z.literal(formatVersion),
  /** When it began: a date in ISO 8601. */
  started: z.string(),
};

/** The first line of a recording: the base URL that was recorded, without a query, or several by their names. */
export const headerSchema = z.union([
  z.strictObject({ ...begun, upstream: z.string() }),
  z.strictObject({ ...begun, upstreams: z.record(z.string(), z.string()) }),
]);

const headers = z.record(z.string(), z.string());
const line = {
  /** Milliseconds since the recording began. */
  at: z.number().min(0),
  /** One HTTP request with its answer, or one WebSocket: a number from 1. */
  exchange: z.int().positive(),
};
/** The name of the upstream it was for, where there are several. */
const begin = { ...line, upstream: z.string().optional() };
/** A body is written without its content coding. One that could not be decoded is left out: `text` is `[redacted]`, and `note` says why. */
const text = { text: z.string(), base64: z.literal(true).optional(), note: z.string().optional() };

/** Every line after the first, in the order in which things happened. */
export const lineSchema = z.discriminatedUnion('kind', [
  /** A request or an upgrade begins. `path` follows the base URL; query values that are not known to be harmless are redacted. */
  z.strictObject({ ...begin, kind: z.literal('request'), method: z.string(), path: z.string(), headers }),
  z.strictObject({ ...begin, kind: z.literal('upgrade'), path: z.string(), headers }),
  /** A whole HTTP body, of the request or of an answer that is no event stream. */
  z.strictObject({ ...line, kind: z.literal('body'), from: z.enum(['client', 'server']), ...text }),
  /** The head of the answer; 101 for a socket that was opened. */
  z.strictObject({ ...line, kind: z.literal('answer'), status: z.int().min(100).max(999), headers }),
  /** One event of an event stream, without its last empty line. */
  z.strictObject({ ...line, kind: z.literal('event'), text: z.string() }),
  /** One message of a socket. */
  z.strictObject({ ...line, kind: z.literal('frame'), from: z.enum(['client', 'server']), ...text }),
  /**
   * The end of an HTTP answer: `complete`, `cut` (the server ended the connection before the body), `reset` (it reset it), or
   * `left` (the client did not wait for it). `text` is what had come of an event that was cut.
   */
  z.strictObject({
    ...line,
    kind: z.literal('end'),
    how: z.enum(['complete', 'cut', 'reset', 'left']),
    text: z.string().optional(),
  }),
  /** The end of a socket. 1005: a close frame without a code; 1006: none at all, with `reset` if it was reset. */
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
/** A line before it has its time and exchange. */
export type RecordingEntry = Unplaced<RecordingLine>;

/** What stands for anything that was left out. In a request to a replay it matches everything. */
export const redactedText = '[redacted]';
