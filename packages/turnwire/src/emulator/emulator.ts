import { createServer, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { echo } from './echo.js';
import { EmulatorError } from './errors.js';
import { pathOf, serveHttp, unknownPath } from './http.js';
import { Ids } from './ids.js';
import { Journal, type OpenConnection } from './journal.js';
import { Memory } from './memory.js';
import { checkOptions, type CheckedOptions, type EmulatorOptions } from './options.js';
import { portOf } from './port.js';
import { checkRecordings, recorded } from './recordings.js';
import { Refusal } from './refusal.js';
import { loadScript } from './script-file.js';
import { scripted } from './scripted.js';
import type { Emulation } from './turn.js';
import { TokenCounter } from './usage.js';
import { serveWebSocket } from './websocket.js';

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** `http://HOST:PORT/v1`: what an SDK's `baseURL` or `OPENAI_BASE_URL` takes. */
  readonly url: string;
  readonly port: number;
  readonly journal: Journal;
  /** Ends everything at once: running turns, sockets, the listener. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts a server that speaks the Responses API: `POST /v1/responses` (SSE or JSON), the WebSocket on the same path,
 * `GET /v1/responses/{id}` and `GET /v1/models`.
 *
 * By default it listens on a free port of 127.0.0.1, takes any key or none, and repeats what it is told. `recordings` and
 * `script` give it other answers, in this order. Any number can run in one process.
 *
 * Not imitated: authentication, rate limits, billing, hosted tools, background responses, conversations, lanes.
 *
 * @throws EmulatorError with a `code`, if an option is wrong, the port is in use or a folder is missing
 * @throws ScriptError with the place, if the script is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const checked = checkOptions(options);
  const emulation = await prepare(checked);
  const sockets = new Map<Duplex, OpenConnection>();
  const server = createServer({ keepAliveTimeout: 60_000 });
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    // A frame of exactly the limit is refused too (P88).
    maxPayload: checked.limits.frameBytes - 1,
  });
  const settings = { bodyBytes: checked.limits.bodyBytes, recordings: checked.recordings };

  server.on('connection', (socket) => {
    const connection = emulation.journal.openConnection();
    sockets.set(socket, connection);
    socket.once('close', () => {
      sockets.delete(socket);
      connection.closed();
    });
  });
  server.on('request', (request, response) => {
    const connection = sockets.get(request.socket);
    connection?.saw(request.headers);
    const number = connection?.number ?? 0;
    response.once('close', () => {
      logRequest(emulation.journal, number, request, response.headersSent ? response.statusCode : 0);
    });
    void serveHttp(emulation, settings, number, request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    const connection = sockets.get(socket);
    if (connection === undefined) return void socket.destroy();
    connection.saw(request.headers);
    const refusal = refuseUpgrade(request);
    if (refusal !== undefined) {
      logRequest(emulation.journal, connection.number, request, refusal.status);
      return endWithRefusal(socket, refusal);
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      logRequest(emulation.journal, connection.number, request, 101);
      connection.becameWebSocket();
      webSocket.once('close', (code, reason) => connection.closed(code, reason.toString()));
      serveWebSocket(emulation, checked.limits, connection.number, webSocket);
    });
  });

  webSockets.on('wsClientError', (error, socket, request) => {
    const refusal = new Refusal(`The WebSocket handshake is not valid: ${error.message}.`, { code: 'invalid_upgrade' });
    logRequest(emulation.journal, sockets.get(socket)?.number ?? 0, request, refusal.status);
    endWithRefusal(socket, refusal);
  });

  await listen(server, checked);
  const port = portOf(server);
  const close = once(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets.keys()) socket.destroy();
    await closed;
  });
  const host = checked.host.includes(':') ? `[${checked.host}]` : checked.host;
  return {
    url: `http://${host}:${port}/v1`,
    port,
    journal: emulation.journal,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function prepare({ limits, latency, recordings, script, seed }: CheckedOptions): Promise<Emulation> {
  if (recordings !== undefined) await checkRecordings(recordings);
  const scriptSource = script === undefined ? [] : [scripted(await loadScript(script))];
  return {
    memory: new Memory(limits),
    journal: new Journal(limits),
    ids: new Ids(seed),
    tokens: new TokenCounter(),
    sources: [recorded(recordings), ...scriptSource, echo],
    pace: { first_token_ms: latency.firstTokenMs, tokens_per_second: latency.tokensPerSecond },
  };
}

function listen(server: ReturnType<typeof createServer>, { port, host }: CheckedOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port, host)));
    server.listen(port, host, () => resolve());
  });
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string): EmulatorError {
  if (error.code === 'EADDRINUSE') {
    const message = `The port ${port} on ${host} is in use; choose another one, or 0 for any free one.`;
    return new EmulatorError('port_in_use', message, { cause: error });
  }
  const message = `The emulator cannot listen on ${host}, port ${port} (${error.code ?? error.message}); choose an address of this machine and a port you may use.`;
  return new EmulatorError('address_not_available', message, { cause: error });
}

function refuseUpgrade(request: IncomingMessage): Refusal | undefined {
  if (pathOf(request) !== '/v1/responses') return unknownPath(request);
  if (request.headers.upgrade?.toLowerCase() === 'websocket') return undefined;
  return new Refusal('Only an upgrade to websocket is served here.', { code: 'invalid_upgrade' });
}

function endWithRefusal(socket: Duplex, refusal: Refusal): void {
  const body = refusal.body();
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function logRequest(journal: Journal, connection: number, request: IncomingMessage, status: number): void {
  journal.request({ connection, method: request.method ?? '', path: request.url ?? '', status });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
