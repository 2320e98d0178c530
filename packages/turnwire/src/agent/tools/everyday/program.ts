import { execFile } from 'node:child_process';
import type { Variables } from '../commands/command.js';
import { HeadAndTail } from '../commands/head-and-tail.js';

/** The most bytes of an output that the model is given. */
const outputLimit = 256 * 1024;
/** The most bytes of an output that are read. */
const readLimit = 32 * 1024 * 1024;
/** The longest run of a program, in milliseconds. */
const timeLimit = 60_000;

/**
 * Runs a program without a shell and returns its output.
 *
 * @throws Error with its message, if the program fails, is missing, or takes longer than a minute
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, signal }: { cwd: string; env: Variables; signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      { cwd, env: { ...env }, signal, encoding: 'buffer', maxBuffer: readLimit, timeout: timeLimit },
      (error, stdout, stderr) => {
        if (error === null) {
          const kept = new HeadAndTail(outputLimit);
          kept.add(stdout);
          return resolve(kept.toString().trimEnd());
        }
        if ('code' in error && error.code === 'ENOENT') return reject(new Error(`there is no ${program} here`));
        if (error.killed === true && !signal.aborted) return reject(new Error(`${program} took longer than a minute`));
        reject(new Error(stderr.toString().trim() || error.message));
      },
    );
  });
}
