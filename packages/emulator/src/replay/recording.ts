import { readFile } from 'node:fs/promises';
import { endsTurn } from '../wire/terminal.js';
import type { z } from 'zod';
import { EmulatorError } from '../base/errors.js';
import { headerSchema, lineSchema, type RecordingHeader, type RecordingLine } from '../record/format.js';
import { isRecord } from '../wire/wire.js';

/** A body in a recording: a text, or bytes in base64. */
export interface Payload {
  readonly text: string;
  readonly base64: boolean;
  readonly contentType: string | undefined;
}

/** An event, a frame or a body that the server sent, and when, in milliseconds since the recording began. */
export interface Sent {
  readonly at: number;
  readonly text: string;
  readonly base64: boolean;
}

type Line<Kind extends RecordingLine['kind']> = Extract<RecordingLine, { kind: Kind }>;

/** One HTTP request and its answer. */
export interface RecordedExchange {
  /** The line of the file in which the exchange begins. */
  readonly line: number;
  readonly method: string;
  readonly path: string;
  readonly body: Payload | undefined;
  /** When the whole request was received. */
  readonly requestedAt: number;
  readonly answer: Line<'answer'> | undefined;
  /** The events of a stream, or one whole body. */
  readonly sent: readonly Sent[];
  /** Why the body of the answer is not in the recording; undefined if it is. */
  readonly leftOut: string | undefined;
  readonly streams: boolean;
  readonly end: Line<'end'> | undefined;
}

/** True for an exchange that is a create. */
export function isCreate({ method, path }: Pick<RecordedExchange, 'method' | 'path'>): boolean {
  return method === 'POST' && /^\/responses(\?|$)/.test(path);
}

/** One create on a socket, and the messages with which the server answered it. */
export interface RecordedTurn {
  readonly line: number;
  readonly requestedAt: number;
  readonly request: string;
  readonly sent: Sent[];
}

/** One upgrade, and the socket if the upgrade opened one. */
export interface RecordedSocket {
  readonly line: number;
  readonly requestedAt: number;
  readonly path: string;
  /** The answer to the upgrade: 101 or a refusal; undefined if there was none. */
  readonly answer: Line<'answer'> | undefined;
  readonly body: string;
  readonly refusedBy: Line<'end'> | undefined;
  /** The messages of the server before the first create. */
  readonly initialFrames: readonly Sent[];
  /** The turns of each lane. The key of the default lane is `''`. */
  readonly lanes: ReadonlyMap<string, readonly RecordedTurn[]>;
  /** The messages of the client that are no creates, in order. */
  readonly others: readonly { readonly line: number; readonly text: string }[];
  readonly close: Line<'close'> | undefined;
}

export interface Recording {
  readonly file: string;
  readonly header: RecordingHeader;
  readonly exchanges: readonly RecordedExchange[];
  readonly sockets: readonly RecordedSocket[];
}

/**
 * Reads a recording and checks each of its lines. A last line that was cut off, when the recorder was killed, is ignored.
 *
 * @param upstream the name of the upstream whose exchanges are read; undefined: all
 * @throws EmulatorError with the number of a line that is not valid, or with the names of the upstreams if there is none of this name
 */
export async function loadRecording(file: string, upstream?: string): Promise<Recording> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'ENOENT' ? 'there is no such file' : error.code === 'EISDIR' ? 'it is a directory' : error.message;
    throw new EmulatorError('invalid_recording', `The recording ${file} cannot be read: ${why}.`, { cause: error });
  });
  const texts = text.split('\n');
  // Every line ends with a line feed, so the text after the last one is an unfinished line.
  texts.pop();
  const [first, ...rest] = texts;
  if (first === undefined) throw notValid(file, 1, 'it is empty, or not a recording of turnwire');
  const header = checkLine(headerSchema, first, file, 1);
  const names = 'upstreams' in header ? Object.keys(header.upstreams) : [];
  if (upstream !== undefined && !names.includes(upstream)) {
    const known = names.length === 0 ? 'it is of one upstream without a name' : `there is ${names.join(', ')}`;
    const message = `The recording ${file} has nothing of ${JSON.stringify(upstream)}: ${known}.`;
    throw new EmulatorError('invalid_recording', message);
  }
  const byExchange = new Map<number, NumberedLine[]>();
  for (const [index, each] of rest.entries()) {
    const value = checkLine(lineSchema, each, file, index + 2);
    const known = byExchange.get(value.exchange) ?? [];
    byExchange.set(value.exchange, known);
    known.push({ value, line: index + 2 });
  }
  const all = [...byExchange.values()].filter(([first]) => upstream === undefined || upstreamOf(first) === upstream);
  return {
    file,
    header,
    exchanges: all.flatMap((lines) => exchangeOf(lines)),
    sockets: all.flatMap((lines) => socketOf(lines)),
  };
}

