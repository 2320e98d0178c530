import type { SpawnOptions } from 'node:child_process';
import { HeadAndTail } from '../tools/commands/head-and-tail.js';
import type { Variables } from '../tools/commands/command.js';
import { startGroup } from '../tools/commands/process-group.js';

/** How much of what a hook prints is read, in bytes, of either output. */
const hookOutputLimit = 256 * 1024;
/** How long the outputs may stay open after a hook has ended, in milliseconds, where nothing depends on what else comes. */
const drainTime = 500;
/** How long a killed hook may take to be gone, in milliseconds. */
const lostTime = 5000;

export interface HookCommand {
  command: string;
  /** An absolute path. */
  cwd: string;
  env: Variables;
  /** In seconds. */
  timeout: number;
  signal: AbortSignal;
  /** What the hook reads. */
  input: string;
  /** Whether an answer may still come from processes that the hook leaves behind: their output is then waited for, up to the timeout. */
  patient: boolean;
}

export interface HookEnd {
  /** Undefined where a signal ended it, or the timeout. */
  status: number | undefined;
  stdout: string;
  /** Whether `stdout` is all that was printed. */
  whole: boolean;
  stderr: string;
  /** How it ended, where that was not by itself with status 0. */
  how: string;
}

/**
 * Runs a hook with the shell, in a process group of its own that ends with it: by itself, by the timeout, by the signal.
 *
 * @throws Error if it cannot be started, and the signal's reason.
 */
export async function runHookCommand(hook: HookCommand): Promise<HookEnd> {
  const { command, cwd, env, timeout, signal, input, patient } = hook;
  signal.throwIfAborted();
  const options: SpawnOptions = { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true };
  const group =
    process.platform === 'win32'
      ? startGroup(command, [], { ...options, shell: true })
      : startGroup('/bin/sh', ['-c', command], options);
  const { process: child } = group;
  // A hook that does not want its input closes it; that is no failure.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const stdout = new HeadAndTail(hookOutputLimit);
  const stderr = new HeadAndTail(hookOutputLimit);
  let bytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    stdout.add(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
  return new Promise((resolve, reject) => {
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, action: () => void): void => void timers.push(setTimeout(action, ms));
    let settled = false;
    let late = false;
    const settle = (action: () => void): void => {
      if (settled) return;
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', end);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      group.end();
      action();
    };
    const finish = (): void =>
      settle(() => {
        if (signal.aborted) return reject(signal.reason);
        const status = late ? undefined : (child.exitCode ?? undefined);
        const by = child.signalCode === null ? `status ${child.exitCode}` : `signal ${child.signalCode}`;
        const how = late ? `it took longer than ${timeout} s` : `it ended with ${by}`;
        const whole = bytes <= hookOutputLimit;
        return resolve({ status, stdout: stdout.toString(), whole, stderr: stderr.toString(), how });
      });
    const end = (): void => {
      group.end();
      after(lostTime, finish);
    };
    child.once('error', (error) =>
      settle(() => reject(new Error(`it cannot be started: ${error.message}`, { cause: error }))),
    );
    // One round of the event loop, so that what was printed while this process was busy is looked at.
    child.once('exit', () => patient || after(drainTime, () => void setImmediate(finish)));
    child.once('close', finish);
    after(timeout * 1000, () => {
      late = true;
      end();
    });
    signal.addEventListener('abort', end, { once: true });
  });
}
