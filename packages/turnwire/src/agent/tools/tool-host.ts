import type { Model } from '../../config/models/model.js';
import type { AgentEvent } from '../events.js';

/** What a tool can ask of the conversation that it is called in. */
export interface ToolHost {
  /** The id of the session. */
  readonly sessionId: string;
  /** Lets another agent do a task in a conversation of its own; resolves to its answer. */
  delegate(task: DelegatedTask, options: TaskOptions): Promise<string>;
  /** Asks the guards of skills before a text of one is told. @throws Error where one of them does not say yes. */
  approveSkill(skill: SkillContent, signal: AbortSignal): Promise<void>;
  /** The tasks that agents do in the background of this session. */
  readonly background: BackgroundWork;
  /** The agent goes by another model until it is told otherwise; undefined: by its own. */
  pickModel(model: Model | undefined): void;
  /** Something is begun whose end the agent is to be told of: call what is returned with the words. The run waits for it. */
  expect(): (text: string) => void;
}

/** A text of a skill, as the model would be told. */
export interface SkillContent {
  name: string;
  /** The file that it comes from; absent for the instructions of a skill that is in no file. */
  path?: string | undefined;
  content: string;
}

export interface DelegatedTask {
  /** Who does it; undefined: the agent itself, with a history of its own. */
  to: string | undefined;
  prompt: string;
  /** Its system prompt. @default the one of the agent */
  instructions?: string | undefined;
  /** @default the one of the agent */
  model?: Model | undefined;
}

export interface TaskOptions {
  signal: AbortSignal;
  /** Told what happens; resolves once it has been read. @default nobody listens */
  emit?: ((event: AgentEvent) => Promise<void>) | undefined;
}

/** Tasks that are done while their giver goes on. */
export interface BackgroundWork {
  /** Begins a task and returns its id. @throws Error if there are too many. */
  start(agent: string, prompt: string, work: (options: TaskOptions) => Promise<string>): string;
  list(): string;
  /** @throws Error if there is none of that id. */
  view(id: string): string;
  stop(id: string): Promise<string>;
}
