import type { IncomingMessage, ServerResponse } from 'node:http';
import { recordingModels } from './recordings.js';
import { Refusal } from './refusal.js';
import { runTurn, type Carriage, type Emulation, type Received } from './turn.js';
import { isRecord, type Frame, type ResponseObject } from './wire.js';

export interface HttpSettings {
  readonly bodyBytes: number;
  readonly recordings: string | undefined;
}

/** The model that is listed for everyone; any other name is answered as well. */
const LISTED_MODEL = 'emulator';

/** Answers one HTTP request. Never rejects. */
export async function serveHttp(
  emulation: Emulation,
  settings: HttpSettings,
  connection: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('x-request-id', emulation.ids.next('req'));
  try {
    await route(emulation, settings, connection, request, response);
  } catch (error) {
    // A client that left before its body was read is no longer there to be told.
    if (response.destroyed || response.headersSent) return void response.destroy();
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(`The emulator failed: ${error instanceof Error ? error.message : String(error)}`, {
            status: 500,
          });
    refuse(response, refusal);
  }
}

async function route(
  emulation: Emulation,
  settings: HttpSettings,
  connection: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request);
  if (path === '/v1/responses') {
    if (request.method === 'POST') return create(emulation, settings, connection, request, response);
    if (request.method === 'GET') throw upgradeRequired();
    throw methodNotAllowed(request, 'GET, POST');
  }
  const stored = /^\/v1\/responses\/([^/]+)$/.exec(path)?.[1];
  if (stored !== undefined || path === '/v1/models') {
    if (request.method !== 'GET') throw methodNotAllowed(request, 'GET');
    return sendJson(
      response,
      JSON.stringify(stored === undefined ? await models(settings) : retrieve(emulation, stored)),
    );
  }
  throw unknownPath(request);
}

/** The path without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/s, '');
}

export function unknownPath(request: IncomingMessage): Refusal {
  const message = `Unknown request URL: ${request.method ?? 'GET'} ${pathOf(request)}. The base URL of this emulator ends in /v1.`;
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

function retrieve({ memory }: Emulation, encoded: string): ResponseObject {
  let id = encoded;
  try {
    id = decodeURIComponent(encoded);
  } catch {
    // Not an encoding: then it is not an id either, and is not found below.
  }
  const found = memory.stored(id);
  if (found !== undefined) return found.response;
  throw new Refusal(`Response with id '${id}' not found.`, { status: 404 });
}

async function models({ recordings }: HttpSettings): Promise<unknown> {
  const ids = [LISTED_MODEL, ...(await recordingModels(recordings))];
  return { object: 'list', data: ids.map((id) => ({ id, object: 'model', created: 0, owned_by: 'turnwire' })) };
}

async function create(
  emulation: Emulation,
  settings: HttpSettings,
  connection: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const received = parseBody(await readBody(request, settings.bodyBytes));
  const { body } = received;
  const left = new AbortController();
  response.once('close', () => left.abort());
  const streams = isRecord(body) && body['stream'] === true;
  const shared = {
    connection,
    lineage: undefined,
    // Turns without a history are counted over all HTTP requests: a client may open a connection for each.
    place: emulation,
    signal: left.signal,
    refuse: (refusal: Refusal) => refuse(response, refusal),
  };
  const carriage: Carriage = streams
    ? { ...shared, ...eventStream(response, left.signal) }
    : { ...shared, ...singleAnswer(response) };
  await runTurn(emulation, received, carriage);
}

type Delivery = Pick<Carriage, 'transport' | 'send' | 'finish'>;

/** Each event as `event:` and `data:` lines (P22). The body ends without `[DONE]`, as OpenAI's does (P23). */
function eventStream(response: ServerResponse, signal: AbortSignal): Delivery {
  return {
    transport: 'sse',
    send({ type, text }: Frame) {
      if (!response.headersSent) {
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
      }
      return response.write(`event: ${type}\ndata: ${text}\n\n`) ? undefined : drained(response, signal);
    },
    finish: () => void response.end(),
  };
}

/** Nothing until the turn has ended, then the response. A failed one is a 200 too: the status is in the body. */
function singleAnswer(response: ServerResponse): Delivery {
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
    const gone = () => reject(new Error('The client has gone.'));
    signal.addEventListener('abort', gone, { once: true });
    response.once('drain', () => {
      signal.removeEventListener('abort', gone);
      resolve();
    });
  });
}

/**
 * Reads the body. One that is too large is read on, without keeping it, so that its client is still there to read the
 * refusal; one that is far too large is cut off.
 */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const cutOff = 4 * limit;
  const tooLarge = (headers = {}) =>
    new Refusal(`The request body is larger than ${limit} bytes.`, { status: 413, code: 'request_too_large', headers });
  if (Number(request.headers['content-length'] ?? 0) > cutOff) throw tooLarge({ connection: 'close' });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > cutOff) throw tooLarge({ connection: 'close' });
    if (bytes <= limit) chunks.push(chunk);
  }
  if (bytes > limit) throw tooLarge();
  return Buffer.concat(chunks);
}

function parseBody(raw: Buffer): Received {
  const bytes = raw.byteLength;
  try {
    return { body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw)), bytes };
  } catch {
    const message = 'We could not parse the JSON body of your request: it must be one JSON object in UTF-8.';
    return { body: undefined, bytes, refusal: new Refusal(message, { code: 'invalid_json' }) };
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
