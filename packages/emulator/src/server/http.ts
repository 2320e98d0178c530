import type { IncomingMessage, ServerResponse } from 'node:http';
import { runInSteps } from '../base/incremental.js';
import { afterThisTick } from '../base/timers.js';
import { sseEvent, openEventStream } from '../listener/event-stream.js';
import { HttpConnectionControl } from '../faults/connection-control.js';
import { RequestFaults } from '../faults/request-faults.js';
import type { Exchange } from './http/exchange.js';
import { readBody, type ReadBody } from './http/read-body.js';
import { endpointFor, findRoute } from './http/routes.js';
import { hasMultiAgentBeta, refuseWithoutBeta } from '../wire/multi-agent.js';
import { accountsOf, asksForAccounts, rateLimitHeaders, turnStateHeader, turnStateOf } from './chatgpt.js';
import type { Replay } from '../replay/replay.js';
import { Refusal } from '../wire/refusal.js';
import { parseJson } from '../request/json-body.js';
import { tenantOf } from '../base/tenant.js';
import { runTurnWithFaults } from './turn-with-faults.js';
import type { TurnSink, ReceivedCreate } from '../engine/turn-sink.js';
import type { Engine } from '../engine/engine.js';
import { refusalOf } from '../engine/turn.js';
import { isRecord, type Frame } from '../wire/wire.js';

/** The options of the emulator that HTTP requests depend on. */
export interface HttpSettings {
  readonly bodyBytes: number;
  readonly recordings: string | undefined;
  /** The replay that answers all requests; undefined without one. */
  readonly replay: Replay | undefined;
}

