import { once } from 'node:events';
import { HttpAgent, HttpsAgent } from './node-http.js';
import { openTunnel } from './tunnel.js';
import type { Duplex } from 'node:stream';
import type { AgentOptions as HttpsAgentOptions, RequestOptions } from 'node:https';
import type { Proxy } from './proxy.js';
import type { TunnelOptions } from './tunnel.js';

/** What a request tells the agent besides Node's own options. */
export interface DialOptions {
  /** Aborted when nobody waits for the connection any more: Node ends one that is being dialled itself, but not one it only waits for. */
  abandoned: AbortSignal;
}

type Callback = (error: Error | null, socket: Duplex) => void;

/**
 * Connects through a tunnel, and hands a connection over only when it is ready to be written to, with TLS to the target inside the tunnel.
 * There is no other way out of these two: when the tunnel cannot be had, there is no connection (A10).
 */
export class TunnelAgent extends HttpAgent {
  readonly #dial: Dial;

  constructor(proxy: Proxy, tunnel: TunnelOptions, options: HttpsAgentOptions) {
    super(options);
    this.#dial = dialThrough(proxy, tunnel);
  }

  override createConnection(options: RequestOptions, callback?: Callback): undefined {
    void deliver(this.#dial(options), callback);
  }
}

export class SecureTunnelAgent extends HttpsAgent {
  readonly #dial: Dial;

  constructor(proxy: Proxy, tunnel: TunnelOptions, options: HttpsAgentOptions) {
    super(options);
    this.#dial = dialThrough(proxy, tunnel);
  }

  override createConnection(options: RequestOptions, callback?: Callback): undefined {
    void deliver(this.#secure(options), callback);
  }

  async #secure(options: RequestOptions): Promise<Duplex> {
    const tunnel = await this.#dial(options);
    // Node's own does the TLS, with its cache of sessions.
    const withTunnel = { ...options, socket: tunnel } as RequestOptions;
    const socket = super.createConnection(withTunnel) as Duplex;
    socket.on('error', () => {});
    try {
      await once(socket, 'secureConnect', { signal: abandonedOf(options) });
      return socket;
    } catch (error) {
      socket.destroy();
      tunnel.destroy();
      throw error;
    }
  }
}

type Dial = (options: RequestOptions) => Promise<Duplex>;

function dialThrough(proxy: Proxy, tunnel: TunnelOptions): Dial {
  return (options) =>
    openTunnel(proxy, { host: options.host ?? '', port: Number(options.port) }, tunnel, abandonedOf(options));
}

function abandonedOf(options: RequestOptions): AbortSignal {
  return (options as RequestOptions & DialOptions).abandoned;
}

async function deliver(dialling: Promise<Duplex>, callback: Callback = () => {}): Promise<void> {
  let socket: Duplex;
  try {
    socket = await dialling;
  } catch (error) {
    // Node passes no socket with an error, whatever the type says.
    return callback(error as Error, undefined as unknown as Duplex);
  }
  callback(null, socket);
}
