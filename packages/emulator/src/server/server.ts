import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { Access, guard } from '../listener/access.js';
import { canonicalHost } from '../listener/host.js';
import { createHttpServer } from '../listener/http-server.js';
import { isControl, serveControl, type ControlledEmulator } from './control.js';
import { EmulatorError } from '../base/errors.js';
import { upgradeControl, webSocketControl } from '../faults/connection-control.js';
import { RequestFaults } from '../faults/request-faults.js';
import { pathOf, serveHttp, unknownPath } from './http.js';
import type { Journal, OpenConnection } from '../journal/journal.js';
import { hasMultiAgentBeta } from '../wire/multi-agent.js';
import type { CheckedOptions } from './options.js';
import { portOf } from '../listener/port.js';
import { listenerOf } from '../listener/tls.js';
import { turnStateHeader, turnStateOf } from './chatgpt.js';
import type { Replay } from '../replay/replay.js';
import { endWithRefusal } from '../listener/end-with-refusal.js';
import { Refusal } from '../wire/refusal.js';
import { tenantOf } from '../base/tenant.js';
import type { Engine } from '../engine/engine.js';
import { serveWebSocket, type ServedSocket } from './websocket.js';

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  /** The number of open TCP connections, WebSockets included. */
  readonly connections: number;
  readonly webSockets: ReadonlySet<ServedSocket>;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

/** The parts of an emulator that answer its requests. */
export interface ServerParts {
  readonly engine: Engine;
  /** The replay that answers all requests; undefined without one. */
  readonly replay: Replay | undefined;
  /** The parts that the control API controls; undefined if it is off. */
  readonly control: ControlledEmulator | undefined;
}

/** Listens, and passes each request and each upgrade to the part that answers it. @throws EmulatorError if the address is not available */
export async function startServer(
  { engine, replay, control }: ServerParts,
  checked: CheckedOptions,
): Promise<RunningServer> {
  const access = new Access(checked.host, checked);
  const sockets = new Map<Duplex, OpenConnection>();
  const openSockets = new Set<ServedSocket>();
  // The WebSocket server is loaded at the first upgrade, because a run over HTTP alone does not need it.
  const webSockets = once(async (): Promise<WebSocketServer> => {
    const ws = await import('ws');
    const webSocketServer = new ws.WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      // The connection control of each socket sends its pongs, so that a fault can leave them out.
      autoPong: false,
      clientTracking: false,
      // A frame of exactly the limit is refused too (P88).
      maxPayload: checked.limits.frameBytes - 1,
    });
    if (engine.dialect.accountStatus)
      webSocketServer.on('headers', (headers, request) => {
        headers.push(`${turnStateHeader}: ${turnStateOf(request, engine.ids)}`);
      });
    webSocketServer.on('wsClientError', (error, socket, request) => {
      const message = `The WebSocket handshake is not valid: ${error.message}.`;
      const refusal = new Refusal(message, { code: 'invalid_upgrade' });
      logRequest(engine.journal, sockets.get(socket)?.number ?? 0, request, refusal.status);
      endWithRefusal(socket, refusal);
    });
    return webSocketServer;
  });
  const settings = { bodyBytes: checked.limits.bodyBytes, recordings: checked.recordings, replay };

  const server = createHttpServer(access, (request, socket, head) => {
    const connection = sockets.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.setHeaders(request.headers);
    upgrade(request, socket, head, connection).catch((error: unknown) => {
      // A client that left while a fault held its upgrade needs no answer.
      if (!(error instanceof Refusal)) {
        socket.destroy();
        return;
      }
      logRequest(engine.journal, connection.number, request, error.status);
      endWithRefusal(socket, error);
    });
  });
  server.on('connection', (socket) => {
    // The connection of a request with an offer that is not taken comes a second time.
    if (sockets.has(socket)) return;
    const connection = engine.journal.openConnection();
    sockets.set(socket, connection);
    socket.once('close', () => {
      sockets.delete(socket);
      connection.close();
    });
  });
  server.on('request', (request, response) => {
    const connection = sockets.get(request.socket);
    connection?.setHeaders(request.headers);
    const number = connection?.number ?? 0;
    response.once('close', () => {
      logRequest(engine.journal, number, request, response.headersSent ? response.statusCode : 0);
    });
    if (guard(access, request, response)) return;
    if (control !== undefined && isControl(request)) void serveControl(control, request, response);
    else void serveHttp({ engine, settings, connection: number, request, response });
  });
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer, connection: OpenConnection) => {
    const refusal = access.refusal(request) ?? (pathOf(request) === 'responses' ? undefined : unknownPath(request));
    if (refusal !== undefined) throw refusal;
    const { clock } = engine;
    const faults = new RequestFaults(engine.faults, request, connection.number);
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    socket.on('error', () => socket.destroy());
    const webSocketServer = await webSockets();
    const waiting = upgradeControl(socket);
    const leave = () => socket.destroy();
    // While a fault or a replay delays the answer, the socket is read to notice that the client leaves. It sends nothing before the 101.
    if (faults.strikesBeforeAnswer || replay !== undefined) socket.once('end', leave).resume();
    await faults.beforeAnswer(waiting, clock, gone.signal);
    const recorded = await replay?.acceptUpgrade(waiting, gone.signal);
    socket.off('end', leave);
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      logRequest(engine.journal, connection.number, request, 101);
      connection.markWebSocket();
      webSocket.once('close', (code, reason) => connection.close(code, reason.toString()));
      const connectionControl = webSocketControl(webSocket, socket, clock, faults.firstTurnFaults);
      if (recorded !== undefined) replay?.serveWebSocket(recorded, webSocket, connectionControl, connection.number);
      else {
        const served = serveWebSocket(engine, checked, {
          connection: connection.number,
          socket: webSocket,
          tcp: socket,
          connectionControl,
          tenant: tenantOf(request.headers, checked.credentials),
          multiAgent: hasMultiAgentBeta(request.headers),
        });
        openSockets.add(served);
        webSocket.once('close', () => openSockets.delete(served));
      }
      // A fault that ends the connection rejects. The code that serves the connection handles its end.
      faults.afterOpen(connectionControl, clock, gone.signal).catch(() => undefined);
    });
  };

  const listener = listenerOf(server, checked.tls);
  await listen(listener, checked);
  return {
    port: portOf(listener),
    get connections() {
      return sockets.size;
    },
    webSockets: openSockets,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of sockets.keys()) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, { port, host }: CheckedOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port, host)));
    server.listen(port, canonicalHost(host), () => resolve());
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

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function logRequest(journal: Journal, connection: number, request: IncomingMessage, status: number): void {
  journal.request({ connection, method: request.method ?? '', path: request.url ?? '', status });
}
