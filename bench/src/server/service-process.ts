// The server or the link, each in a process of its own, so that its work is nobody else's.
import { startLink } from '@turnwire/emulator';
import { startServer } from './server.js';
import type { Link, LinkOptions } from '@turnwire/emulator';
import type { BenchServer, ServerOptions } from './server.js';

export type ServiceOptions = { kind: 'server'; options: ServerOptions } | { kind: 'link'; options: LinkOptions };

/** What a service has seen since it started. */
export interface Counts {
  connections: number;
  /** Microseconds, user and system. */
  cpuUs: number;
  receivedBytes: number;
  /** By a link alone. */
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
// Whoever started it is gone.
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
