import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { Access, guard, reachableHost } from './access.js';
import type { Source } from './answer.js';
import { BackgroundJobs } from './background.js';
import { Conversations } from './conversations.js';
import { realClock } from './clock.js';
import { DIALECTS } from './dialect.js';
import { echo } from './echo.js';
import { EmulatorError, ScriptError } from './errors.js';
import { upgradeLine, webSocketLine } from './faults/line.js';
import { Faults, type CheckedFaultRule } from './faults/rule.js';
import { RequestFaults } from './faults/upgrade.js';
import { pathOf, serveHttp, unknownPath } from './http.js';
import { Ids } from './ids.js';
import { Journal, type OpenConnection } from './journal.js';
import { ListedItems } from './listed-item.js';
import { Memory } from './memory.js';
import { hasMultiAgentBeta } from './multi-agent.js';
import { checkOptions, type CheckedOptions, type EmulatorOptions } from './options.js';
import { portOf } from './port.js';
import { checkRecordings, recorded } from './recordings.js';
import type { Replay } from './replay/replay.js';
import { endWithRefusal, Refusal } from './refusal.js';
import type { CheckedScript } from './script.js';
import { tenantOf } from './tenant.js';
import type { Emulation } from './turn.js';
import { TokenCounter } from './usage.js';
import { serveWebSocket, type ServedSocket } from './websocket.js';

/** What a running emulator holds. */
export interface EmulatorState {
  /** Open TCP connections, WebSockets included. */
  readonly connections: number;
  readonly webSockets: number;
  /** Names of lanes in use on them; a default lane has none. */
  readonly lanes: number;
  /** Turns of WebSockets that run, and that wait for a lane. */
  readonly runningTurns: number;
  readonly queuedTurns: number;
  /** Responses kept to be continued or fetched, up to `limits.storedResponses` and `limits.storedBytes`. */
  readonly responses: number;
  readonly responseBytes: number;
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** `http://HOST:PORT/v1`: what an SDK's `baseURL` or `OPENAI_BASE_URL` takes. Of the dialect `chatgpt` it ends in `/backend-api/codex`. */
  readonly url: string;
  readonly port: number;
  readonly journal: Journal;
  /** What it holds at this moment, to see that it stays bounded. */
  state(): EmulatorState;
  /** Ends everything at once: running turns, sockets, the listener. May be called again. */
  close(): Promise<void>;
}

