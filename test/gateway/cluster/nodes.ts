import { startGateway } from '@turnwire/gateway';
import { startEmulator } from 'turnwire/emulator';
import { errorOf, message } from '../setup.js';
import { freePort } from './redis.js';
import type { Gateway } from '@turnwire/gateway';
import type { Emulator, EmulatorOptions } from 'turnwire/emulator';
import type { Configured } from '../setup.js';
import type { Ending, RedisProcess } from './redis.js';

const deploymentSecret = 'what-all-gateways-of-a-test-share';

/** A response as a client reads it. */
export interface Read {
  status: number;
  id: string;
  output: object[];
  /** How it went up, as the gateway says. */
  plan: string | null;
  reason: string | null;
  code: unknown;
}

export interface Node {
  gateway: Gateway;
  warnings: string[];
  ask(body: object, headers?: Record<string, string>): Promise<Read>;
}

/** `cluster` is what differs from the test's own; a question may take two seconds, since the machine may be busy. */
export type NodeOptions = Omit<Configured, 'cluster'> & {
  cluster?: { deadline_ms?: number; node?: string; address?: string };
};

export interface Nodes {
  emulator: Emulator;
  nodes: readonly [Node, Node, Node];
}

/** Three gateways before one emulator, with a Redis between them or without. */
export async function startNodes(
  t: Ending,
  redis: Pick<RedisProcess, 'url'> | undefined,
  { upstream, ...config }: NodeOptions = {},
  emulated: EmulatorOptions = {},
): Promise<Nodes> {
  const emulator = await startEmulator(emulated);
  t.after(() => emulator.close());
  const start = (): Promise<Node> => startNode(t, emulator.url, redis, { ...config, ...(upstream && { upstream }) });
  return { emulator, nodes: [await start(), await start(), await start()] };
}

export async function startNode(
  t: Ending,
  upstreamUrl: string,
  redis: Pick<RedisProcess, 'url'> | undefined,
  { upstream, ...config }: NodeOptions = {},
): Promise<Node> {
  const port = await freePort();
  const warnings: string[] = [];
  const address = `http://127.0.0.1:${port}`;
  const { cluster: more, ...rest } = config;
  const cluster = redis && { redis: redis.url, secret: 'DEPLOYMENT', address, deadline_ms: 2000, ...more };
  const gateway = await startGateway({
    config: {
      restore: 'off',
      ...rest,
      listen: { port },
      upstream: { base_url: upstreamUrl, ...upstream },
      ...(cluster && { cluster }),
    },
    secret: (name) => Promise.resolve({ DEPLOYMENT: deploymentSecret, SHARED: 'sk-upstream' }[name]),
    onWarning: (warning) => warnings.push(warning),
  });
  t.after(() => gateway.destroy());
  const ask: Node['ask'] = async (body, headers = {}) => {
    const response = await fetch(`${gateway.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test', ...headers },
      body: JSON.stringify({ model: 'any', ...body }),
    });
    const said = response.ok ? ((await response.json()) as { id: string; output: object[] }) : undefined;
    return {
      status: response.status,
      id: said?.id ?? '',
      output: said?.output ?? [],
      plan: response.headers.get('x-turnwire-plan'),
      reason: response.headers.get('x-turnwire-plan-reason'),
      code: said === undefined ? (await errorOf(response))['code'] : undefined,
    };
  };
  return { gateway, warnings, ask };
}

/** A conversation of a client that sends its whole history. */
export class Talk {
  readonly history: object[] = [];
  readonly #params: object;

  constructor(params: object = {}) {
    this.#params = params;
  }

  async say(node: Node, words: string, headers?: Record<string, string>): Promise<Read> {
    this.history.push(message(words));
    const read = await node.ask({ ...this.#params, input: this.history }, headers);
    this.history.push(...read.output);
    return read;
  }
}

/** Waits until something that comes by itself has come. */
export async function until(what: string, test: () => unknown, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until Redis has so many entries of a kind. */
export async function entries(redis: RedisProcess, pattern: string, count: number): Promise<string[]> {
  let keys: string[] = [];
  await until(`${count} entries ${pattern}`, async () => {
    keys = (await redis.command('KEYS', pattern)) as string[];
    return keys.length >= count;
  });
  return keys;
}

/** Waits until the others know of a node. */
export async function joined(redis: RedisProcess, ...nodes: readonly Node[]): Promise<void> {
  await until('the nodes have joined', async () => {
    const keys = (await redis.command('KEYS', 't1:n:*')) as string[];
    const addresses = await Promise.all(keys.map((key) => redis.command('GET', key)));
    return nodes.every(({ gateway }) =>
      addresses.some((one) => String(one).endsWith(` ${gateway.url.replace(/\/v1$/, '')}`)),
    );
  });
}
