import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readText } from '../files/text-file.js';

/** The largest file, in bytes. */
const fileLimit = 1024 * 1024;

export const priority = z.enum(['critical', 'high', 'medium', 'low']);
export const status = z.enum(['pending', 'in_progress', 'done', 'blocked']);

const task = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  priority,
  status,
  dependencies: z.array(z.string()),
  created: z.string(),
  updated: z.string(),
});
export type Task = z.output<typeof task>;

const stored = z.object({ turnwire: z.literal('tasks'), tasks: z.array(task) });

/**
 * Tasks in a file. The file is a JSON list that is read at each use and replaced as a whole. When two processes write at the same time, the later write
 * replaces the other.
 */
export class TaskList {
  readonly #file: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws Error if the file is no task list. */
  async read(): Promise<readonly Task[]> {
    let text: string;
    try {
      const found = await readText(this.#file, 'the task list', fileLimit);
      if (found.cut > 0) throw new Error(`the task list ${this.#file} is larger than 1 MiB`);
      ({ text } = found);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    try {
      return stored.parse(JSON.parse(text)).tasks;
    } catch (error) {
      throw new Error(`${this.#file} holds no tasks of turnwire; give "path" another file`, { cause: error });
    }
  }

  /** Changes the list. Changes run one after another, so that each one sees the one before. */
  change<Result>(edit: (tasks: readonly Task[]) => { tasks: readonly Task[]; result: Result }): Promise<Result> {
    const next = this.#last.then(async () => {
      const { tasks, result } = edit(await this.read());
      await this.#write(tasks);
      return result;
    });
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #write(tasks: readonly Task[]): Promise<void> {
    const text = `${JSON.stringify({ turnwire: 'tasks', tasks }, undefined, 2)}\n`;
    if (Buffer.byteLength(text) > fileLimit) throw new Error('the task list is full; delete what is done');
    await mkdir(dirname(this.#file), { recursive: true });
    const draft = `${this.#file}.${process.pid}.tmp`;
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, this.#file);
  }
}

export function newTask(given: Pick<Task, 'title' | 'description' | 'priority' | 'dependencies'>): Task {
  const now = new Date().toISOString();
  return { id: randomUUID().slice(0, 8), status: 'pending', created: now, updated: now, ...given };
}

/** The ids of unfinished tasks that a task depends on. Such a task is blocked, whatever its own status. */
export function blockers({ dependencies }: Task, tasks: readonly Task[]): readonly string[] {
  return dependencies.filter((id) => tasks.find((other) => other.id === id)?.status !== 'done');
}

/** True where a task depends on itself, directly or through others. */
export function isCircular(id: string, tasks: readonly Task[]): boolean {
  const seen = new Set<string>();
  const visit = (at: string): boolean =>
    (tasks.find((each) => each.id === at)?.dependencies ?? []).some((next) => {
      if (next === id) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return visit(next);
    });
  return visit(id);
}
