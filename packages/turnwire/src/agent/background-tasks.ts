import { messageOf, orAbort } from './base/abort.js';
import { firstCharacters } from './base/well-formed.js';
import type { AgentEvent } from './events.js';
import type { BackgroundWork, TaskOptions } from './tools/tool-host.js';
import { HeadAndTail } from './tools/commands/head-and-tail.js';

/** The most tasks at once. */
const mostRunning = 10;
/** The most tasks that are remembered, ended ones included. */
const mostTasks = 100;
/** The most bytes of a task's output that are kept. */
const outputLimit = 256 * 1024;
/** The most characters of each task's output in the answer to a wait. */
const mostWaitedFor = 4096;

interface Task {
  id: string;
  agent: string;
  prompt: string;
  begun: number;
  said: HeadAndTail;
  controller: AbortController;
  /** undefined while the task is running. */
  end: { kind: 'done' | 'failed' | 'stopped'; text: string; ms: number } | undefined;
  over: Promise<void>;
}

/** The background tasks of a session's agents. Their usage is passed on to the session; of their other events only the answers are kept. */
export class BackgroundTasks implements BackgroundWork {
  readonly #tasks = new Map<string, Task>();
  readonly #pass: (event: AgentEvent) => void;
  #count = 0;

  /** @param pass called with the events that concern the session, such as usage */
  constructor(pass: (event: AgentEvent) => void) {
    this.#pass = pass;
  }

  start(agent: string, prompt: string, work: (options: TaskOptions) => Promise<string>): string {
    const running = [...this.#tasks.values()].filter(({ end }) => end === undefined);
    if (running.length >= mostRunning)
      throw new Error(`${mostRunning} tasks run already; wait for one of them, or stop it`);
    for (const [id, { end }] of this.#tasks)
      if (end !== undefined && this.#tasks.size >= mostTasks) this.#tasks.delete(id);
    this.#count += 1;
    const task: Task = {
      id: `task_${this.#count}`,
      agent,
      prompt,
      begun: performance.now(),
      said: new HeadAndTail(outputLimit),
      controller: new AbortController(),
      end: undefined,
      over: Promise.resolve(),
    };
    this.#tasks.set(task.id, task);
    task.over = this.#work(task, work);
    return task.id;
  }

  async #work(task: Task, work: (options: TaskOptions) => Promise<string>): Promise<void> {
    const emit = (event: AgentEvent): Promise<void> => {
      if (event.type === 'agent_choice') task.said.add(Buffer.from(event.content));
      if (event.type === 'token_usage' || event.type === 'warning') this.#pass(event);
      return Promise.resolve();
    };
    const ms = (): number => Math.round(performance.now() - task.begun);
    try {
      const text = await work({ signal: task.controller.signal, emit });
      task.end = { kind: 'done', text, ms: ms() };
    } catch (error) {
      const kind = task.controller.signal.aborted ? 'stopped' : 'failed';
      task.end = { kind, text: kind === 'stopped' ? '' : messageOf(error), ms: ms() };
    }
  }

  list(): string {
    if (this.#tasks.size === 0) return 'There are no tasks.';
    return [...this.#tasks.values()].map((task) => `${headline(task)}: ${task.prompt.split('\n', 1)[0]}`).join('\n');
  }

  view(id: string): string {
    const task = this.#find(id);
    if (task.end === undefined || task.end.kind === 'stopped')
      return `${headline(task)}\n${task.said.toString()}`.trim();
    return `${headline(task)}\n${task.end.text}`.trim();
  }

  async stop(id: string): Promise<string> {
    const task = this.#find(id);
    task.controller.abort(new Error('the task was stopped'));
    await task.over;
    return headline(task);
  }

  async wait(
    ids: readonly string[],
    { signal, until }: { signal: AbortSignal; until: AbortSignal },
  ): Promise<{ answer: string; unknown: boolean }> {
    const tasks = ids.map((id) => ({ id, task: this.#tasks.get(id) }));
    const ended = Promise.all(tasks.flatMap(({ task }) => (task === undefined ? [] : [task.over])));
    try {
      await orAbort(ended, AbortSignal.any([signal, until]), 0);
    } catch {
      signal.throwIfAborted();
    }
    const unknown = tasks.some(({ task }) => task === undefined);
    const unfinished = tasks.some(({ task }) => task !== undefined && task.end === undefined);
    const answer = {
      all_done: !unknown && !unfinished,
      ...(unfinished ? { timed_out: true } : {}),
      tasks: tasks.map(({ id, task }) => ({ task_id: id, ...(task === undefined ? notFound : stateOf(task)) })),
    };
    return { answer: JSON.stringify(answer), unknown };
  }

  /** Ends all tasks. Never rejects. */
  async close(): Promise<void> {
    for (const { controller } of this.#tasks.values()) controller.abort(new Error('the session has ended'));
    await Promise.all([...this.#tasks.values()].map(({ over }) => over));
  }

  #find(id: string): Task {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new Error(`there is no task ${id}; list_background_agents shows them`);
    return task;
  }
}

const notFound = { status: 'not_found', done: false };
const statuses = { done: 'completed', failed: 'failed', stopped: 'stopped' };

/** The state of a task in docker-agent's words. */
function stateOf({ end, said }: Task): Record<string, unknown> {
  const text = end === undefined || end.kind === 'stopped' ? said.toString() : end.text;
  const shown = firstCharacters(text, mostWaitedFor);
  return {
    status: end === undefined ? 'running' : statuses[end.kind],
    done: end !== undefined,
    ...(shown === '' ? {} : { [end?.kind === 'failed' ? 'error' : 'output']: shown }),
    ...(shown.length < text.length ? { truncated: true } : {}),
  };
}

function headline({ id, agent, end, begun }: Task): string {
  const seconds = Math.round((end?.ms ?? performance.now() - begun) / 1000);
  return `${id} of ${agent}, ${end?.kind ?? 'running'}, ${seconds} s`;
}
