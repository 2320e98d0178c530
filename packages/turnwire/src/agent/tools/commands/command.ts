import { HeadAndTail } from './head-and-tail.js';
import { type ProcessGroup, startGroup } from './process-group.js';
import { ToolFailure } from '../tool.js';

/** How much of what a command prints is kept, in bytes. */
export const outputLimit = 256 * 1024;
/** How long the output may stay open after the command has ended, in milliseconds: then something else holds it. */
const drainTime = 500;
/** How long a killed command may take to be gone; one that hangs in the kernel is left to it. */
const lostTime = 5000;

export type Variables = Readonly<Record<string, string | undefined>>;

/** Programs that would wait for a person: editors, pagers, and what asks for a password. Nobody sits in front of a command of an agent. */
const nobodyThere: Variables = {
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

/** The environment for commands that nobody watches: no editor, no pager and no question for a password waits for a person. */
export function unattended(env: Variables): Variables {
  return { ...env, ...nobodyThere };
}

export interface CommandOptions {
  cmd: string;
  /** An absolute path. */
  cwd: string;
  env: Variables;
  /** In seconds. */
  timeout: number;
  signal: AbortSignal;
  /** What it reads. @default nothing: its standard input is closed */
  input?: string | undefined;
}

export interface Ended {
  /** What it printed, errors included; of too much the middle is cut. */
  output: string;
  /** How it ended, where that was not well: `exit code 1`, `timed out after 30 s`. */
  notes: readonly string[];
  /** Undefined where it was ended by a signal. */
  status: number | undefined;
}

/**
 * Runs a command with the shell, in a process group of its own that ends with it: by itself, by the timeout, by the signal.
 *
 * @throws Error if it cannot be started, and the signal's reason.
 */
export async function runCommand({ cmd, cwd, env, timeout, signal, input }: CommandOptions): Promise<Ended> {
  signal.throwIfAborted();
  const group = startCommand(cmd, cwd, env, input === undefined ? 'ignore' : 'pipe');
  const { stdin } = group.process;
  // A command that does not want its input closes it; that is no failure.
  stdin?.on('error', () => undefined);
  stdin?.end(input);
  const { output, notes } = await collect(group, timeout, signal);
  return { output: output.toString(), notes, status: group.process.exitCode ?? undefined };
}

/** How the model is told of a command that has ended. */
export function report({ output, notes }: Pick<Ended, 'output' | 'notes'>): string {
  if (output === '' && notes.length === 0) return '(no output)';
  return [...(output === '' ? [] : [output.replace(/\n$/, '')]), ...notes.map((note) => `[${note}]`)].join('\n');
}

/**
 * What the model is told of a command that has ended well.
 *
 * @throws ToolFailure with what it is told of one that has not.
 */
export function outcome(ended: Ended): string {
  if (ended.status === 0) return report(ended);
  throw new ToolFailure(report(ended));
}

/** Starts a command; its output and its errors are one stream. */
export function startCommand(
  cmd: string,
  cwd: string,
  env: Variables,
  stdin: 'ignore' | 'pipe' = 'ignore',
): ProcessGroup {
  if (process.platform === 'win32') {
    return startGroup(cmd, [], { cwd, env, shell: true, stdio: [stdin, 'pipe', 'pipe'], windowsHide: true });
  }
  // One pipe for both outputs, so that their lines keep their order; the outer shell only joins them and becomes the inner one.
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
        // If this process was busy all the time, the output has not been looked at yet: one round of the event loop does that.
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
