import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { type Environment, SecretError } from '../secrets.js';

/** What a program may print; a secret is shorter. */
const mostBytes = 64 * 1024;

/** Long enough to type a passphrase, short enough for a dial that waits for it. */
const defaultDeadlineMs = 10_000;

/** A program that keeps secrets. */
export interface Program {
  name: string;
  path: string;
  env: Environment;
  /** How long it may take, in milliseconds. @default 10_000 */
  deadlineMs?: number | undefined;
}

/**
 * Looks a program up, once: what is put on the PATH later is not run. Relative folders on the PATH are passed over, because a project that
 * is worked on must not bring its own.
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
 * Runs it, without a shell, and resolves to what it printed; undefined if it ended with another status than 0, which is how all of them say
 * that they have no such secret. What it prints as an error is not read: it may hold secrets.
 *
 * @throws SecretError if it cannot be started, prints too much, or takes too long; it is then ended with all its children.
 */
export async function ask(
  { name, path, env, deadlineMs = defaultDeadlineMs }: Program,
  args: readonly string[],
  input = '',
): Promise<string | undefined> {
  const ownGroup = process.platform !== 'win32';
  const child = spawn(path, args, {
    env: { ...env },
    // A group of its own, so that what it has started ends with it.
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
    // Not `exit`: what it printed may still be on its way.
    child.on('close', (status) =>
      settle(() => resolve(status === 0 ? Buffer.concat(chunks).toString('utf8') : undefined)),
    );
    // A program that does not want its input closes it; that is no failure.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
