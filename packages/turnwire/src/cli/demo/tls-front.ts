import { connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TestCertificate } from '@turnwire/emulator';
import type { AddressInfo } from 'node:net';

/** A TLS proxy in front of a server on this machine. */
export interface TlsFront {
  port: number;
  /** Cuts the connection on which the next bytes of a client come, instead of passing them on. */
  cutNext(): void;
  close(): Promise<void>;
}

export async function startTlsFront({ to, cert, key }: TestCertificate & { to: number }): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  let cutting = false;
  const server = createServer({ cert, key }, (client) => {
    const upstream = connect(to, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // The event 'close' follows.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    upstream.pipe(client);
    client.on('data', (bytes: Buffer) => {
      if (cutting) {
        cutting = false;
        client.destroy();
      } else if (!upstream.write(bytes)) {
        client.pause();
        upstream.once('drain', () => client.resume());
      }
    });
    client.once('end', () => upstream.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cutNext: () => {
      cutting = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
