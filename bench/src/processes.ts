import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChildProcess } from 'node:child_process';
import type { Job, Outcome } from './client/client-process.js';
import type { Counts, ServiceOptions, ServiceReply } from './server/service-process.js';

const fileOf = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** A server or a link in a process of its own. */
export class Service {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(options: ServiceOptions): Promise<Service> {
    const child = fork(fileOf('server/service-process'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.send(options);
    const [reply] = (await within(10_000, once(child, 'message'))) as [ServiceReply];
    if (!('port' in reply)) throw new Error(`the ${options.kind} did not start`);
    return new Service(child, reply.port);
  }

  async counts(): Promise<Counts> {
    this.#child.send('counts');
    const [reply] = (await within(10_000, once(this.#child, 'message'))) as [ServiceReply];
    if (!('counts' in reply)) throw new Error('a service did not tell its counts');
    return reply.counts;
  }

  stop(): void {
    this.#child.kill();
  }
}

/** Runs one client once. A client that takes longer than `limitMs` is ended and counts as failed. */
export async function runClient(
  job: Job,
  { limitMs, ca }: { limitMs: number; ca: string | undefined },
): Promise<Outcome> {
  const child = fork(fileOf('client/client-process'), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--expose-gc'],
    // This variable is the one way in which every client can be made to trust the bench's certificate.
    env: { ...process.env, NO_COLOR: '1', ...(ca !== undefined && { NODE_EXTRA_CA_CERTS: ca }) },
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
  const outcome = new Promise<Outcome>((resolve) => {
    const timer = setTimeout(() => {
      resolve({ failed: `it was not done after ${limitMs / 1000} s` });
      child.kill('SIGKILL');
    }, limitMs);
    child.once('message', (message) => resolve(message as Outcome));
    child.once('exit', (status) => {
      clearTimeout(timer);
      resolve({ failed: `its process ended (${status ?? 'killed'}): ${complaint.trim().split('\n').at(-1) ?? ''}` });
    });
  });
  child.send(job);
  const exited = once(child, 'exit');
  const result = await outcome;
  await within(10_000, exited);
  return result;
}

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a process of the bench did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
