import { HeadAndTail } from './head-and-tail.js';
import { type ProcessGroup, startGroup } from './process-group.js';
import { ToolFailure } from '../tool.js';

/** The most bytes of a command's output that are kept. */
export const outputLimit = 256 * 1024;
/** The time for which the output may stay open after the command has ended, in milliseconds; another process then holds it open. */
const drainTime = 500;
/** The time that a killed command may take to end. A process that hangs in the kernel is left there. */
const lostTime = 5000;

export type Variables = Readonly<Record<string, string | undefined>>;

/** Variables that keep editors, pagers and password prompts from waiting for a person, who is not there. */
const withoutPerson: Variables = {
  EDITOR: 'true',
  VISUAL: 'true',
  GIT_EDITOR: 'true',
  GIT_SEQUENCE_EDITOR: 'true',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GH_PAGER: 'cat',
  MANPAGER: 'cat',
  SYSTEMD_PAGER: 'cat',
  AWS_PAGER: '',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'true',
  SSH_ASKPASS: 'true',
  SSH_ASKPASS_REQUIRE: 'never',
  GCM_INTERACTIVE: 'never',
};

/** The environment for commands without a person: no editor, pager or password prompt waits. */
export function unattended(env: Variables): Variables {
  return { ...env, ...withoutPerson };
}

export interface CommandOptions {
  cmd: string;
  /** An absolute path. */
  cwd: string;
  env: Variables;
  /** The longest run of the command, in seconds. */
  timeout: number;
  signal: AbortSignal;
  /** The standard input. @default it is closed */
  input?: string | undefined;
}

export interface Ended {
  /** The output, errors included; the middle of a long output is cut. */
  output: string;
  /** Sentences about the end, where it was no success: `exit code 1`, `timed out after 30 s`. */
  notes: readonly string[];
  /** undefined where a signal ended the command. */
  status: number | undefined;
}

/**
 * Runs a command with the shell, in a process group of its own that ends with it. The command is ended by the timeout or by the signal, if it does not end by
 * itself.
 *
 * @throws Error if the command cannot be started, and the signal's reason
 */
export async function runCommand({ cmd, cwd, env, timeout, signal, input }: CommandOptions): Promise<Ended> {
  signal.throwIfAborted();
  const group = startCommand(cmd, cwd, env, input === undefined ? 'ignore' : 'pipe');
  const { stdin } = group.process;
  // A command that reads no input closes its standard input, which is no failure.
  stdin?.on('error', () => undefined);
  stdin?.end(input);
  const { output, notes } = await collect(group, timeout, signal);
  return { output: output.toString(), notes, status: group.process.exitCode ?? undefined };
}

/** The output of a command and the sentences about its end, for the model. */
export function report({ output, notes }: Pick<Ended, 'output' | 'notes'>): string {
  if (output === '' && notes.length === 0) return '(no output)';
  return [...(output === '' ? [] : [output.replace(/\n$/, '')]), ...notes.map((note) => `[${note}]`)].join('\n');
}

/**
 * The output of a successful command, for the model.
 *
 * @throws ToolFailure with the output of any other
 */
export function outcome(ended: Ended): string {
  if (ended.status === 0) return report(ended);
  throw new ToolFailure(report(ended));
}

/** Starts a command. Its output and its errors are one stream. */
export function startCommand(
  cmd: string,
  cwd: string,
  env: Variables,
  stdin: 'ignore' | 'pipe' = 'ignore',
): ProcessGroup {
  if (process.platform === 'win32') {
    return startGroup(cmd, [], { cwd, env, shell: true, stdio: [stdin, 'pipe', 'pipe'], windowsHide: true });
  }
  // One pipe for both outputs keeps the order of their lines. The outer shell joins them, and is replaced by the inner one.
  return startGroup('/bin/sh', ['-c', 'exec /bin/sh -c "$0" 2>&1', cmd], {
    cwd,
    env,
    stdio: [stdin, 'pipe', 'pipe'],
  });
}

interface Collected {
  output: HeadAndTail;
  notes: string[];
}

function collect(group: ProcessGroup, timeout: number, signal: AbortSignal): Promise<Collected> {
  const { process: child } = group;
  const output = new HeadAndTail(outputLimit);
  return new Promise((resolve, reject) => {
    const notes: string[] = [];
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, action: () => void): void => void timers.push(setTimeout(action, ms));
    let settled = false;
    const settle = (action: () => void): void => {
      if (settled) return;
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      group.end();
      action();
    };
    const finish = (): void => settle(() => (signal.aborted ? reject(signal.reason) : resolve({ output, notes })));
    const end = (): void => {
      group.end();
      after(lostTime, finish);
    };
    const abort = (): void => end();

    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.add(chunk));
    child.once('error', (error) =>
      settle(() => reject(new Error(`the command could not be started: ${error.message}`, { cause: error }))),
    );
    child.once('exit', (code, killedBy) => {
      if (killedBy !== null) notes.push(`ended by ${killedBy}`);
      else if (code !== 0) notes.push(`exit code ${code}`);
      after(drainTime, () => {
        // This process may have been busy, with output still unread: one more round of the event loop reads it.
        setImmediate(() => {
          if (settled) return;
          notes.push('it left processes running that held its output; they were ended');
          finish();
        });
      });
    });
    child.once('close', finish);
    after(timeout * 1000, () => {
      notes.push(`timed out after ${timeout} s`);
      end();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