interface NumberedLine {
  readonly value: RecordingLine;
  readonly line: number;
}

function upstreamOf(first: NumberedLine | undefined): string | undefined {
  return first?.value.kind === 'request' || first?.value.kind === 'upgrade' ? first.value.upstream : undefined;
}

function checkLine<T extends z.ZodType>(schema: T, text: string, file: string, line: number): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notValid(file, line, 'this is not JSON');
  }
  if (line === 1 && isRecord(value) && value['turnwire'] === 'recording' && value['version'] !== 1) {
    throw notValid(file, line, `its format has version ${String(value['version'])}; this turnwire reads version 1`);
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  throw notValid(
    file,
    line,
    `${where === '' ? 'the line' : `"${where}"`} is not as the format says: ${issue?.message ?? 'unknown reason'}`,
  );
}

function notValid(file: string, line: number, why: string): EmulatorError {
  return new EmulatorError('invalid_recording', `${file}:${line}: ${why}.`);
}

function exchangeOf(lines: readonly NumberedLine[]): readonly RecordedExchange[] {
  const begin = lines[0];
  if (begin?.value.kind !== 'request') return [];
  const values = lines.map(({ value }) => value);
  const body = values.find((value) => value.kind === 'body' && value.from === 'client');
  const sent = values.flatMap((value): Sent[] =>
    value.kind === 'event'
      ? [{ at: value.at, text: value.text, base64: false }]
      : value.kind === 'body' && value.from === 'server'
        ? [{ at: value.at, text: value.text, base64: value.base64 === true }]
        : [],
  );
  const answer = values.find((value) => value.kind === 'answer');
  const answerBody = values.find((value) => value.kind === 'body' && value.from === 'server');
  return [
    {
      line: begin.line,
      method: begin.value.method,
      path: begin.value.path,
      body:
        body?.kind === 'body'
          ? { text: body.text, base64: body.base64 === true, contentType: begin.value.headers['content-type'] }
          : undefined,
      requestedAt: body?.at ?? begin.value.at,
      answer,
      sent,
      leftOut: answerBody?.kind === 'body' ? answerBody.note : undefined,
      streams: /^text\/event-stream/i.test(answer?.headers['content-type'] ?? ''),
      end: values.find((value) => value.kind === 'end'),
    },
  ];
}

/**
 * Assigns each message of the server to the create that it answers. The turns of a lane follow one another, so a message belongs to the oldest
 * create without a terminal event, or to the last create if all have one (a steered turn has a successor).
 */
function socketOf(lines: readonly NumberedLine[]): readonly RecordedSocket[] {
  const begin = lines[0];
  if (begin?.value.kind !== 'upgrade') return [];
  const values = lines.map(({ value }) => value);
  const initialFrames: Sent[] = [];
  const lanes = new Map<string, RecordedTurn[]>();
  const ended = new Map<string, number>();
  const others: { line: number; text: string }[] = [];
  for (const { value, line } of lines) {
    if (value.kind !== 'frame') continue;
    const { at, text, base64 = false } = value;
    // A server may read a binary frame like a text frame, so its content decides what it is.
    const content = base64 ? Buffer.from(text, 'base64').toString('utf8') : text;
    const message = parseObject(content);
    const lane = laneOf(message);
    const turns = lanes.get(lane) ?? [];
    if (value.from === 'client') {
      if (message?.['type'] !== 'response.create') others.push({ line, text: content });
      else lanes.set(lane, [...turns, { line, requestedAt: at, request: content, sent: [] }]);
      continue;
    }
    const done = ended.get(lane) ?? 0;
    // An error of the whole connection names no lane, and is assigned to the latest create.
    const turn =
      turns[Math.min(done, turns.length - 1)] ??
      [...lanes.values()]
        .flat()
        .toSorted((a, b) => a.line - b.line)
        .at(-1);
    (turn?.sent ?? initialFrames).push({ at, text, base64 });
    if (message !== undefined && endsTurn(message)) ended.set(lane, done + 1);
  }
  const body = values.find((value) => value.kind === 'body');
  return [
    {
      line: begin.line,
      requestedAt: begin.value.at,
      path: begin.value.path,
      answer: values.find((value) => value.kind === 'answer'),
      body: body?.kind === 'body' ? body.text : '',
      refusedBy: values.find((value) => value.kind === 'end'),
      initialFrames,
      lanes,
      others,
      close: values.find((value) => value.kind === 'close'),
    },
  ];
}

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function laneOf(message: Record<string, unknown> | undefined): string {
  const lane = message?.['stream_id'];
  return typeof lane === 'string' ? lane : '';
}
