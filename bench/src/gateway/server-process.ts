// One server in a process of its own: the scripted upstream, the gateway, a plain pass-through, or a peer.
import { Agent, createServer, request as send } from 'node:http';
import { limitHeapGrowth, startGateway } from '@turnwire/gateway';
import { llms, opencodex, usageOfBun } from './peers.js';
import { serveCommands } from '../server/measured-server.js';
import { receivedBytes, startUpstream } from './upstream.js';
import type { AddressInfo } from 'node:net';
import type { Setup, Usage } from './protocol.js';

const starts: Record<Setup['kind'], (setup: Setup) => Promise<string>> = {
  upstream: startUpstream,
  'pass-through': passThrough,
  gateway: (setup) => gateway(setup, true),
  'gateway-restore-off': (setup) => gateway(setup, false),
  llms,
  opencodex,
};

serveCommands(
  (setup: Setup) => starts[setup.kind](setup),
  (): Usage => {
    const { user, system } = process.cpuUsage();
    const own = { cpuUs: user + system, rssMb: process.memoryUsage.rss() / 2 ** 20 };
    return { ...own, ...usageOfBun(), receivedBytes };
  },
);

async function gateway({ upstream, redis }: Setup, restores: boolean): Promise<string> {
  // As `turnwire serve` does.
  limitHeapGrowth();
  const { url } = await startGateway({
    config: {
      upstream: { base_url: upstream },
      listen: { port: 0 },
      ...(!restores && { restore: 'off' as const }),
      ...(redis !== undefined && { cluster: { redis, secret: 'DEPLOYMENT', deadline_ms: 2000 } }),
    },
    secret: (name) => Promise.resolve(name === 'DEPLOYMENT' ? 'what-all-gateways-of-the-bench-share' : undefined),
    // The lines of the log are made, as in real use, and then dropped.
    log: { write: () => undefined },
  });
  return url;
}

/** The least work of a server in between: passes on each chunk as it comes, in both directions. */
async function passThrough({ upstream }: Setup): Promise<string> {
  const agent = new Agent({ keepAlive: true });
  const base = new URL(upstream);
  const server = createServer((request, response) => {
    const { host: _host, ...headers } = request.headers;
    const up = send(
      { agent, host: base.hostname, port: base.port, path: request.url, method: request.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    up.on('error', () => response.destroy());
    request.pipe(up);
  });
  // Longer than a turn of the other servers: a connection that is closed while it is used again would fail.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
