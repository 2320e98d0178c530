import { createServer } from 'node:http';
import { GatewayConfigError } from '../config/problem.js';
import { configOf, readConfig } from '../config/file.js';
import { unbracketed } from '../base/loopback.js';
import { Principals } from './principals.js';
import { Service } from './service.js';
import type { Server } from 'node:http';
import type { Config, ConfigInput } from '../config/schema.js';
import type { SecretSource } from './principals.js';

export interface GatewayOptions {
  /** The configuration, or the path of a file that has it. */
  config: ConfigInput | string;
  /** What stands in the place of the file's own settings: a command line, say. */
  overrides?: Pick<ConfigInput, 'listen' | 'drain_ms'> | undefined;
  /** Where the keys are that the configuration names. @default the environment */
  secret?: SecretSource | undefined;
  /** Told in one sentence when something works, but not as asked. @default process.emitWarning */
  onWarning?: ((message: string) => void) | undefined;
}

/** A gateway that listens. */
export interface Gateway extends AsyncDisposable {
  /** The base for clients: `http://127.0.0.1:4000/v1`. */
  readonly url: string;
  readonly port: number;
  /** Whose API is served: an origin. */
  readonly upstream: string;
  /** Takes no more turns, waits for the running ones, `drain_ms` at most, then ends. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(): void;
}

/** The head of a request, in bytes: Codex sends several kilobytes of metadata. */
const maxHeaderSize = 64 * 1024;

/**
 * Listens, and serves turns and everything else of the API.
 *
 * @throws GatewayConfigError with everything that is wrong with the configuration, or the address that cannot be had.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { onWarning = warn } = options;
  const { config, principals } = await checkConfig(options);
  let ready = true;
  const service = new Service({ config, principals, onWarning, isReady: () => ready });
  const { limits, listen } = config;
  const server = createServer(
    {
      maxHeaderSize,
      headersTimeout: limits.head_ms,
      requestTimeout: limits.request_ms,
      connectionsCheckingInterval: Math.min(5000, limits.head_ms / 2),
      // Longer than what balancers before it allow: the one who waits longer never meets a closed connection.
      keepAliveTimeout: 75_000,
    },
    (request, response) => void service.answer(request, response),
  );
  server.on('checkContinue', (request, response) => void service.answer(request, response));
  await begin(server, listen);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  let closing: Promise<void> | undefined;
  const destroy = (): void => {
    ready = false;
    service.destroy();
    server.close();
    server.closeAllConnections();
  };
  const close = async (): Promise<void> => {
    ready = false;
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(destroy, config.drain_ms);
    await service.close();
    server.closeIdleConnections();
    await ended;
    clearTimeout(timer);
  };
  const gateway: Gateway = {
    url: `http://${reachable(listen.host)}:${port}/v1`,
    port,
    upstream: new URL(config.upstream.base_url).origin,
    close: () => (closing ??= close()),
    destroy,
    [Symbol.asyncDispose]: () => gateway.close(),
  };
  return gateway;
}

/** What the options say, once it was checked; the secrets that they name are found. */
export interface Checked {
  config: Config;
  principals: Principals;
}

/** @throws GatewayConfigError with everything that is wrong. */
export async function checkConfig({
  config: given,
  overrides = {},
  secret = fromEnvironment,
}: GatewayOptions): Promise<Checked> {
  const file = typeof given === 'string' ? given : 'the options';
  const config = typeof given === 'string' ? await readConfig(given, overrides) : configOf(given);
  return { config, principals: await Principals.create(config, secret, file) };
}

function begin(server: Server, { host, port }: Config['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? 'is taken: choose another port, or 0 for any free one'
          : `cannot be had (${cause.code})`;
      reject(
        new GatewayConfigError([{ file: 'the gateway', path: '', message: `the address ${host}:${port} ${why}` }], {
          cause,
        }),
      );
    });
    server.listen(port, unbracketed(host), resolve);
  });
}

/** An address at which this machine reaches a server that listens on `host`. */
function reachable(host: string): string {
  const bare = unbracketed(host);
  if (bare === '0.0.0.0') return '127.0.0.1';
  if (bare === '::') return '[::1]';
  return bare.includes(':') ? `[${bare}]` : bare;
}

function fromEnvironment(name: string): Promise<string | undefined> {
  return Promise.resolve(process.env[name]);
}

function warn(message: string): void {
  process.emitWarning(message, { type: 'TurnwireWarning' });
}
