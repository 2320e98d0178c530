import { createServer } from 'node:net';
import { once } from 'node:events';
import { Peer } from './peer.js';
import type { AddressInfo, Server } from 'node:net';
import type { Script } from './peer.js';

/**
 * A raw server on node:net that does what its script says, right or wrong, and remembers what it has received. It shares no code with
 * the client and none with the library the client dials with.
 */
export class FaultServer {
  readonly peers: Peer[] = [];
  readonly #server: Server;

  static async start(script: Script = {}): Promise<FaultServer> {
    const started = new FaultServer(script);
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  private constructor(script: Script) {
    this.#server = createServer({ allowHalfOpen: false }, (socket) => {
      this.peers.push(new Peer(this.peers.length + 1, socket, script));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
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
