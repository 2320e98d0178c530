import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isClosing, lingerAfter } from '../base/lingering-close.js';
import { Refusal, answerOf, refuseUpgrade } from '../base/refusal.js';
import { startAdmin } from './listener/admin.js';
import { check, warn } from './settings/check.js';
import { OpenAnswers } from './listener/open-answers.js';
import { listenAt, reachable } from './listener/listen.js';
import { Service } from './service.js';
import { TurnLog } from './turn-log.js';
import { withoutUpgrade } from './listener/without-upgrade.js';
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Config } from '../config/schema.js';
import type { CheckedConfig, ConfigSource } from './settings/check.js';
import type { LogOutput } from './turn-log.js';

export interface GatewayOptions extends ConfigSource {
  /** Receives one JSON line for each turn. @default none */
  log?: LogOutput | undefined;
}

/** A gateway that is listening. */
export interface Gateway extends AsyncDisposable {
  /** The base for clients: `http://127.0.0.1:4000/v1`. */
  readonly url: string;
  readonly port: number;
  /** The address of the admin page; undefined where the configuration has none. */
  readonly adminUrl: string | undefined;
  /** The origin of the upstream's API. */
  readonly upstream: string;
  /** Reads the configuration anew. Rejects when the new one is wrong: the former one stays in force. The address does not change. */
  reload(): Promise<void>;
  /** Takes no more turns, waits for the running ones, at most `drain_ms`, then ends. */
  close(): Promise<void>;
  /** Ends the gateway and all running turns at once. */
  destroy(): void;
}

/** The largest head of a request, in bytes: Codex sends several kilobytes of metadata. */
const maxHeaderSize = 64 * 1024;

/**
 * Listens, and serves turns and all other requests of the API.
 *
 * @throws GatewayConfigError with every mistake of the configuration, or with the address that cannot be listened on
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, onWarning = warn } = options;
  const checked = await check(options);
  let { config } = checked;
  const { listen } = config;
  const service = new Service({ checked, onWarning, log: log && new TurnLog(log) });
  const answers = new OpenAnswers();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    // A request behind one after whose answer the connection is closed.
    if (isClosing(request.socket)) return void request.resume();
    answers.add(request.socket, response);
    lingerAfter(request, response);
    void service.answer(request, response);
  };
  const server = serverFor(checked, answer);
  server.on('checkContinue', answer);
  server.on('upgrade', (request, socket, head) => {
    answers.whenWritten(socket, () => {
      if (isWebSocket(request)) service.upgrade(request, socket, head);
      else withoutUpgrade(server, request, socket, head);
    });
  });
  server.on('connect', (request, socket) => {
    answers.whenWritten(socket, () => refuseUpgrade(socket, answerOf(noTunnel())));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (isClosing(socket)) return;
    // A failed handshake of TLS leaves nothing to answer on.
    const isLost = error.code === 'ECONNRESET' || /^ERR_(SSL|TLS)_/.test(error.code ?? '');
    if (isLost || socket.destroyed || !socket.writable) socket.destroy();
    else refuseUpgrade(socket, answerOf(complaint(error)));
  });
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const admin = config.admin && (await startAdmin(config.admin, () => service.state));
  const ended = new Promise<void>((resolve) => server.once('close', resolve));
  const destroy = (): void => {
    service.destroy();
    admin?.end();
    server.close();
    for (const socket of connections) socket.destroy();
  };
  const port = await listenAt(server, listen).catch((error: unknown) => {
    admin?.end();
    throw error;
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // The listener stays open until the turns have ended, so that readiness probes get their answer.
    const timer = setTimeout(destroy, config.drain_ms);
    await Promise.race([service.drain(), ended]);
    server.close();
    server.closeIdleConnections();
    // Node does not count a connection as idle on which nothing has come yet.
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    await ended;
    admin?.end();
    clearTimeout(timer);
  };
  const gateway: Gateway = {
    url: `${listen.tls === undefined ? 'http' : 'https'}://${reachable(listen.host)}:${port}/v1`,
    port,
    adminUrl: admin?.url,
    upstream: new URL(config.upstream.base_url).origin,
    reload: async () => {
      const next = await check(options);
      if (next.certificate !== undefined && 'setSecureContext' in server) server.setSecureContext(next.certificate);
      if (JSON.stringify(addressesOf(next.config)) !== JSON.stringify(addressesOf(checked.config)))
        onWarning(
          'turnwire: a new address needs a restart, and so does TLS at one without it: the gateway stays at its present one',
        );
      ({ config } = next);
      service.apply(next);
    },
    close: () => (closing ??= close()),
    destroy,
    [Symbol.asyncDispose]: () => gateway.close(),
  };
  return gateway;
}

/** The settings that a reload does not change. */
function addressesOf({ listen: { host, port, tls }, admin }: Config): unknown {
  return [host, port, tls !== undefined, admin];
}

function serverFor({ config: { limits }, certificate }: CheckedConfig, listener: RequestListener): Server | TlsServer {
  const options: ServerOptions & { shouldUpgradeCallback: (request: IncomingMessage) => boolean } = {
    maxHeaderSize,
    // From Node 22.21 and 24.9 on, a request that offers another upgrade than to WebSocket comes as a plain request; before, it comes as an upgrade.
    shouldUpgradeCallback: isWebSocket,
    // Node's own answer to a request without a host has no body.
    requireHostHeader: false,
    headersTimeout: limits.head_ms,
    requestTimeout: limits.request_ms,
    connectionsCheckingInterval: Math.min(5000, limits.head_ms / 2),
    // Longer than the idle time of the balancers in front, so that no balancer sends a request into a connection that is being closed.
    keepAliveTimeout: 75_000,
  };
  const server =
    certificate === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...certificate, handshakeTimeout: limits.head_ms }, listener);
  server.maxConnections = limits.connections;
  // Node would drop headers beyond 2,000 without a word; the bytes of a head are bounded.
  server.maxHeadersCount = 0;
  return server;
}

function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** The refusal of CONNECT. */
function noTunnel(): Refusal {
  return new Refusal('this gateway is no proxy: send requests of the API to it', {
    status: 405,
    code: 'method_not_allowed',
  });
}

/** The refusal of bytes that are no HTTP request. */
function complaint({ code }: NodeJS.ErrnoException): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refusal(`the head of the request has more than ${maxHeaderSize} bytes`, {
      status: 431,
      code: 'head_too_large',
    });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Refusal('the request did not come whole in time (limits.head_ms, limits.request_ms)', {
      status: 408,
      code: 'request_timeout',
    });
  return new Refusal('this is not a valid HTTP request', { code: 'invalid_http' });
}
