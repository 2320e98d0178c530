import { readFileSync, rmSync, writeFileSync } from 'node:fs';

export interface Lock {
  release(): void;
}

/** The owner of a file: the number of a process, and the time at which it began, because numbers are used again after its end, and after each boot. */
interface Owner {
  pid: number;
  /** The time at which the process began; empty where the system does not tell. */
  began: string;
}

/**
 * Locks a file for this process, by a second file beside it that names the owner. A lock of a process that was killed is removed. On systems that do not tell
 * when a process began (Linux does), any later process with the same number counts as the owner.
 *
 * @throws Error if a living process has the lock
 */
export function lockFile(path: string): Lock {
  const lock = `${path}.lock`;
  for (const last of [false, true]) {
    try {
      writeFileSync(lock, `${process.pid} ${beginning(process.pid)}\n`, { flag: 'wx', mode: 0o600 });
      return { release: () => rmSync(lock, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const owner = ownerOf(lock);
      if (last || (owner !== undefined && lives(owner)))
        throw new Error(
          `this session is open in another process (${owner?.pid ?? 'unknown'}); end that one first, or delete ${lock} if that process is not turnwire`,
          { cause: error },
        );
      rmSync(lock, { force: true });
    }
  }
  throw new Error(`${lock} cannot be had`);
}

function ownerOf(lock: string): Owner | undefined {
  try {
    const [number = '', began = ''] = readFileSync(lock, 'utf8').trim().split(' ');
    const pid = Number(number);
    return Number.isInteger(pid) && pid > 0 ? { pid, began } : undefined;
  } catch {
    return undefined;
  }
}

function lives({ pid, began }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process is alive, and belongs to another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = beginning(pid);
  return began === '' || now === '' || began === now;
}

/** The id of the boot, and the ticks from the boot to the start of the process. */
function beginning(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name stands in parentheses and may contain blanks and parentheses. Field 3 follows the last one; the start is field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return start === undefined ? '' : `${boot}/${start}`;
  } catch {
    return '';
  }
}
