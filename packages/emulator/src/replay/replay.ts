import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import type { Clock } from '../base/clock.js';
import { sleep } from '../base/sleep.js';
import type { ConnectionControl } from '../faults/connection-control.js';
import type { Journal, OpenTurn } from '../journal/journal.js';
import type { Outcome } from '../journal/journal-turn.js';
import { normalizePath } from '../record/path.js';
import { Refusal } from '../wire/refusal.js';
import { isRecord, type ResponseObject } from '../wire/wire.js';
import { finalResponse, type RecordedAnswer } from './answer.js';
import { Cursor, type ReplayAnswer } from './cursor.js';
import { payloadOf } from './payload.js';
import type { ReplayOptions } from './replay-options.js';
import {
  isCreate,
  laneOf,
  parseObject,
  type RecordedExchange,
  type RecordedSocket,
  type RecordedTurn,
  type Recording,
  type Sent,
} from './recording.js';

/** The base paths of the emulator. A recording has the paths below them. */
const bases = /^\/(?:v1|backend-api\/codex)\//;

/** Answers every request from a recording. */
export class Replay {
  readonly #cursor: Cursor;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #speed: number;

  constructor(
    recording: Recording,
    { mode = 'strict', timing = 'recorded', onDifference }: Omit<ReplayOptions, 'file'>,
    journal: Journal,
    clock: Clock,
  ) {
    this.#cursor = new Cursor(recording, mode, onDifference);
    this.#journal = journal;
    this.#clock = clock;
    this.#speed = timing === 'recorded' ? 1 : timing === 'at-once' ? Infinity : timing;
  }

