import { spawn } from 'node:child_process';
import { messageOf } from '../../base/abort.js';
import { scriptRealm } from './script-realm.js';

/** The most calls that one script makes. */
const mostCalls = 500;
/** The longest line that a script's process writes, in characters. */
const longestLine = 4 * 1024 ** 2;
const mostPrinted = 64 * 1024;

export interface ScriptResult {
  value?: string;
  /** The reason why the script has no value. */
  error?: string;
  stdout: string;
  stderr: string;
}

export interface ScriptOptions {
  /** Makes a call. @throws Error, which the script gets */
  call: (name: string, args: Readonly<Record<string, unknown>>) => Promise<string>;
  signal: AbortSignal;
  /** The longest run of the script itself, in milliseconds; 30 s by default. While a tool works or the user is asked, the clock stands still. */
  ownMs?: number;
}

/** Options of Node that keep a script's process from files, programs and variables. */
function confinement(): string[] {
  const flags = process.allowedNodeEnvironmentFlags;
  return [
    flags.has('--permission') ? '--permission' : '--experimental-permission',
    '--no-warnings',
    '--disallow-code-generation-from-strings',
    '--max-old-space-size=256',
  ];
}

/**
 * Runs JavaScript in a process of its own. Its functions are calls that this process makes.
 *
 * @throws Error that says why the script did not come to its end, or the reason of the signal
 */
export async function runScript(
  script: string,
  names: readonly string[],
  { call, signal, ownMs = 30_000 }: ScriptOptions,
): Promise<ScriptResult> {
  signal.throwIfAborted();
  const child = spawn(
    process.execPath,
    [...confinement(), '-e', `'use strict'; (${scriptRealm.toString()})(require)`],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] } : {},
      windowsHide: true,
    },
  );
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    child.kill('SIGKILL');
  };
  const onAbort = (): void => end(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  let left = ownMs;
  let since = 0;
  const pause = (): void => {
    clearTimeout(timer);
    left -= performance.now() - since;
  };
  const goOn = (): void => {
    since = performance.now();
    timer = setTimeout(() => end(new Error(`the script took more than ${ownMs / 1000} s`)), Math.max(0, left));
  };
  const send = (value: object): void => void child.stdin.write(`${JSON.stringify(value)}\n`);
  // A process that has ended reads nothing; the error below says why it ended.
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
  child.once('error', (error) => end(new Error(`the script cannot be run: ${error.message}`, { cause: error })));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let calls = 0;
  try {
    goOn();
    send({ script, names, limit: mostPrinted });
    for await (const line of linesOf(child.stdout)) {
      const told = readLine(line);
      if (told === undefined) throw new Error('the script has left its bounds');
      if ('done' in told) return told.done;
      if ((calls += 1) > mostCalls) throw new Error(`the script made more than ${mostCalls} calls`);
      if (!names.includes(told.call)) throw new Error('the script has left its bounds');
      pause();
      send(
        await call(told.call, told.args).then(
          (output) => ({ output }),
          (error: unknown) => {
            if (ended !== undefined) throw ended;
            return { error: messageOf(error) };
          },
        ),
      );
      goOn();
    }
    await closed;
    throw ended ?? new Error(`the script's process ended by itself${said === '' ? '' : `: ${lastLine(said)}`}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
    await closed;
  }
}

/** The lines that a process writes. `readline` ends a line at U+2028, too, which JSON has within its texts. */
async function* linesOf(output: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of output) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > longestLine) throw new Error('the script gave more than 4 MiB at once');
  }
}

type Told = { done: ScriptResult } | { call: string; args: Readonly<Record<string, unknown>> };

/** Reads a line of a script's process; undefined for a line that such a process does not write by itself. */
function readLine(line: string): Told | undefined {
  try {
    const told = JSON.parse(line) as { done?: unknown; call?: unknown; args?: unknown };
    if (typeof told.done === 'string') return { done: JSON.parse(told.done) as ScriptResult };
    const { call, args = {} } = told;
    if (typeof call !== 'string') return undefined;
    // A tool refuses arguments that are no object, and says what it takes.
    return { call, args: args as Readonly<Record<string, unknown>> };
  } catch {
    return undefined;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
