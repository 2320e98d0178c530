import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** True where a Redis can be started on this machine. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/** A redis-server of the bench itself, in memory alone. */
export class Redis {
  readonly url: string;
  readonly #socket: Socket;
  readonly #end: () => Promise<void>;

  private constructor(url: string, socket: Socket, end: () => Promise<void>) {
    this.url = url;
    this.#socket = socket;
    this.#end = end;
  }

  static async start(): Promise<Redis> {
    const port = await freePort();
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', options, { stdio: 'ignore' });
    const socket = await connected(port);
    return new Redis(`redis://127.0.0.1:${port}`, socket, async () => {
      socket.destroy();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    });
  }

  /** The number of times that Redis has read from its connections: commands that a client sends together count as one. */
  async reads(): Promise<number> {
    return numberAfter(await this.#ask('INFO stats'), 'total_reads_processed:');
  }

  /**
   * The memory of an entry of a context, with key, value and expiry. The present entries are copied under other names of the same length until there are
   * 100,000, so that the other memory of Redis does not count.
   */
  async entryBytes(): Promise<number> {
    await this.#ask(`EVAL "${copyEntries}" 0`);
    const [bytes, entries] = await this.#memory();
    await this.#ask(`EVAL "${copyEntries}" 0`);
    const [bytesAfter, entriesAfter] = await this.#memory();
    return (bytesAfter - bytes) / (entriesAfter - entries);
  }

  async #memory(): Promise<[bytes: number, entries: number]> {
    const memory = await this.#ask('MEMORY STATS');
    return [numberAfter(memory, 'total.allocated\r\n:'), numberAfter(memory, 'keys.count\r\n:')];
  }

  stop(): Promise<void> {
    return this.#end();
  }

  async #ask(command: string): Promise<string> {
    // The answer to the second command shows that the answer to the first one is complete.
    this.#socket.write(`${command}\r\nECHO end-of-answer\r\n`);
    let answer = '';
    while (!answer.endsWith('end-of-answer\r\n')) answer += String((await once(this.#socket, 'data'))[0]);
    return answer;
  }
}

/** Adds 2^16 entries. The hash tables of Redis double at such a number, so between two calls they double once. */
const copyEntries = [
  `local found = redis.call('KEYS', 't1:*c*')`,
  `local made = tonumber(redis.call('GET', 'made') or '0')`,
  `for index = made + 1, made + 65536 do`,
  `local from = found[index % #found + 1]`,
  `redis.call('COPY', from, string.sub(from, 1, -7) .. string.format('%06d', index)) end`,
  `redis.call('SET', 'made', made + 65536)`,
].join(' ');

function numberAfter(text: string, name: string): number {
  const at = text.indexOf(name);
  if (at === -1) throw new Error(`Redis has told no ${name}`);
  return Number.parseInt(text.slice(at + name.length), 10);
}

async function connected(port: number): Promise<Socket> {
  for (let tries = 0; ; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
