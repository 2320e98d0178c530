import { z } from 'zod';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { blockers, isCircular, newTask, priority, status, type Task, TaskList } from './task-list.js';

const id = z.string().describe('As create_task gave it.');
const title = z.string().min(1).max(200);
const description = z.string().max(10_000);
const dependencies = z.array(z.string()).max(100).describe('The ids of tasks that have to be done first.');

/** Tasks that depend on one another, kept from session to session. */
export function tasksToolset(file: string): OpenToolset {
  const list = new TaskList(file);
  const edit = (wanted: string, change: (task: Task) => Task): Promise<string> =>
    list.change((tasks) => {
      find(tasks, wanted);
      const changed = tasks.map((task) =>
        task.id === wanted ? { ...change(task), updated: new Date().toISOString() } : task,
      );
      refuseWrong(changed, wanted);
      return { tasks: changed, result: show(find(changed, wanted), changed) };
    });
  return {
    instructions: 'Look at your tasks before you begin: next_task says what can be done now.',
    tools: [
      defineTool({
        name: 'create_task',
        description: 'Adds a task, and returns it with its id.',
        readOnly: false,
        input: z.object({
          title,
          description: description.default(''),
          priority: priority.default('medium'),
          dependencies: dependencies.default([]),
        }),
        run: (given) =>
          list.change((tasks) => {
            const added = newTask(given);
            const all = [...tasks, added];
            refuseWrong(all, added.id);
            return { tasks: all, result: show(added, all) };
          }),
      }),
      defineTool({
        name: 'get_task',
        description: 'Returns a task with all that is known of it.',
        readOnly: true,
        input: z.object({ id }),
        async run({ id: wanted }) {
          const tasks = await list.read();
          return show(find(tasks, wanted), tasks);
        },
      }),
      defineTool({
        name: 'update_task',
        description: 'Changes what is given of a task, and returns it.',
        readOnly: false,
        input: z.object({
          id,
          title: title.optional(),
          description: description.optional(),
          priority: priority.optional(),
          status: status.optional(),
          dependencies: dependencies.optional(),
        }),
        run: ({ id: wanted, ...given }) =>
          edit(wanted, (task): Task => ({ ...task, ...(defined(given) as Partial<Task>) })),
      }),
      defineTool({
        name: 'delete_task',
        description: 'Deletes a task; nothing waits for it any more.',
        readOnly: false,
        input: z.object({ id }),
        run: ({ id: wanted }) =>
          list.change((tasks) => {
            find(tasks, wanted);
            const left = tasks
              .filter((task) => task.id !== wanted)
              .map((task) => ({ ...task, dependencies: task.dependencies.filter((each) => each !== wanted) }));
            return { tasks: left, result: `Deleted ${wanted}.` };
          }),
      }),
      defineTool({
        name: 'list_tasks',
        description: 'Returns the tasks, the most urgent first and the blocked ones last, a line each.',
        readOnly: true,
        input: z.object({ status: status.optional(), priority: priority.optional() }),
        async run({ status: state, priority: urgency }) {
          const tasks = await list.read();
          const wanted = sorted(tasks).filter(
            (task) =>
              (state === undefined || stateOf(task, tasks) === state) &&
              (urgency === undefined || task.priority === urgency),
          );
          return wanted.map((task) => line(task, tasks)).join('\n') || 'There are no such tasks.';
        },
      }),
      defineTool({
        name: 'next_task',
        description: 'Returns the most urgent task that can be done now.',
        readOnly: true,
        input: z.object({}),
        async run() {
          const tasks = await list.read();
          const next = sorted(tasks).find((task) => ['pending', 'in_progress'].includes(stateOf(task, tasks)));
          return next === undefined ? 'Nothing can be done now.' : show(next, tasks);
        },
      }),
      defineTool({
        name: 'add_dependency',
        description: 'Makes a task wait until another one is done.',
        readOnly: false,
        input: z.object({ taskId: id, dependsOnId: id }),
        run: ({ taskId, dependsOnId }) =>
          edit(taskId, (task) => ({ ...task, dependencies: [...new Set([...task.dependencies, dependsOnId])] })),
      }),
      defineTool({
        name: 'remove_dependency',
        description: 'Lets a task wait for another one no more.',
        readOnly: false,
        input: z.object({ taskId: id, dependsOnId: id }),
        run: ({ taskId, dependsOnId }) =>
          edit(taskId, (task) => ({ ...task, dependencies: task.dependencies.filter((each) => each !== dependsOnId) })),
      }),
    ],
  };
}

function find(tasks: readonly Task[], id: string): Task {
  const task = tasks.find((each) => each.id === id);
  if (task === undefined) throw new Error(`there is no task ${id}; list_tasks shows them`);
  return task;
}

function refuseWrong(tasks: readonly Task[], id: string): void {
  for (const other of find(tasks, id).dependencies) find(tasks, other);
  if (isCircular(id, tasks)) throw new Error(`the task ${id} would wait for itself; nothing was changed`);
}

function stateOf(task: Task, tasks: readonly Task[]): Task['status'] {
  return task.status !== 'done' && blockers(task, tasks).length > 0 ? 'blocked' : task.status;
}

function sorted(tasks: readonly Task[]): Task[] {
  const rank = (task: Task): number =>
    priority.options.indexOf(task.priority) + (stateOf(task, tasks) === 'blocked' ? priority.options.length : 0);
  return [...tasks].sort((a, b) => rank(a) - rank(b));
}

function line(task: Task, tasks: readonly Task[]): string {
  const waits = blockers(task, tasks);
  const why = waits.length === 0 || task.status === 'done' ? '' : `, waits for ${waits.join(', ')}`;
  return `${task.id} [${stateOf(task, tasks)}${why}] (${task.priority}) ${task.title}`;
}

function show(task: Task, tasks: readonly Task[]): string {
  return task.description === '' ? line(task, tasks) : `${line(task, tasks)}\n${task.description}`;
}

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
