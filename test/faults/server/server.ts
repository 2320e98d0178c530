import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { Peer } from './peer.js';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Exchange } from './exchange.js';
import type { Script } from './peer.js';

/**
 * A raw server on node:net that does what its script says, right or wrong, and remembers what it has received. It shares no code with
 * the client and none with the library the client dials with.
 */
export class FaultServer {
  readonly peers: Peer[] = [];
  failedHandshakes = 0;
  readonly #server: Server;
  readonly #scheme: string;

  static async start(script: Script = {}): Promise<FaultServer> {
    const started = new FaultServer(script);
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  private constructor(script: Script) {
    const onSocket = (socket: Socket): void => {
      this.peers.push(new Peer(this.peers.length + 1, socket, script));
    };
    const { tls } = script;
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server =
      tls === undefined ? createServer({ allowHalfOpen: false }, onSocket) : createTlsServer(tls, onSocket);
    // Handshakes that fail are what some tests are for.
    this.#server.on('tlsClientError', () => (this.failedHandshakes += 1));
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}/v1`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Upgrades that were asked for. */
  get upgrades(): number {
    return this.peers.flatMap((peer) => peer.heads).filter(({ headers }) => headers['upgrade'] === 'websocket').length;
  }

  get posts(): number {
    return this.peers.reduce((sum, peer) => sum + peer.posts.length, 0);
  }

  get creates(): number {
    return this.peers.reduce((sum, peer) => sum + peer.creates.length, 0);
  }

  get exchanges(): Exchange[] {
    return this.peers.flatMap((peer) => peer.exchanges.all);
  }

  /** Resets every connection at once, as a deploy or a network that fails does (H9). */
  killAll(): void {
    for (const peer of this.peers) peer.rst();
  }

  /** The connection that was made as the `number`-th, from 1. */
  peer(number: number): Peer {
    const found = this.peers[number - 1];
    if (found === undefined) throw new Error(`there were ${this.peers.length} connections, not ${number}`);
    return found;
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
    await Promise.all(this.peers.map((peer) => peer.ended));
  }
}
