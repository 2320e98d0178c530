import { messageOf } from './base/abort.js';
import type { AgentEvent } from './events.js';
import type { BackgroundWork, TaskOptions } from './tools/tool-host.js';
import { HeadAndTail } from './tools/commands/head-and-tail.js';

/** Tasks at once. */
const mostRunning = 10;
/** Tasks that are remembered, those that have ended included. */
const mostTasks = 100;
/** What is kept of what one says, in bytes. */
const outputLimit = 256 * 1024;

interface Task {
  id: string;
  agent: string;
  prompt: string;
  begun: number;
  said: HeadAndTail;
  controller: AbortController;
  /** Undefined while it is worked on. */
  end: { kind: 'done' | 'failed' | 'stopped'; text: string; ms: number } | undefined;
  over: Promise<void>;
}

/** The tasks that the agents of a session do in the background. What they cost is passed on; of the rest, what they say is kept. */
export class BackgroundTasks implements BackgroundWork {
  readonly #tasks = new Map<string, Task>();
  readonly #pass: (event: AgentEvent) => void;
  #count = 0;

  /** @param pass told of the events that are the session's, such as what was used up */
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

  /** Ends all of them. Never rejects. */
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

function headline({ id, agent, end, begun }: Task): string {
  const seconds = Math.round((end?.ms ?? performance.now() - begun) / 1000);
  return `${id} of ${agent}, ${end?.kind ?? 'running'}, ${seconds} s`;
}