  /** Answers one HTTP request whose body has been read. @throws Refusal */
  async serveHttp(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    connectionControl: ConnectionControl,
    connection: number,
  ): Promise<void> {
    const method = request.method ?? 'GET';
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://replay');
    const path = normalizePath(pathname.replace(bases, '/'), searchParams);
    const payload = payloadOf(body, request.headers['content-type']);
    const entry = isCreate({ method, path })
      ? this.#openTurn(payload.text, body.byteLength, 'http', connection)
      : undefined;
    const found: ReplayAnswer<RecordedExchange> = notingRefusal(entry, () =>
      entry === undefined
        ? { verbatim: this.#cursor.exchange(method, path, payload) }
        : this.#cursor.httpCreate(path, payload),
    );
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      if ('converted' in found) {
        const { converted } = found;
        await this.#answerConverted(
          converted,
          parseObject(payload.text)?.['stream'] === true,
          response,
          connectionControl,
          gone.signal,
        );
        if (entry !== undefined) endConverted(entry, converted);
      } else {
        await this.#sendExchange(found.verbatim, response, connectionControl, gone.signal);
        if (entry !== undefined) endVerbatim(entry, found.verbatim);
      }
    } catch (error) {
      entry?.abort();
      if (!gone.signal.aborted) throw error;
    }
  }

  /** Resolves when the next upgrade is due, with its recorded socket. @throws Refusal as recorded, or if no upgrade is left */
  async acceptUpgrade(connectionControl: ConnectionControl, signal: AbortSignal): Promise<RecordedSocket> {
    const socket = this.#cursor.socket();
    await this.#until(
      socket.requestedAt,
      this.#clock.now(),
      socket.answer?.at ?? socket.refusedBy?.at ?? socket.requestedAt,
      signal,
    );
    if (socket.answer?.status === 101) return socket;
    if (socket.answer !== undefined)
      throw new RecordedRefusal(socket.answer.status, socket.answer.headers, socket.body);
    if (socket.refusedBy?.how === 'reset') connectionControl.reset();
    else connectionControl.end();
    throw new Error('The recorded upgrade had no answer.');
  }

  /** Serves an open socket: answers each create as recorded, and closes the socket as recorded after the last one. */
  serveWebSocket(
    socket: RecordedSocket,
    webSocket: WebSocket,
    connectionControl: ConnectionControl,
    connection: number,
  ): void {
    const gone = new AbortController();
    const tails = new Map<string, Promise<void>>();
    let running = 0;
    webSocket.on('error', () => undefined);
    webSocket.once('close', () => gone.abort());
    const run = (lane: string, work: () => Promise<void>) => {
      running += 1;
      const tail = (tails.get(lane) ?? Promise.resolve())
        .then(work)
        .catch(() => undefined)
        .finally(() => {
          running -= 1;
          if (running === 0 && this.#cursor.isFinished(socket))
            void this.#close(socket, webSocket, connectionControl, gone.signal);
        });
      tails.set(lane, tail);
    };
    webSocket.on('message', (raw: Buffer) => {
      const text = raw.toString('utf8');
      const message = parseObject(text);
      const isTurn = message?.['type'] === 'response.create';
      const entry = isTurn ? this.#openTurn(text, raw.byteLength, 'websocket', connection) : undefined;
      try {
        if (!isTurn) return this.#cursor.other(socket, text);
        const found = notingRefusal(entry, () => this.#cursor.turn(socket, text));
        const lane = laneOf(message);
        run(lane, () =>
          'converted' in found
            ? this.#sendConverted(found.converted, lane, webSocket, connectionControl, gone.signal, entry)
            : this.#sendTurn(found.verbatim, webSocket, gone.signal, entry),
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const lane = laneOf(message);
        const { text: frame } = error.frame();
        const named = lane === '' ? frame : JSON.stringify({ ...parseObject(frame), stream_id: lane });
        run(lane, () => Promise.resolve(webSocket.send(named)));
      }
    });
    const opened = socket.answer?.at ?? socket.requestedAt;
    run('', () =>
      this.#send(socket.initialFrames, opened, gone.signal, (text, base64) => webSocket.send(frameOf(text, base64))),
    );
  }

  async #sendTurn(
    turn: RecordedTurn,
    webSocket: WebSocket,
    signal: AbortSignal,
    entry: OpenTurn | undefined,
  ): Promise<void> {
    try {
      await this.#send(turn.sent, turn.requestedAt, signal, (text, base64) => {
        if (webSocket.readyState === webSocket.OPEN) webSocket.send(frameOf(text, base64));
      });
      entry?.end(...responseAndOutcome(turn.sent.map(({ text }) => text)));
    } catch (error) {
      entry?.abort();
      throw error;
    }
  }

  /** Sends a converted answer over HTTP: its events, or the response in which they end. */
  async #answerConverted(
    { refused, events, requestedAt, isWhole }: RecordedAnswer,
    streams: boolean,
    response: ServerResponse,
    connectionControl: ConnectionControl,
    signal: AbortSignal,
  ): Promise<void> {
    if (refused !== undefined) {
      response.writeHead(refused.status, { ...refused.headers, 'content-type': 'application/json' });
      return void response.end(refused.body);
    }
    if (streams) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      const blocks = events.map(({ at, event, text }) => ({
        at,
        base64: false,
        text: `event: ${String(event['type'])}\ndata: ${text}\n\n`,
      }));
      await this.#send(blocks, requestedAt, signal, (text) => response.write(text));
      return void (isWhole ? response.end() : connectionControl.end());
    }
    await this.#until(requestedAt, this.#clock.now(), events.at(-1)?.at ?? requestedAt, signal);
    const final = finalResponse(events);
    if (final === undefined) return connectionControl.end();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(final));
  }

  /** Sends a converted answer on a socket. */
  async #sendConverted(
    converted: RecordedAnswer,
    lane: string,
    webSocket: WebSocket,
    connectionControl: ConnectionControl,
    signal: AbortSignal,
    entry: OpenTurn | undefined,
  ): Promise<void> {
    const { refused, events, requestedAt, isWhole } = converted;
    const named = lane === '' ? {} : { stream_id: lane };
    const frames: readonly Sent[] =
      refused === undefined
        ? events.map(({ at, event, text }) => ({
            at,
            base64: false,
            text: lane === '' ? text : JSON.stringify({ ...event, ...named }),
          }))
        : [{ at: requestedAt, base64: false, text: JSON.stringify({ ...errorFrame(refused), ...named }) }];
    try {
      await this.#send(frames, requestedAt, signal, (text) => {
        if (webSocket.readyState === webSocket.OPEN) webSocket.send(text);
      });
      if (entry !== undefined) endConverted(entry, converted);
      if (!isWhole) connectionControl.end();
    } catch (error) {
      entry?.abort();
      throw error;
    }
  }

  /**
   * Closes a socket as recorded. If the client closed it and opened another one, because of its age for example, it may have no reason to do so
   * in a faster replay. The server then closes the socket in its place, so that the next create comes on the next socket.
   */
  async #close(
    socket: RecordedSocket,
    webSocket: WebSocket,
    connectionControl: ConnectionControl,
    signal: AbortSignal,
  ): Promise<void> {
    const { close, lanes, answer, requestedAt } = socket;
    if (close === undefined || (close.by === 'client' && !this.#cursor.isFollowed(socket))) return;
    const before = [...lanes.values()]
      .flat()
      .flatMap(({ requestedAt, sent }) => [requestedAt, ...sent.map(({ at }) => at)]);
    const last = Math.max(answer?.at ?? requestedAt, ...before);
    try {
      await this.#until(last, this.#clock.now(), close.at, signal);
    } catch {
      return;
    }
    if (close.by === 'client' && close.code === 1006) webSocket.close(1001);
    else if (close.reset) connectionControl.reset();
    else if (close.code === 1006) connectionControl.end();
    else if (close.code === 1005) webSocket.close();
    else webSocket.close(close.code, close.reason);
  }

  async #sendExchange(
    exchange: RecordedExchange,
    response: ServerResponse,
    connectionControl: ConnectionControl,
    signal: AbortSignal,
  ): Promise<void> {
    const { answer, sent, streams, end, requestedAt } = exchange;
    const began = this.#clock.now();
    const isWhole = end?.how === 'complete';
    if (answer !== undefined) {
      await this.#until(requestedAt, began, answer.at, signal);
      const { 'content-length': length, ...headers } = answer.headers;
      // A body that breaks off keeps its content-length, so that the client sees that bytes are missing.
      const promised = !isWhole && !streams && length !== undefined ? { 'content-length': length } : {};
      response.writeHead(answer.status, { ...headers, ...promised });
      response.flushHeaders();
    }
    await this.#send(sent, requestedAt, signal, (text, base64) => {
      response.write(streams ? `${text}\n\n` : Buffer.from(text, base64 ? 'base64' : 'utf8'));
    });
    if (end !== undefined) await this.#until(requestedAt, began, end.at, signal);
    if (isWhole) return void response.end();
    if (end?.text !== undefined) response.write(end.text);
    if (end?.how === 'reset') connectionControl.reset();
    else connectionControl.end();
  }

  async #send(
    sent: readonly Sent[],
    requestedAt: number,
    signal: AbortSignal,
    send: (text: string, base64: boolean) => void,
  ): Promise<void> {
    const began = this.#clock.now();
    for (const { at, text, base64 } of sent) {
      await this.#until(requestedAt, began, at, signal);
      signal.throwIfAborted();
      send(text, base64);
    }
  }

  /** Waits until the time since `began` is the recorded time between `requestedAt` and `at`, at the speed of this replay. */
  async #until(requestedAt: number, began: number, at: number, signal: AbortSignal): Promise<void> {
    const wait = began + (at - requestedAt) / this.#speed - this.#clock.now();
    if (wait >= 1) await sleep(this.#clock, wait, signal);
  }

  #openTurn(text: string, bytes: number, over: 'http' | 'websocket', connection: number): OpenTurn {
    const request = parseObject(text);
    const transport = over === 'websocket' ? over : request?.['stream'] === true ? 'sse' : 'json';
    return this.#journal.openTurn({ transport, connection, request, bytes });
  }
}

