import { readFileSync, rmSync, writeFileSync } from 'node:fs';

export interface Lock {
  release(): void;
}

/**
 * Keeps a file for this process, by another one beside it that holds its number. What a process that was killed has left behind is taken away.
 *
 * @throws Error if a process that lives has it.
 */
export function lockFile(path: string): Lock {
  const lock = `${path}.lock`;
  for (const last of [false, true]) {
    try {
      writeFileSync(lock, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      return { release: () => rmSync(lock, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const owner = ownerOf(lock);
      if (last || (owner !== undefined && lives(owner)))
        throw new Error(`this session is open in another process (${owner ?? 'unknown'}); end that one first`, {
          cause: error,
        });
      rmSync(lock, { force: true });
    }
  }
  throw new Error(`${lock} cannot be had`);
}

function ownerOf(lock: string): number | undefined {
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    return Number.isInteger(owner) && owner > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

function lives(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    // It lives, and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
