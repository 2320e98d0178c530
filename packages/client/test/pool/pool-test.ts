import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { endpointOf } from '../../dist/network/endpoint.js';
import { createNetwork } from '../../dist/network/network.js';
import { Diagnostics } from '../../dist/diagnostics.js';
import { Pool } from '../../dist/pool/pool.js';
import { FakeClock } from '../base/fake-clock.js';
import type { AddressInfo } from 'node:net';
import type { LaneChain, LaneListener } from '../../dist/pool/lane.js';
import type { LaneAssignment, Placement } from '../../dist/pool/placement.js';
import type { PoolSettings } from '../../dist/pool/pool-settings.js';

const listener: LaneListener = { asText: false, event: () => {}, alive: () => {}, lost: () => {} };
export const noSignal: AbortSignal = new AbortController().signal;

/** A turn that stands for itself. */
export const usual: Placement = {
  parent: undefined,
  fresh: false,
  withoutLanes: false,
  mayDial: true,
  fallback: 'sse',
};

/** A pool with real sockets, and a clock of the test's own. */
export interface PoolTest {
  pool: Pool;
  clock: FakeClock;
  server: WebSocketServer;
  take: (responseId?: string, fresh?: boolean, more?: Partial<Placement>) => Promise<LaneAssignment>;
  leave: (place: LaneAssignment, chain?: LaneChain) => void;
}

export function poolTest(name: string, settings: Partial<PoolSettings>, run: (pool: PoolTest) => Promise<void>): void {
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
      maxIdleMs: Infinity,
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
            listener,
            noSignal,
          ),
        leave: ({ lane }, chain) => lane.complete(chain),
      });
    } finally {
      pool.destroy();
      server.close();
      for (const socket of server.clients) socket.terminate();
    }
  });
}
