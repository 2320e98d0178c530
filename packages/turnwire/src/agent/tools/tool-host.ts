import type { Model } from '../../config/models/model.js';
import type { AgentEvent } from '../events.js';

/** The conversation that calls a tool, as far as the tool can use it. */
export interface ToolHost {
  /** The id of the session. */
  readonly sessionId: string;
  /** Gives a task to another agent, in a conversation of its own; resolves to the answer. */
  delegate(task: DelegatedTask, options: TaskOptions): Promise<string>;
  /** Runs the hooks that guard skills, before the model is given a text of one. @throws Error where one of them does not approve. */
  approveSkill(skill: SkillContent, signal: AbortSignal): Promise<void>;
  /** The background tasks of this session. */
  readonly background: BackgroundWork;
  /** Makes the agent use another model until the next such call; undefined: its own. */
  pickModel(model: Model | undefined): void;
  /**
   * Makes a call of another tool, which passes rules, hooks and questions like one of the model's; resolves to what the model would be told, and
   * whether the tool has done it.
   *
   * @throws what ends the run
   */
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: TaskOptions,
  ): Promise<{ output: string; done: boolean }>;
  /** Notes that work has begun whose end the agent is to be told. Call the returned function with the text. The run waits for it. */
  expect(): (text: string) => void;
}

/** A text of a skill, as the model would be given it. */
export interface SkillContent {
  name: string;
  /** The file of the text; absent for instructions that are in no file. */
  path?: string | undefined;
  content: string;
}

export interface DelegatedTask {
  /** The agent that does the task; undefined: this agent, with a history of its own. */
  to: string | undefined;
  prompt: string;
  /** The system prompt. @default that of the agent */
  instructions?: string | undefined;
  /** The model. @default that of the agent */
  model?: Model | undefined;
}

export interface TaskOptions {
  signal: AbortSignal;
  /** Called with each event; resolves once it was read. @default the events are dropped */
  emit?: ((event: AgentEvent) => Promise<void>) | undefined;
}

/** Tasks that are done while the agent that gave them goes on. */
export interface BackgroundWork {
  /** Begins a task and returns its id. @throws Error if there are too many. */
  start(agent: string, prompt: string, work: (options: TaskOptions) => Promise<string>): string;
  list(): string;
  /** @throws Error for an unknown id. */
  view(id: string): string;
  stop(id: string): Promise<string>;
  /**
   * Waits until all these tasks have ended, or `until` fires. Resolves to a JSON text with what became of each, and whether one of them is unknown.
   *
   * @throws the reason of `signal`; the tasks go on
   */
  wait(
    ids: readonly string[],
    options: { signal: AbortSignal; until: AbortSignal },
  ): Promise<{ answer: string; unknown: boolean }>;
}
