import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';

/** From the request to end to the order to end, in milliseconds. */
const grace = 2000;

/**
 * A process and all that it starts, ended together. None outlives this process: what still lives at its exit is killed then (not
 * if this process itself is killed by a signal it does not handle). On Windows, which has no process groups, only the process itself
 * is ended.
 */
export interface ProcessGroup {
  process: ChildProcess;
  /** Asks all of them to end, and two seconds later makes them. */
  end(): void;
}

const living = new Set<number>();

export function startGroup(command: string, args: readonly string[], options: SpawnOptions): ProcessGroup {
  const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
  const { pid } = child;
  // No process: the child says why by an `error` event.
  if (pid === undefined) return { process: child, end: () => undefined };
  if (living.size === 0) process.once('exit', killLiving);
  living.add(pid);
  let ending = false;
  return {
    process: child,
    end() {
      if (ending) return;
      ending = true;
      if (!signalGroup(pid, 'SIGTERM')) {
        forget(pid);
        return;
      }
      const timer = setTimeout(() => {
        signalGroup(pid, 'SIGKILL');
        forget(pid);
      }, grace);
      // Once the child has ended, nobody waits for stragglers: exiting kills them.
      if (child.exitCode !== null || child.signalCode !== null) timer.unref();
      else child.once('exit', () => timer.unref());
    },
  };
}

function forget(pid: number): void {
  living.delete(pid);
  if (living.size === 0) process.removeListener('exit', killLiving);
}

function killLiving(): void {
  for (const pid of living) signalGroup(pid, 'SIGKILL');
}

/** False if none of them is left. */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    return false;
  }
}