/** One HTTP request that has to be answered. */
interface HttpCall {
  readonly engine: Engine;
  readonly settings: HttpSettings;
  /** The number of its connection in the journal. */
  readonly connection: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Answers one HTTP request. Never rejects. */
export async function serveHttp(call: HttpCall): Promise<void> {
  const { engine, response } = call;
  response.setHeader('x-request-id', engine.ids.next('req'));
  try {
    await route(call);
  } catch (error) {
    // No error can be sent to a client that has left, or after the head of the answer was sent.
    if (response.destroyed || response.headersSent) return void response.destroy();
    refuse(response, refusalOf(error));
  }
}

async function route(call: HttpCall): Promise<void> {
  const { settings, request, response } = call;
  if (settings.replay !== undefined) return serveReplay(call, settings.replay);
  const path = pathOf(request);
  if (path === 'responses') {
    if (request.method === 'POST') return create(call);
    if (request.method === 'GET') throw upgradeRequired();
    throw methodNotAllowed(request, 'GET, POST');
  }
  const found = path === undefined ? undefined : findRoute(path);
  if (found !== undefined) {
    const endpoint = endpointFor(found.methods, request.method);
    if (endpoint === undefined) throw methodNotAllowed(request, Object.keys(found.methods).join(', '));
    const answer = await endpoint(exchangeOf(call, found.segments));
    if (answer !== undefined) sendJson(response, JSON.stringify(answer));
    return;
  }
  if (asksForAccounts(request)) return sendJson(response, JSON.stringify(accountsOf(request)));
  throw unknownPath(request);
}

async function serveReplay(
  { engine, settings, connection, request, response }: HttpCall,
  replay: Replay,
): Promise<void> {
  const gone = watchClient(response).signal;
  const faults = new RequestFaults(engine.faults, request, connection);
  const connectionControl = new HttpConnectionControl(response, engine.clock, faults.firstTurnFaults);
  await faults.beforeAnswer(connectionControl, engine.clock, gone);
  // A body that the recorder could not decode is not in the recording either, so it may still be the expected one.
  const { body, undecodable } = await readBody(request, settings.bodyBytes, { keepsUndecodable: true });
  try {
    await replay.serveHttp(request, body, response, connectionControl, connection);
  } catch (error) {
    throw error instanceof Refusal ? (undecodable ?? error) : error;
  }
}

const clientGone = new Error('The client has gone.');

/** Whether the client of a request still waits for the answer. */
interface ClientPresence {
  /** Aborted when the connection closes before the request is served: the client left, or a fault ended the answer. */
  readonly signal: AbortSignal;
  /** Whether the request is served. The signal is not aborted any more then. */
  isServed: boolean;
}

function watchClient(response: ServerResponse): ClientPresence {
  const gone = new AbortController();
  const client: ClientPresence = { signal: gone.signal, isServed: false };
  response.once('close', () => {
    if (!client.isServed) gone.abort(clientGone);
  });
  return client;
}

/** The base paths of the API: that of OpenAI, and that of the ChatGPT backend, which Codex and pi use with a login (P18). */
const bases = /^\/(?:v1|backend-api\/codex)\//;

/** The path below a base path of the API, without its query; undefined for any other path. */
export function pathOf(request: IncomingMessage): string | undefined {
  const path = (request.url ?? '/').replace(/[?#].*$/s, '');
  return bases.test(path) ? path.replace(bases, '') : undefined;
}

export function unknownPath(request: IncomingMessage): Refusal {
  const message = `Unknown request URL: ${request.method ?? 'GET'} ${(request.url ?? '/').replace(/[?#].*$/s, '').slice(0, 200)}. This emulator speaks the Responses API (POST /v1/responses); its base URL ends in /v1.`;
  return new Refusal(message, { status: 404, code: 'unknown_url' });
}

function upgradeRequired(): Refusal {
  return new Refusal('GET /v1/responses opens a WebSocket: send an upgrade, or POST a request.', {
    status: 426,
    code: 'upgrade_required',
    headers: { upgrade: 'websocket', connection: 'upgrade' },
  });
}

function methodNotAllowed(request: IncomingMessage, allow: string): Refusal {
  return new Refusal(`Not allowed: ${request.method ?? ''} on this URL; it takes ${allow}.`, {
    status: 405,
    code: 'method_not_allowed',
    headers: { allow },
  });
}

function exchangeOf({ engine, settings, request, response }: HttpCall, segments: readonly string[]): Exchange {
  const { bodyBytes, recordings } = settings;
  const gone = watchClient(response).signal;
  return {
    engine,
    tenant: tenantOf(request.headers, engine.credentials),
    recordings,
    segments,
    query: new URL(request.url ?? '/', 'http://emulator').searchParams,
    signal: gone,
    async body() {
      const read = await readBody(request, bodyBytes);
      if (read.body.byteLength === 0) return undefined;
      const { body, refusal } = await parseBody(read);
      if (refusal !== undefined) throw refusal;
      return body;
    },
    stream: (frames) => sendEvents(frames, sseSink(response, gone, engine.dialect.doneMarker)),
  };
}

async function sendEvents(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
  { send, finish }: ResponseSink,
): Promise<void> {
  for await (const frame of frames) await send(frame);
  finish(undefined);
}

async function create({ engine, settings, connection, request, response }: HttpCall): Promise<void> {
  const client = watchClient(response);
  const gone = client.signal;
  const { clock } = engine;
  const tenant = tenantOf(request.headers, engine.credentials);
  if (engine.dialect.accountStatus) {
    response.setHeaders(new Map(Object.entries(rateLimitHeaders(clock.now()))));
    response.setHeader(turnStateHeader, turnStateOf(request, engine.ids));
  }
  const faults = new RequestFaults(engine.faults, request, connection);
  const connectionControl = new HttpConnectionControl(response, clock, faults.firstTurnFaults);
  await faults.beforeAnswer(connectionControl, clock, gone);
  const parsed = await parseBody(await readBody(request, settings.bodyBytes));
  const { body } = parsed;
  const refusal = parsed.refusal ?? refuseWithoutBeta(body, hasMultiAgentBeta(request.headers));
  const received = refusal === undefined ? parsed : { ...parsed, refusal };
  const streams = isRecord(body) && body['stream'] === true;
  connectionControl.streams = streams;
  if (streams && faults.strikesAfterOpen) {
    openEventStream(response);
    response.flushHeaders();
  }
  await faults.afterOpen(connectionControl, clock, gone);
  const shared = {
    connection,
    tenant,
    connectionControl,
    laneCache: undefined,
    // Recordings count turns without a history over all HTTP requests, because a client may open a connection for each turn.
    counterKey: engine,
    signal: gone,
    refuse: (refusal: Refusal) => refuse(response, refusal),
  };
  if (isRecord(body) && body['background'] === true) {
    const job = await engine.background.begin(tenant, (sink) =>
      runTurnWithFaults(engine, received, { ...shared, ...sink, transport: streams ? 'sse' : 'json' }),
    );
    if (!streams) return sendJson(response, JSON.stringify(job.begun));
    const sink = sseSink(response, gone, engine.dialect.doneMarker);
    return sendEvents(job.follow(0, gone), sink);
  }
  const sink: TurnSink = streams
    ? { ...shared, ...sseSink(response, gone, engine.dialect.doneMarker) }
    : { ...shared, ...jsonSink(response) };
  await runTurnWithFaults(engine, received, sink);
  client.isServed = true;
}

type ResponseSink = Pick<TurnSink, 'transport' | 'send' | 'finish'>;

/** The length of unsent events above which they are written at once, to see whether the client keeps up. */
const writeLength = 16_384;

/** Sends each event as an `event:` line and a `data:` line (P22). `doneMarker` ends the body with `[DONE]`, as some dialects do (P23). */
function sseSink(response: ServerResponse, signal: AbortSignal, doneMarker: boolean): ResponseSink {
  let text = '';
  const flush = () => {
    const all = text;
    text = '';
    return all === '' || response.destroyed || response.write(all);
  };
  return {
    transport: 'sse',
    send(frame: Frame) {
      openEventStream(response);
      // The events of one tick are sent in one write. None of them is delayed, because the microtask runs before anything else.
      if (text === '') afterThisTick(flush);
      text += sseEvent(frame);
      if (text.length < writeLength) return undefined;
      return flush() ? undefined : drained(response, signal);
    },
    finish() {
      const last = doneMarker ? `${text}data: [DONE]\n\n` : text;
      text = '';
      response.end(last);
    },
  };
}

/** Sends one JSON body when the turn has ended. A failed response has the HTTP status 200 too, because its own status is in the body. */
function jsonSink(response: ServerResponse): ResponseSink {
  let lastFrame: Frame | undefined;
  return {
    transport: 'json',
    send(frame) {
      lastFrame = frame;
      return undefined;
    },
    finish(final) {
      if (final !== undefined) return sendJson(response, JSON.stringify(final));
      refuse(
        response,
        new Refusal(`The recording has no final response; its last event is ${lastFrame?.type ?? 'missing'}.`, {
          status: 502,
          code: 'recording_breaks_off',
        }),
      );
    },
  };
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const gone = () => reject(clientGone);
    signal.addEventListener('abort', gone, { once: true });
    response.once('drain', () => {
      signal.removeEventListener('abort', gone);
      resolve();
    });
  });
}

const noJson = 'We could not parse the JSON body of your request: it must be one JSON object in UTF-8.';

async function parseBody({ body, wireBytes: bytes }: ReadBody): Promise<ReceivedCreate> {
  try {
    return { body: await runInSteps(parseJson(body, noJson)), bytes };
  } catch (error) {
    if (error instanceof Refusal) return { body: undefined, bytes, refusal: error };
    throw error;
  }
}

function sendJson(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(text);
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  const body = refusal.body();
  response.writeHead(refusal.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...refusal.headers,
  });
  response.end(body);
}
