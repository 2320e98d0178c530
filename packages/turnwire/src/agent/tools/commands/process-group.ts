import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';

/** The time between the request to end and the kill, in milliseconds. */
const grace = 2000;

/**
 * A process and all processes that it starts, ended together. Those alive when this process exits are killed then, unless a signal that it does not handle
 * kills this process itself. Windows has no process groups: only the process itself is ended.
 */
export interface ProcessGroup {
  process: ChildProcess;
  /** Asks all processes to end, and kills them two seconds later. */
  end(): void;
}

const living = new Set<number>();

export function startGroup(command: string, args: readonly string[], options: SpawnOptions): ProcessGroup {
  const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
  const { pid } = child;
  // There is no process: the child reports the reason by an `error` event.
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
      // Once the child has ended, no timer keeps this process alive for its children: the exit kills them.
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

/** False if no process of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    return false;
  }
}