/** See `start.ts`. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const checked = checkOptions(options);
  refuseTwoSources(checked);
  const emulation = await prepare(checked);
  const access = new Access(checked.host, checked);
  const sockets = new Map<Duplex, OpenConnection>();
  const open = new Set<ServedSocket>();
  const server = createServer({ keepAliveTimeout: 60_000 });
  // Loaded at the first upgrade: a run over HTTP alone never needs it.
  const webSockets = once(async (): Promise<WebSocketServer> => {
    const ws = await import('ws');
    const webSocketServer = new ws.WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      // The line of each socket answers, so that a fault can leave a pong out.
      autoPong: false,
      clientTracking: false,
      // A frame of exactly the limit is refused too (P88).
      maxPayload: checked.limits.frameBytes - 1,
    });
    webSocketServer.on('wsClientError', (error, socket, request) => {
      const refusal = new Refusal(`The WebSocket handshake is not valid: ${error.message}.`, {
        code: 'invalid_upgrade',
      });
      logRequest(emulation.journal, sockets.get(socket)?.number ?? 0, request, refusal.status);
      endWithRefusal(socket, refusal);
    });
    return webSocketServer;
  });
  const replay = checked.replay && (await openReplay(checked.replay, emulation));
  const settings = { bodyBytes: checked.limits.bodyBytes, recordings: checked.recordings, replay };

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
    if (guard(access, request, response)) return;
    void serveHttp(emulation, settings, number, request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    const connection = sockets.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.saw(request.headers);
    upgrade(request, socket, head, connection).catch((error: unknown) => {
      // A client that left while a fault held its upgrade needs no answer.
      if (!(error instanceof Refusal)) {
        socket.destroy();
        return;
      }
      logRequest(emulation.journal, connection.number, request, error.status);
      endWithRefusal(socket, error);
    });
  });
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer, connection: OpenConnection) => {
    const refusal = access.refusal(request) ?? refuseUpgrade(request);
    if (refusal !== undefined) throw refusal;
    const { clock } = emulation;
    const faults = new RequestFaults(emulation.faults, request, connection.number);
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    socket.on('error', () => socket.destroy());
    const webSocketServer = await webSockets();
    const waiting = upgradeLine(socket);
    const left = () => socket.destroy();
    // Whoever keeps a client waiting must read, to hear it leave; before the 101 it has nothing to say.
    if (faults.strikesBeforeAnswer || replay !== undefined) socket.once('end', left).resume();
    await faults.beforeAnswer(waiting, clock, gone.signal);
    const recorded = await replay?.admit(waiting, gone.signal);
    socket.off('end', left);
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      logRequest(emulation.journal, connection.number, request, 101);
      connection.becameWebSocket();
      webSocket.once('close', (code, reason) => connection.closed(code, reason.toString()));
      const line = webSocketLine(webSocket, socket, clock, faults.upcoming);
      if (recorded !== undefined) replay?.serveWebSocket(recorded, webSocket, line, connection.number);
      else {
        const served = serveWebSocket(
          emulation,
          checked,
          connection.number,
          webSocket,
          line,
          tenantOf(request.headers, checked.credentials),
          hasMultiAgentBeta(request.headers),
        );
        open.add(served);
        webSocket.once('close', () => open.delete(served));
      }
      // A fault that ends the connection never resolves; its end is heard by whoever serves it.
      faults.afterOpen(line, clock, gone.signal).catch(() => undefined);
    });
  };

  await listen(server, checked);
  const port = portOf(server);
  const close = once(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets.keys()) socket.destroy();
    emulation.background.close();
    await closed;
  });
  return {
    url: `http://${reachableHost(checked.host)}:${port}${emulation.dialect.basePath}`,
    port,
    journal: emulation.journal,
    state() {
      const { responses, bytes } = emulation.memory.size();
      const sum = (of: keyof ServedSocket) => [...open].reduce((total, served) => total + served[of], 0);
      return {
        connections: sockets.size,
        webSockets: open.size,
        lanes: sum('lanes'),
        runningTurns: sum('running'),
        queuedTurns: sum('queued'),
        responses,
        responseBytes: bytes,
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function prepare({
  models,
  limits,
  latency,
  recordings,
  faults,
  script,
  seed,
  clock,
  dialect,
  obfuscation,
  credentials,
}: CheckedOptions): Promise<Emulation> {
  if (recordings !== undefined) await checkRecordings(recordings);
  const loaded = script === undefined ? undefined : await loadScript(script);
  const answers = loaded?.turns !== undefined || loaded?.rules !== undefined;
  const rules = [...(await faultRulesOf(faults)), ...(loaded?.faults ?? [])];
  const ids = new Ids(seed, dialect);
  const listed = new ListedItems(ids);
  return {
    memory: new Memory(limits),
    listed,
    conversations: new Conversations(limits, ids, listed),
    background: new BackgroundJobs(limits.storedBytes),
    models: models && new Set(models),
    journal: new Journal(limits),
    ids,
    tokens: new TokenCounter(),
    faults: new Faults(rules),
    sources: [recorded(recordings), ...(answers ? [await sourceOf(loaded)] : []), echo(DIALECTS[dialect])],
    pace: {
      first_token_ms: latency.firstTokenMs,
      tokens_per_second: latency.tokensPerSecond,
      ms_per_1000_uncached_tokens: latency.msPer1000UncachedTokens,
      jitter: latency.jitter,
    },
    clock: 'speed' in clock ? realClock(clock.speed) : clock,
    dialect: DIALECTS[dialect],
    obfuscation,
    credentials,
    seed,
  };
}

// Scripts and recordings are checked by schemas that take longer to make than a server: both are loaded when there is one.

async function loadScript(source: unknown): Promise<CheckedScript> {
  const script = await import('./script-file.js');
  return script.loadScript(source);
}

async function sourceOf(script: CheckedScript): Promise<Source> {
  const { scripted } = await import('./scripted.js');
  return scripted(script);
}

async function openReplay(
  options: NonNullable<CheckedOptions['replay']>,
  { journal, clock }: Emulation,
): Promise<Replay> {
  const [{ loadRecording }, { Replay }] = await Promise.all([
    import('./replay/recording.js'),
    import('./replay/replay.js'),
  ]);
  return new Replay(await loadRecording(options.file, options.upstream), options, journal, clock);
}

/** A recording answers everything, so nothing else would ever be asked. */
function refuseTwoSources({ replay, script, recordings }: CheckedOptions): void {
  const other = script !== undefined ? 'script' : recordings !== undefined ? 'recordings' : undefined;
  if (replay === undefined || other === undefined) return;
  const message = `The emulator's options "replay" and "${other}" exclude each other: a replay answers everything itself; leave out one of them.`;
  throw new EmulatorError('invalid_option', message);
}

/** Read like a script: it may hold the same list. */
async function faultRulesOf(source: CheckedOptions['faults']): Promise<readonly CheckedFaultRule[]> {
  if (source === undefined || source.length === 0) return [];
  const { faults } = await loadScript(typeof source === 'string' ? source : { faults: source });
  if (faults === undefined) throw new ScriptError(`The file ${String(source)} has no faults; give it a list of them.`);
  return faults;
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
  if (pathOf(request) !== 'responses') return unknownPath(request);
  if (request.headers.upgrade?.toLowerCase() === 'websocket') return undefined;
  return new Refusal('Only an upgrade to websocket is served here.', { code: 'invalid_upgrade' });
}

function logRequest(journal: Journal, connection: number, request: IncomingMessage, status: number): void {
  journal.request({ connection, method: request.method ?? '', path: request.url ?? '', status });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
