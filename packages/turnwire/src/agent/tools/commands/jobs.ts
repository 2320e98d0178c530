import { once } from 'node:events';
import { outputLimit, report, startCommand, type Variables } from './command.js';
import { HeadAndTail } from './head-and-tail.js';
import type { ProcessGroup } from './process-group.js';

/** The most background commands, ended ones included until they make room. */
const mostJobs = 20;
/** The time that a stopped command may take to end, in milliseconds. It is longer than a process group takes to be killed. */
const stopTime = 5000;

interface Job {
  id: string;
  cmd: string;
  group: ProcessGroup;
  output: HeadAndTail;
  begun: number;
  /** A sentence about the end; undefined while the command runs. */
  end: string | undefined;
}

/** The background commands of one agent. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  #count = 0;

  /**
   * Starts a command and returns its id.
   *
   * @throws Error if there are too many already
   */
  start(cmd: string, cwd: string, env: Variables): string {
    if (this.#jobs.size >= mostJobs) {
      const ended = [...this.#jobs.values()].find((job) => job.end !== undefined);
      if (ended === undefined) throw new Error(`there are ${mostJobs} jobs already; stop one first`);
      this.#jobs.delete(ended.id);
    }
    this.#count += 1;
    const group = startCommand(cmd, cwd, env);
    const job: Job = {
      id: `job_${this.#count}`,
      cmd,
      group,
      output: new HeadAndTail(outputLimit),
      begun: performance.now(),
      end: undefined,
    };
    this.#jobs.set(job.id, job);
    const { process: child } = group;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => job.output.add(chunk));
    child.once('error', (error) => (job.end = `could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      job.end = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      // Processes that the command leaves behind end with it.
      group.end();
    });
    return job.id;
  }

  /** Calls back once, when the command has ended and its output has been read. */
  whenEnded(id: string, call: () => void): void {
    const job = this.#find(id);
    if (job.end !== undefined) return call();
    job.group.process.once('close', call);
  }

  list(): string {
    if (this.#jobs.size === 0) return 'There are no jobs.';
    return [...this.#jobs.values()].map((job) => `${headline(job)}: ${job.cmd}`).join('\n');
  }

  view(id: string): string {
    const job = this.#find(id);
    return report({ output: job.output.toString(), notes: [headline(job)] });
  }

  async stop(id: string): Promise<string> {
    const job = this.#find(id);
    await end(job);
    return this.view(id);
  }

  /** Ends all commands. */
  async close(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(end));
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) {
      const ids = [...this.#jobs.keys()].join(', ');
      throw new Error(`there is no job ${id}; ${ids === '' ? 'none was started' : `the jobs are ${ids}`}`);
    }
    return job;
  }
}

function headline({ id, end, begun }: Job): string {
  return `${id}, ${end ?? 'running'}, ${Math.round((performance.now() - begun) / 1000)} s`;
}

async function end(job: Job): Promise<void> {
  if (job.end !== undefined) return;
  const left = once(job.group.process, 'exit', { signal: AbortSignal.timeout(stopTime) });
  job.group.end();
  await left.catch(() => undefined);
}
