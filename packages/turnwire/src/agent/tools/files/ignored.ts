import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The time in which git has to list ignored files, in milliseconds. */
const listTime = 5000;
const listLimit = 16 * 1024 * 1024;

/**
 * The paths below a folder that git ignores: files, and whole folders. None where the folder is in no repository, or git is missing. No program that the
 * repository's settings name is run.
 */
export function ignoredBy(folder: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const list = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.untrackedCache=false'];
  return new Promise((resolve) => {
    execFile(
      'git',
      [...safe, ...list],
      { cwd: folder, signal, timeout: listTime, maxBuffer: listLimit },
      (error, stdout) => {
        const names = error === null ? stdout.split('\0').filter((name) => name !== '') : [];
        resolve(new Set(names.map((name) => join(folder, name.replace(/\/$/, '')))));
      },
    );
  });
}
