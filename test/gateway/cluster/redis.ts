import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processClock } from './redis-clock.js';
import { connectRedis } from '../../../packages/gateway/dist/cluster/redis/connection.js';
import type { ChildProcess } from 'node:child_process';
import type { AddressInfo, Socket } from 'node:net';
import type { ClusterCounters } from '../../../packages/gateway/dist/cluster/counters.js';
import type { RedisConnection } from '../../../packages/gateway/dist/cluster/redis/connection.js';

/** Why tests with a real Redis are skipped; false where it is installed. */
export const withoutRedis: string | false =
  spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed';

/** What a test needs of whoever ends things with it. */
export interface Ending {
  after(end: () => unknown): void;
}

/** What the tests of a file share: it ends after the last of them. */
export class Shared implements Ending {
  readonly #ends: (() => unknown)[] = [];

  after(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** The newest first. */
  async end(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
  }
}

export interface RedisProcess {
  readonly port: number;
  readonly url: string;
  /** Sends a command over a connection of the test's own. */
  command(...args: string[]): Promise<unknown>;
  /** SIGSTOP: the process stays, and so do its connections. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** Sets its clock so many seconds off the true time; undefined where that cannot be done. */
  jumpTo: ((seconds: number) => void) | undefined;
  /** Anew at the same port, with nothing in it. */
  start(): Promise<void>;
}

/** For parts of a gateway that stand alone: nobody reads what they count. */
export const uncounted: ClusterCounters = { count: () => {}, repliedIn: () => {} };

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface RecordingProxy {
  readonly url: string;
  /** What was sent to Redis, from the last time that it was taken on. */
  take(): string;
  /** Nothing passes any more, and nobody is told. */
  hold(): void;
  /** Answers come so many milliseconds late from now on. */
  delay(ms: number): void;
}

/** Stands before a Redis, and writes down what is sent to it. */
export async function startProxy(t: Ending, redis: Pick<RedisProcess, 'port'>): Promise<RecordingProxy> {
  let sent = '';
  let isHeld = false;
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect(redis.port, '127.0.0.1');
    for (const one of [socket, upstream]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.on('data', (chunk: Buffer) => {
      sent += chunk.toString('latin1');
      if (!isHeld) upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (!isHeld) setTimeout(() => socket.write(chunk), delayMs);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = sent;
      sent = '';
      return taken;
    },
    hold: () => (isHeld = true),
    delay: (ms) => (delayMs = ms),
  };
}

/**
 * A redis-server of the test's own, in memory alone.
 *
 * @param options as they stand in redis.conf
 * @param hasClock with a clock that can be set, where the machine can do that
 */
export async function startRedis(
  t: Ending,
  options: readonly string[] = [],
  { hasClock = false }: { hasClock?: boolean } = {},
): Promise<RedisProcess> {
  const port = await freePort();
  const lines = [`port ${port}`, 'bind 127.0.0.1', 'save ""', 'appendonly no', 'enable-debug-command yes'];
  return startProcess(t, port, 'redis-server', [...lines, 'repl-diskless-sync-delay 0', ...options], hasClock);
}

export interface Watched {
  master: RedisProcess;
  replica: RedisProcess;
  /** Where Sentinel is: it knows the master as `main`. */
  node: { host: string; port: number };
  /** Makes the other one the master, and waits until it is. */
  failOver(): Promise<void>;
}

/** A master with a replica, and a sentinel that watches them. */
export async function startWatched(t: Ending): Promise<Watched> {
  const master = await startRedis(t);
  const replica = await startRedis(t, [`replicaof 127.0.0.1 ${master.port}`]);
  const port = await freePort();
  const sentinel = await startProcess(t, port, 'redis-sentinel', [
    `port ${port}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 300',
    'sentinel failover-timeout main 3000',
  ]);
  const wait = async (done: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await done().catch(() => false)); tries += 1) {
      if (tries > 1000) throw new Error('there was no fail-over');
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const isSynced = async (): Promise<boolean> =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up') &&
    ((await sentinel.command('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length > 0;
  await wait(isSynced);
  const address = async (): Promise<string> =>
    String(await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main'));
  return {
    master,
    replica,
    node: { host: '127.0.0.1', port },
    failOver: async () => {
      const before = await address();
      // Refused while one is under way, and while the replica is not seen to be fit.
      await wait(async () => (await sentinel.command('SENTINEL', 'FAILOVER', 'main')) === 'OK');
      await wait(async () => (await address()) !== before);
    },
  };
}

/** A redis-server, or a sentinel: it writes to its file, which is its own. */
async function startProcess(
  t: Ending,
  port: number,
  program: 'redis-server' | 'redis-sentinel',
  lines: readonly string[],
  hasClock = false,
): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-redis-'));
  const file = join(folder, 'redis.conf');
  writeFileSync(file, [...lines, `dir ${folder}`, ''].join('\n'));
  const clock = hasClock ? processClock(folder) : undefined;
  let child: ChildProcess | undefined;
  const connections: RedisConnection[] = [];
  let connection: Promise<RedisConnection> | undefined;
  const command = async (...args: string[]): Promise<unknown> => {
    connection ??= connectRedis({ place: { name: 'server', url: `redis://127.0.0.1:${port}` } });
    const made = await connection;
    if (!connections.includes(made)) connections.push(made);
    return made.command(args);
  };
  const start = async (): Promise<void> => {
    child = spawn(program, [file], { stdio: 'ignore', env: { ...process.env, ...clock?.env } });
    for (let tries = 0; ; tries += 1) {
      const reply = await command('PING').catch(() => undefined);
      if (reply === 'PONG') return;
      if (tries > 400) throw new Error(`${program} does not answer at port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  t.after(async () => {
    for (const made of connections) made.destroy();
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    jumpTo: clock?.jumpTo,
    start,
  };
}
