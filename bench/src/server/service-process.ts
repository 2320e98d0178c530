// Runs the server or the link, each in a process of its own, so that its CPU does not count for a client.
import { startLink } from '@turnwire/emulator';
import { startServer } from './server.js';
import type { Link, LinkOptions } from '@turnwire/emulator';
import type { BenchServer, ServerOptions } from './server.js';

export type ServiceOptions = { kind: 'server'; options: ServerOptions } | { kind: 'link'; options: LinkOptions };

/** The counts of a service since its start. */
export interface Counts {
  connections: number;
  /** CPU time in microseconds, user and system. */
  cpuUs: number;
  receivedBytes: number;
  /** Bytes that a link has sent; undefined for a server. */
  sentBytes?: number;
  turns?: number;
}

export type ServiceReply = { port: number } | { counts: Counts };

let service: Link | BenchServer | undefined;

process.on('message', (message: ServiceOptions | 'counts') => {
  if (message === 'counts') {
    if (service === undefined) return;
    const { user, system } = process.cpuUsage();
    process.send?.({ counts: { ...countsOf(service), cpuUs: user + system } } satisfies ServiceReply);
    return;
  }
  start(message).catch(() => process.exit(1));
});
// The parent process has ended.
process.on('disconnect', () => process.exit(0));

async function start(message: ServiceOptions): Promise<void> {
  service = message.kind === 'server' ? await startServer(message.options) : await startLink(message.options);
  process.send?.({ port: service.port } satisfies ServiceReply);
}

function countsOf(of: Link | BenchServer): Omit<Counts, 'cpuUs'> {
  if ('counts' in of) return of.counts();
  const { connections, sentBytes, receivedBytes } = of;
  return { connections, sentBytes, receivedBytes };
}
