import { exchange, parsed } from './http.js';
import { readEventStream } from './event-stream.js';
import type { HttpAnswer } from './http.js';
import type { ProbeSocket } from './socket.js';
import type { Target } from './target.js';
import type { Trace } from './trace.js';

export type Json = Readonly<Record<string, unknown>>;

export interface WireEvent {
  /** The event's own type; `error` also for an error without a type. */
  type: string;
  body: Json;
  at: number;
}

/** The answer to one create, up to its terminal event. */
export interface Turn {
  transport: 'SSE' | 'WebSocket';
  events: readonly WireEvent[];
  /** Milliseconds of `performance.now()`. */
  sentAt: number;
  /** The reason why there is no terminal event; undefined where there is one. */
  broken: string | undefined;
}

const terminal = /^(?:response\.(?:completed|failed|incomplete|done|cancelled)|error)$/;

/** True where an event of this type ends a turn. */
export function isTerminal({ type }: { type: string }): boolean {
  return terminal.test(type);
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An event of the wire; undefined for what is no JSON object, or has neither a type nor an error. */
export function eventOf(json: unknown, at: number): WireEvent | undefined {
  if (!isJson(json)) return undefined;
  const { type } = json;
  if (typeof type === 'string') return { type, body: json, at };
  return isJson(json['error']) ? { type: 'error', body: json, at } : undefined;
}

/** The object under a key of an object; empty where there is none. */
export function part(body: unknown, key: string): Json {
  const value = isJson(body) ? body[key] : undefined;
  return isJson(value) ? value : {};
}

/** The response inside of a turn's terminal event; empty where the turn has none. */
export function endOf({ events }: Pick<Turn, 'events'>): Json {
  return part(events.find(isTerminal)?.body, 'response');
}

/** Runs a turn over SSE; gives it with the HTTP answer that carried it. */
export async function turnOverSse(
  target: Target,
  trace: Trace,
  create: Json,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ turn: Turn; answer: HttpAnswer }> {
  const body = JSON.stringify({ ...create, stream: true });
  const answer = await exchange(target, trace, { method: 'POST', path: 'responses', body, headers });
  const { sentAt } = answer;
  const isStream = /^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '');
  if (answer.status !== 200 || !isStream) {
    trace.received(answer.body);
    const events = [eventOf(answer.json, answer.headAt)].filter((event) => event !== undefined);
    const broken = `the turn was answered with status ${answer.status} and ${answer.headers['content-type'] ?? 'no content type'}`;
    return { turn: { transport: 'SSE', events, sentAt, broken }, answer };
  }
  const events: WireEvent[] = [];
  for (const { data, at } of readEventStream(answer.body, answer.pieces).events) {
    trace.received(data ?? '(an event without data)');
    const event = eventOf(parsed(data ?? ''), at);
    if (event !== undefined) events.push(event);
  }
  const broken = events.some(isTerminal) ? undefined : `the stream ended (${answer.end}) without a terminal event`;
  return { turn: { transport: 'SSE', events, sentAt, broken }, answer };
}

/** Sends a create on a socket, and reads its answer to the terminal event. */
export async function turnOverSocket(socket: ProbeSocket, create: Json): Promise<Turn> {
  const sentAt = performance.now();
  socket.send({ type: 'response.create', ...create });
  return { ...(await readTurn(socket)), sentAt };
}

/** Reads a socket up to and including a terminal event. */
export async function readTurn(socket: ProbeSocket): Promise<Omit<Turn, 'sentAt'>> {
  const events: WireEvent[] = [];
  const transport = 'WebSocket';
  for (;;) {
    const incoming = await socket.next();
    if (incoming.kind === 'timeout') return { transport, events, broken: 'no event came within the limit of time' };
    if (incoming.kind === 'close') {
      const { code, reason } = incoming;
      return { transport, events, broken: `the connection was closed with ${code} ${reason}`.trim() };
    }
    const event = eventOf(incoming.json, incoming.at);
    if (event === undefined) continue;
    events.push(event);
    if (isTerminal(event)) return { transport, events, broken: undefined };
  }
}

/** The frames that came on a socket after a turn. To wait for none, it sends a ping and reads up to the pong. */
export async function readRest(socket: ProbeSocket): Promise<readonly WireEvent[]> {
  await socket.ping(2000);
  const events: WireEvent[] = [];
  for (;;) {
    const incoming = await socket.next(1);
    if (incoming.kind !== 'frame') return events;
    const event = eventOf(incoming.json, incoming.at);
    if (event !== undefined) events.push(event);
  }
}
