import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../redis.js';
import type { ChildProcess } from 'node:child_process';
import type { Ending } from '../redis.js';

const program = fileURLToPath(new URL('node-process.js', import.meta.url));

/** A gateway that can be killed, and started anew at the same address. */
export class NodeProcess {
  readonly url: string;
  readonly warnings: string[] = [];
  readonly #config: object;
  #child: ChildProcess | undefined;

  constructor(port: number, config: object) {
    this.url = `http://127.0.0.1:${port}/v1`;
    this.#config = config;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const child = fork(program, [JSON.stringify(this.#config)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('a gateway has ended')));
      child.on('message', (message: { url?: string; warning?: string }) => {
        if (message.warning !== undefined) this.warnings.push(message.warning);
        else resolve();
      });
    });
  }

  /** SIGKILL: it says nothing to anybody. SIGTERM: it drains. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** The CPU time that the node has used since it listens, in milliseconds. */
  async cpuMs(): Promise<number> {
    const child = this.#child;
    if (child === undefined) return 0;
    const answer = once(child, 'message') as Promise<[{ cpuMs?: number }]>;
    child.send({});
    const [{ cpuMs = 0 }] = await answer;
    return cpuMs;
  }

  /** Sets its clock off. */
  jump(jumpMs: number): void {
    this.#child?.send({ jumpMs });
  }
}

/** Gateways in processes of their own, before one upstream. @param cluster where Redis is; undefined: each is alone */
export async function startProcesses(
  t: Ending,
  count: number,
  upstreamUrl: string,
  cluster: object | undefined,
): Promise<NodeProcess[]> {
  const nodes: NodeProcess[] = [];
  for (let index = 0; index < count; index += 1) {
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    const shared = cluster && { secret: 'DEPLOYMENT', address, ...cluster };
    const node = new NodeProcess(port, {
      listen: { port },
      upstream: { base_url: upstreamUrl },
      log: 'off',
      drain_ms: 5000,
      ...(shared && { cluster: shared }),
    });
    t.after(() => node.end('SIGKILL'));
    nodes.push(node);
  }
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}
