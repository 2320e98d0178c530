import { execFile } from 'node:child_process';
import type { Variables } from '../commands/command.js';
import { HeadAndTail } from '../commands/head-and-tail.js';

/** What of an output the model is told, in bytes. */
const outputLimit = 256 * 1024;
/** What is read of it. */
const readLimit = 32 * 1024 * 1024;
/** In milliseconds. */
const timeLimit = 60_000;

/**
 * Runs a program without a shell and returns what it prints.
 *
 * @throws Error with what it says, if it fails, is not there, or takes longer than a minute.
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
