import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { type Environment, SecretError } from '../secrets.js';

/** The most bytes that a program may print; a secret is shorter. */
const mostBytes = 64 * 1024;

/** The longest run of a program: long enough to type a passphrase, short enough for a dial that waits for it. */
const defaultDeadlineMs = 10_000;

/** A program that stores secrets. */
export interface Program {
  name: string;
  path: string;
  env: Environment;
  /** The longest run of the program, in milliseconds. @default 10_000 */
  deadlineMs?: number | undefined;
}

/**
 * Looks a program up on the PATH, once: a program that is put there later is not run. Relative folders on the PATH are skipped, so that a project cannot
 * bring a program of its own.
 */
export function findProgram(name: string, env: Environment): string | undefined {
  const extensions = process.platform === 'win32' ? ['.exe'] : [''];
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)) {
    for (const extension of extensions) {
      const path = join(folder, name + extension);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs the program without a shell, and resolves to its output; undefined if it ended with another status than 0, by which all of these programs say that
 * they have no such secret. Its standard error is not read, since it may contain secrets.
 *
 * @throws SecretError if the program cannot be started, prints too much, or takes too long; it is then ended with all its children
 */
export async function ask(
  { name, path, env, deadlineMs = defaultDeadlineMs }: Program,
  args: readonly string[],
  input = '',
): Promise<string | undefined> {
  const ownGroup = process.platform !== 'win32';
  const child = spawn(path, args, {
    env: { ...env },
    // The program leads a process group, so that its children end with it.
    detached: ownGroup,
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stdin.destroy();
      end();
    };
    const stop = (message: string): void => {
      if (ownGroup && child.pid !== undefined) killGroup(child.pid);
      else child.kill('SIGKILL');
      settle(() => reject(new SecretError(message)));
    };
    const timer = setTimeout(() => stop(`${name} gave no answer within ${deadlineMs / 1000} s`), deadlineMs);
    child.on('error', (error) =>
      settle(() => reject(new SecretError(`${name} cannot be started: ${error.message}`, { cause: error }))),
    );
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > mostBytes) stop(`${name} printed more than 64 KiB, which is no secret`);
    });
    // Waits for `close` and not for `exit`, since output may still be on its way at the exit.
    child.on('close', (status) =>
      settle(() => resolve(status === 0 ? Buffer.concat(chunks).toString('utf8') : undefined)),
    );
    // A program that reads no input closes its standard input, which is no failure.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The process has ended already.
  }
}
