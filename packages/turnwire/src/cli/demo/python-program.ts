import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runCall } from './agent-loop.js';
import { requestOf } from './program.js';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Call, Endpoint, Item, LoopResult, LoopTurn, Program, ProgramOptions } from './program.js';

const turnwire = fileURLToPath(new URL('../../../bin/turnwire.js', import.meta.url));
const client = fileURLToPath(new URL('../../examples/source-report/client.py', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

/** The path of Python, where Python and the gateway's package are installed; or the sentence that says which of them is missing. */
export type Serving = { python: string } | { missing: string };

export function findPython(env: Environment): Serving {
  try {
    createRequire(import.meta.url).resolve('@turnwire/gateway/package.json');
  } catch {
    return {
      missing: 'With "npm install @turnwire/gateway", the demo runs a client in Python through turnwire serve, too.',
    };
  }
  const works = (command: string): boolean =>
    spawnSync(command, ['-c', 'import http.client'], { env, stdio: 'ignore', timeout: 10_000 }).status === 0;
  const python = ['python3', 'python'].find(works);
  if (python !== undefined) return { python };
  return { missing: 'Where Python 3 is installed, the demo runs a client in Python through turnwire serve, too.' };
}

/** The program in Python, which uses plain HTTP through `turnwire serve`. Both run as processes of their own. */
export async function pythonThroughServe(python: string, { url, ca }: Endpoint, env: Environment): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-demo-ca-'));
  const authority = join(folder, 'ca.pem');
  await writeFile(authority, ca);
  const local = { NODE_EXTRA_CA_CERTS: authority, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
  const serve = spawn(process.execPath, [turnwire, 'serve', '--upstream', url, '--port', '0', '--json'], {
    env: { ...env, ...local },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = async (): Promise<void> => {
    await end(serve);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const served = await firstLine(serve.stdout);
    const { url: base } = JSON.parse(served) as { url: string };
    return { run: (options) => runPython(python, base, { ...options, env }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Message = { turn: LoopTurn } | { call: Call } | { history: Item[] };

/** Runs the client. It asks for each tool with a line of JSON, and is given the output with another. */
async function runPython(
  python: string,
  url: string,
  { question, tools, instructions, signal, onTurn, env }: ProgramOptions & { env: Environment },
): Promise<LoopResult> {
  const child = spawn(python, [client], { env, signal, stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = once(child, 'error').then(([error]) => {
    throw error;
  });
  // A write to a process that has ended is lost; the exit of the process says why.
  child.stdin.on('error', () => undefined);
  const say = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const talk = async (): Promise<LoopResult> => {
    const turns: LoopTurn[] = [];
    say({ url, question, request: requestOf({ instructions, tools }) });
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line) as Message;
      if ('history' in message) return { turns, history: message.history };
      if ('call' in message) say({ output: await runCall(message.call, tools, signal) });
      else {
        turns.push(message.turn);
        onTurn(turns.length);
      }
    }
    signal.throwIfAborted();
    throw new Error(`the client in Python ended early: see above (${client})`);
  };
  try {
    return await Promise.race([talk(), failed]);
  } finally {
    await end(child);
  }
}

async function firstLine(stream: Readable): Promise<string> {
  const lines = createInterface({ input: stream });
  for await (const line of lines) {
    // The log has to be read, or the process would block.
    stream.resume();
    return line;
  }
  throw new Error('turnwire serve did not start: see above');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}
