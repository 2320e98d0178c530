import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Variables } from '../../tools/commands/command.js';

/** The most bytes of git's output. */
const outputLimit = 16 * 1024 * 1024;

/** Options with which git runs no program that a repository names, and asks nobody. */
const careful = ['--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];

export interface GitOptions {
  /** An absolute path. */
  directory: string;
  env: Variables;
  signal: AbortSignal;
}

/** Runs git and gives its output; undefined where git fails or is missing. @throws Error where it cannot be run, and the reason of the signal */
export async function git(
  { directory, env, signal }: GitOptions,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const options = { cwd: directory, env, signal, maxBuffer: outputLimit, windowsHide: true };
    const { stdout } = await promisify(execFile)('git', [...careful, ...args], options);
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || typeof code === 'number') return undefined;
    throw error;
  }
}
