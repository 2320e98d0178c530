import type { SpawnOptions } from 'node:child_process';
import { HeadAndTail } from '../tools/commands/head-and-tail.js';
import type { Variables } from '../tools/commands/command.js';
import { startGroup } from '../tools/commands/process-group.js';

/** The most bytes that are read of each of a hook's outputs. */
const hookOutputLimit = 256 * 1024;
/** The time for which the outputs may stay open after the hook has ended, in milliseconds, where no answer depends on later output. */
const drainTime = 500;
/** The time that a killed hook may take to end, in milliseconds. */
const lostTime = 5000;

export interface HookCommand {
  command: string;
  /** An absolute path. */
  cwd: string;
  env: Variables;
  /** The longest run of the hook, in seconds. */
  timeout: number;
  signal: AbortSignal;
  /** The standard input of the hook. */
  input: string;
  /** True where an answer may still come from processes that the hook leaves behind: their output is awaited, up to the timeout. */
  patient: boolean;
}

export interface HookEnd {
  /** undefined where a signal or the timeout ended the hook. */
  status: number | undefined;
  stdout: string;
  /** True where `stdout` is complete. */
  whole: boolean;
  stderr: string;
  /** A sentence about the end; empty where the hook ended by itself with status 0. */
  how: string;
}

/**
 * Runs a hook with the shell, in a process group of its own that ends with it. The hook is ended by the timeout or by the signal, if it does not end by
 * itself.
 *
 * @throws Error if the hook cannot be started, and the signal's reason
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
  // A hook that reads no input closes its standard input, which is no failure.
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
    // Waits one round of the event loop, so that output which came while this process was busy is read.
    child.once('exit', () => patient || after(drainTime, () => void setImmediate(finish)));
    child.once('close', finish);
    after(timeout * 1000, () => {
      late = true;
      end();
    });
    signal.addEventListener('abort', end, { once: true });
  });
}
