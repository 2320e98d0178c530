import { readFileSync, rmSync, writeFileSync } from 'node:fs';

export interface Lock {
  release(): void;
}

/** Who has a file: the number of a process, and when that began, because numbers are given out again after it has ended, and after each boot. */
interface Owner {
  pid: number;
  /** Empty where the system does not tell. */
  began: string;
}

/**
 * Keeps a file for this process, by another one beside it that says who has it. What a process that was killed has left behind is taken away; where
 * the system does not tell when a process began (it does on Linux), any process that has got its number since counts as the owner.
 *
 * @throws Error if a process that lives has it.
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
    // It lives, and is somebody else's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = beginning(pid);
  return began === '' || now === '' || began === now;
}

/** The boot, and the ticks from it to the start of the process. */
function beginning(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name, in parentheses, may hold blanks and parentheses itself; what follows the last one begins with field 3, and the start is field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return start === undefined ? '' : `${boot}/${start}`;
  } catch {
    return '';
  }
}
