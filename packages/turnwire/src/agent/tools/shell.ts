import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { HeadAndTail } from './head-and-tail.js';
import { type ProcessGroup, startGroup } from './process-group.js';
import { defineTool, type Tool } from './tool.js';
import { withPath, type Workspace } from './workspace.js';

const outputLimit = 256 * 1024;
/** How long the output may stay open after the command has ended, in milliseconds: then something else holds it. */
const drainTime = 500;
/** How long a killed command may take to be gone; one that hangs in the kernel is left to it. */
const lostTime = 5000;

export interface ShellOptions {
  workspace: Workspace;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs commands with `/bin/sh`, each in a process group of its own that ends with the call: by itself, by the timeout, by the run.
 * Confines only where a command starts; what it then does is the user's to approve.
 */
export function shellTool({ workspace, env }: ShellOptions): Tool {
  return defineTool({
    name: 'shell',
    description:
      'Runs a command with sh and returns what it printed, errors included. Standard input is closed. A last line in brackets tells of an exit code other than 0 or of a timeout; of more than 256 KiB the middle is cut. What it leaves running in the background is ended with it.',
    readOnly: false,
    input: z.object({
      cmd: z.string().min(1).describe('The command.'),
      cwd: z.string().default('.').describe('Where to run it, relative to the working directory.'),
      timeout: z.number().positive().max(3600).default(30).describe('Seconds until it is ended.'),
    }),
    run: ({ cmd, cwd, timeout }, { signal }) =>
      withPath(cwd, async () => {
        const place = await workspace.resolve(cwd);
        if (!(await stat(place)).isDirectory()) throw new Error(`${cwd} is not a directory`);
        signal.throwIfAborted();
        const group = start(cmd, place, env);
        const { output, notes } = await collect(group, timeout, signal);
        const text = output.toString();
        if (text === '' && notes.length === 0) return '(no output)';
        return [...(text === '' ? [] : [text.replace(/\n$/, '')]), ...notes.map((note) => `[${note}]`)].join('\n');
      }),
  });
}

function start(cmd: string, cwd: string, env: ShellOptions['env']): ProcessGroup {
  if (process.platform === 'win32') {
    return startGroup(cmd, [], { cwd, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  }
  // One pipe for both outputs, so that their lines keep their order; the outer shell only joins them and becomes the inner one.
  return startGroup('/bin/sh', ['-c', 'exec /bin/sh -c "$0" 2>&1', cmd], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Collected {
  output: HeadAndTail;
  notes: string[];
}

function collect(group: ProcessGroup, timeout: number, signal: AbortSignal): Promise<Collected> {
  const { process: child } = group;
  const output = new HeadAndTail(outputLimit);
  return new Promise((resolve, reject) => {
    const notes: string[] = [];
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, action: () => void): void => void timers.push(setTimeout(action, ms));
    let settled = false;
    const settle = (action: () => void): void => {
      if (settled) return;
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      group.end();
      action();
    };
    const finish = (): void => settle(() => (signal.aborted ? reject(signal.reason) : resolve({ output, notes })));
    const end = (): void => {
      group.end();
      after(lostTime, finish);
    };
    const abort = (): void => end();

    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.add(chunk));
    child.once('error', (error) =>
      settle(() => reject(new Error(`the command could not be started: ${error.message}`, { cause: error }))),
    );
    child.once('exit', (code, killedBy) => {
      if (killedBy !== null) notes.push(`ended by ${killedBy}`);
      else if (code !== 0) notes.push(`exit code ${code}`);
      after(drainTime, () => {
        // If this process was busy all the time, the output has not been looked at yet: one round of the event loop does that.
        setImmediate(() => {
          if (settled) return;
          notes.push('it left processes running that held its output; they were ended');
          finish();
        });
      });
    });
    child.once('close', finish);
    after(timeout * 1000, () => {
      notes.push(`timed out after ${timeout} s`);
      end();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
