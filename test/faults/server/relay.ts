import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

export type Direction = 'to the server' | 'to the client' | 'both';

interface Pair {
  client: Socket;
  server: Socket;
}

/**
 * What lies between a client and a server and belongs to neither: a NAT, a proxy, a link. It can forget a connection without a FIN,
 * stop forwarding while both sides still have their TCP, cut what is idle, or be narrow.
 */
export class Relay {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #forgotten = new Set<Pair>();
  #deaf: ReadonlySet<Direction> = new Set();
  #idleMs = Infinity;
  /** Connections through it, in all. */
  connections = 0;

  static async start(target: string): Promise<Relay> {
    const relay = new Relay(Number(new URL(target).port));
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  private constructor(port: number) {
    this.#server = createServer((client) => {
      this.connections += 1;
      const pair = { client, server: connect(port, '127.0.0.1') };
      this.#pairs.add(pair);
      this.#forward(pair, client, pair.server, 'to the server');
      this.#forward(pair, pair.server, client, 'to the client');
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Forwards no more bytes that way, of any connection there is now or will be, and no end of one either. */
  blackhole(direction: Direction): void {
    this.#deaf = new Set([direction]);
  }

  /** Forwards nothing of the connections that there are, without a word to either side, as a NAT that has forgotten them (B1). */
  forget(): void {
    for (const pair of this.#pairs) this.#forgotten.add(pair);
  }

  /** Resets both sides of every connection. */
  rst(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Resets a connection on which nothing has passed for so long, as middleboxes do (B8). */
  cutIdle(ms: number): void {
    this.#idleMs = ms;
    for (const pair of this.#pairs) this.#watch(pair);
  }

  close(): void {
    this.#server.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  #deafTo(pair: Pair, direction: Direction): boolean {
    return this.#forgotten.has(pair) || this.#deaf.has('both') || this.#deaf.has(direction);
  }

  #forward(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      if (this.#deafTo(pair, direction)) return;
      to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      if (this.#deafTo(pair, direction)) return;
      this.#pairs.delete(pair);
      to.destroy();
    });
    this.#watch(pair);
  }

  #watch({ client, server }: Pair): void {
    if (this.#idleMs === Infinity) return;
    client.setTimeout(this.#idleMs, () => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    });
  }
}
