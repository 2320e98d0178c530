import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServerOptions } from 'node:https';
import type { Duplex } from 'node:stream';

/** A CONNECT that has come. */
export interface Asked {
  target: string;
  headers: IncomingHttpHeaders;
  socket: Duplex;
  /** Its answer, in as many writes; then the tunnel is open. */
  open: (...answer: (string | Buffer)[]) => void;
}

export interface ProxyScript {
  tls?: ServerOptions;
  /** @default opens the tunnel */
  connect?: (asked: Asked) => void;
}

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

/**
 * A real proxy on node:http, which reads our CONNECT with a parser of its own. It knows one network: whatever name it is asked for is
 * at 127.0.0.1.
 */
export class ProxyServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** The local ports of its connections to targets: by these a target tells the proxy from a client that comes by itself. */
  readonly ports = new Set<number>();
  /** Requests that were no CONNECT. */
  others = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #secure: boolean;

  static async start(script: ProxyScript = {}): Promise<ProxyServer> {
    const started = new ProxyServer(script);
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  private constructor({ tls, connect }: ProxyScript) {
    this.#secure = tls !== undefined;
    this.#server = tls === undefined ? createServer() : createTlsServer(tls);
    this.#server.on('connection', (socket: Duplex) => this.#keep(socket));
    this.#server.on('request', (_request, response) => {
      this.others += 1;
      response.writeHead(500).end();
    });
    this.#server.on('connect', ({ url: target = '', headers }, socket: Duplex) => {
      this.#keep(socket);
      const asked: Asked = { target, headers, socket, open: (...answer) => this.#open(target, socket, answer) };
      this.asked.push(asked);
      if (connect === undefined) asked.open(established);
      else connect(asked);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** With credentials, if any: `user:password`. */
  url(credentials?: string): string {
    return `${this.#secure ? 'https' : 'http'}://${credentials === undefined ? '' : `${credentials}@`}127.0.0.1:${this.port}`;
  }

  /** Connections from clients that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(target: string, socket: Duplex, answer: (string | Buffer)[]): void {
    const outgoing = this.#keep(connect(Number(target.replace(/^.*:/, '')), '127.0.0.1'));
    outgoing.once('connect', () => {
      this.ports.add(outgoing.localPort ?? 0);
      let at = 0;
      const next = (): void => {
        const piece = answer[at];
        at += 1;
        if (piece === undefined) return void outgoing.pipe(socket).pipe(outgoing);
        socket.write(piece, () => setImmediate(next));
      };
      next();
    });
  }

  #keep<Kept extends Duplex>(socket: Kept): Kept {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    // Node's server keeps its half open otherwise.
    socket.once('end', () => socket.end());
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
