import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { endpointOf } from '../../dist/network/endpoint.js';
import { createNetwork } from '../../dist/network/network.js';
import { Diagnostics } from '../../dist/diagnostics.js';
import { Pool } from '../../dist/pool/pool.js';
import { FakeClock } from '../base/fake-clock.js';
import type { AddressInfo } from 'node:net';
import type { Chain, Occupant } from '../../dist/pool/lane.js';
import type { Place, Placement } from '../../dist/pool/placement.js';
import type { PoolSettings } from '../../dist/pool/pool-settings.js';

const occupant: Occupant = { asText: false, event: () => {}, alive: () => {}, lost: () => {} };
export const nobody: AbortSignal = new AbortController().signal;

/** A turn that stands for itself. */
export const usual: Placement = {
  parent: undefined,
  fresh: false,
  withoutLanes: false,
  mayDial: true,
  fallback: 'sse',
};

/** A pool with real sockets, and a clock of the test's own. */
export interface Yard {
  pool: Pool;
  clock: FakeClock;
  server: WebSocketServer;
  take: (responseId?: string, fresh?: boolean, more?: Partial<Placement>) => Promise<Place>;
  leave: (place: Place, chain?: Chain) => void;
}

export function yard(name: string, settings: Partial<PoolSettings>, run: (yard: Yard) => Promise<void>): void {
  test(name, { timeout: 20_000 }, async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const clock = new FakeClock();
    const endpoint = endpointOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'test');
    const network = createNetwork(endpoint, () => Promise.resolve({}));
    const pool = new Pool({
      diagnostics: new Diagnostics(undefined),
      network,
      clock,
      maxConnections: 32,
      maxAgeMs: Infinity,
      dialMs: 1000,
      queueMs: 1000,
      pingMs: Infinity,
      pongMs: 1000,
      lanes: undefined,
      random: () => 0,
      ...settings,
    });
    try {
      await run({
        pool,
        clock,
        server,
        take: (responseId, fresh = false, more = {}) =>
          pool.acquire(
            {
              ...usual,
              parent: responseId === undefined ? undefined : { responseId, stored: false },
              fresh,
              ...more,
            },
            occupant,
            nobody,
          ),
        leave: ({ lane }, chain) => lane.vacate(chain),
      });
    } finally {
      pool.destroy();
      server.close();
      for (const socket of server.clients) socket.terminate();
    }
  });
}
