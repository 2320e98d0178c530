import { isRecord, type Item } from '../wire/wire.js';
import { endsResponse } from '../wire/terminal.js';
import type { Payload } from '../replay/recording.js';
import { isCreate, parseObject, type Recording, type Sent } from '../replay/recording.js';

/** A create of a recording with its answer, over either transport. */
export interface AnsweredCreate {
  readonly line: number;
  readonly request: Record<string, unknown>;
  /** The status of the HTTP answer; 200 on a socket. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The events of a stream or a socket, or the one JSON body. */
  readonly events: readonly Record<string, unknown>[];
}

/** The answered creates of a recording, in the order in which they were received. */
export function answeredCreates({ exchanges, sockets }: Recording): readonly AnsweredCreate[] {
  const posted = exchanges.filter(isCreate).map(({ line, requestedAt, body, answer, sent, streams }) => {
    const { status = 0, headers = {} } = answer ?? {};
    const texts = streams ? sent.map(dataOf) : [sent.map(({ text }) => text).join('')];
    return { requestedAt, line, request: requestOf(body), status, headers, events: texts.flatMap(eventsIn) };
  });
  const framed = sockets
    .flatMap(({ lanes }) => [...lanes.values()].flat())
    .map(({ line, requestedAt, request, sent }) => {
      const events = sent.flatMap(({ text }) => eventsIn(text));
      return { requestedAt, line, request: parseObject(request) ?? {}, status: 200, headers: {}, events };
    });
  return [...posted, ...framed].toSorted((a, b) => a.requestedAt - b.requestedAt || a.line - b.line);
}

function requestOf(body: Payload | undefined): Record<string, unknown> {
  return body === undefined || body.base64 ? {} : (parseObject(body.text) ?? {});
}

/** The data of one event of a stream. Several data lines are joined to one text. */
function dataOf({ text }: Sent): string {
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart())
    .join('\n');
}

function eventsIn(text: string): readonly Record<string, unknown>[] {
  const event = parseObject(text);
  return event === undefined ? [] : [event];
}

/** How a turn ended: with a response, with an error, or with neither if the recording breaks off. */
export type RecordedEnd =
  | { readonly kind: 'response'; readonly response: Record<string, unknown>; readonly output: readonly Item[] }
  | { readonly kind: 'error'; readonly error: Record<string, unknown>; readonly status: number }
  | { readonly kind: 'cut'; readonly output: readonly Item[] };

export function endOf({ events, status }: AnsweredCreate): RecordedEnd {
  const done = events.flatMap(({ type, item }) =>
    type === 'response.output_item.done' && isRecord(item) ? [item] : [],
  );
  const terminal = events.find(({ type }) => endsResponse(type));
  const whole = events.find(({ object }) => object === 'response');
  const response = isRecord(terminal?.['response']) ? terminal['response'] : whole;
  if (response !== undefined) {
    const output = Array.isArray(response['output']) ? response['output'].filter(isRecord) : [];
    // The terminal event of the ChatGPT backend has an empty output.
    return { kind: 'response', response, output: output.length === 0 ? done : output };
  }
  const error = events.find(({ type, error: inner }) => type === 'error' || isRecord(inner));
  if (error !== undefined) {
    const errorStatus = Number(error['status'] ?? (status >= 400 ? status : 400));
    return { kind: 'error', error: isRecord(error['error']) ? error['error'] : error, status: errorStatus };
  }
  return { kind: 'cut', output: done };
}