/** A recorded refusal: its status, headers and body. */
class RecordedRefusal extends Refusal {
  readonly #body: string;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: string) {
    super(`The recorded status was ${status}.`, { status, headers });
    this.#body = body;
  }

  override body(): string {
    return this.#body;
  }
}

/** Calls `find`, and notes a refusal in the journal. */
function notingRefusal<T>(entry: OpenTurn | undefined, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof Refusal) entry?.refuse(error.status, error.code);
    throw error;
  }
}

/** The content of a frame: a text, or the bytes of a binary frame. */
function frameOf(text: string, base64: boolean): string | Buffer {
  return base64 ? Buffer.from(text, 'base64') : text;
}

/** The headers of an error that clients obey. An error frame has them within the error (P61). */
const errorHeaders = /^(retry-after(-ms)?|x-should-retry|x-ratelimit-.+)$/;

/** The error frame for a refusal that was recorded over HTTP. */
function errorFrame({ status, body, headers }: NonNullable<RecordedAnswer['refused']>): object {
  const error = parseObject(body)?.['error'] ?? { type: 'server_error', code: null, message: body };
  const kept = Object.entries(headers).filter(([name]) => errorHeaders.test(name));
  if (kept.length === 0 || !isRecord(error)) return { type: 'error', status, error };
  return { type: 'error', status, error: { ...error, headers: Object.fromEntries(kept) } };
}

function endConverted(entry: OpenTurn, { refused, events }: RecordedAnswer): void {
  if (refused === undefined) return entry.end(...responseAndOutcome(events.map(({ text }) => text)));
  const error = parseObject(refused.body)?.['error'];
  entry.refuse(refused.status, isRecord(error) && typeof error['code'] === 'string' ? error['code'] : null);
}

function endVerbatim(entry: OpenTurn, { answer, sent, streams }: RecordedExchange): void {
  if (answer !== undefined && answer.status >= 400) {
    const error = parseObject(sent[0]?.text ?? '')?.['error'];
    const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : null;
    return entry.refuse(answer.status, code);
  }
  const texts = sent.map(({ text }) =>
    streams ? (/^data: ?(.*)$/m.exec(text)?.[1] ?? '') : JSON.stringify({ response: parseObject(text) }),
  );
  entry.end(...responseAndOutcome(texts));
}

/** The last response in some events, and the outcome of the turn. */
function responseAndOutcome(texts: readonly string[]): [ResponseObject | undefined, Outcome] {
  const event = texts.map(parseObject).findLast((each) => isRecord(each?.['response']));
  const response = event?.['response'];
  if (!isRecord(response) || typeof response['id'] !== 'string') return [undefined, 'failed'];
  const status = String(response['status']);
  const output = Array.isArray(response['output']) ? response['output'].filter(isRecord) : [];
  const outcome = status === 'completed' || status === 'incomplete' ? status : 'failed';
  return [{ ...response, id: response['id'], status, output }, outcome];
}
