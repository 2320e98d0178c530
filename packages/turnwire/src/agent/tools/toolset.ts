import type { Tool } from './tool.js';
import type { Variables } from './commands/command.js';
import type { Workspace } from './files/workspace.js';

/** The open toolset of an agent. */
export interface OpenToolset {
  tools: readonly Tool[];
  /** Instructions for the model besides the descriptions of the tools. @default none */
  instructions?: string | undefined;
  /** Everything that the toolset remembers, as a text for the model; empty for nothing. @default it remembers nothing */
  recall?: (() => Promise<string>) | undefined;
  /** Tools that cannot be offered; a warning has given the reason. @default none */
  unusable?: readonly string[] | undefined;
  /** Ends everything that the toolset has started. Never rejects, and takes a few seconds at most. */
  close?: () => Promise<void>;
}

/** The surroundings of an agent's toolsets. */
export interface ToolsetOptions {
  /** The folder that the tools work in, and do not leave. */
  directory: string;
  /** The environment of commands. Leave out keys: the model could print them. */
  env: Variables;
  /** Reads a secret that the file names as `${env.NAME}`. @default secrets are unknown, so that such a value is refused */
  secret?: ((name: string) => Promise<string>) | undefined;
  /** Asks the user a question of the agent; undefined without an answer. @default the user cannot be asked */
  askUser?: ((question: string, options: { signal: AbortSignal }) => Promise<string | undefined>) | undefined;
  /** Opens an address in the user's browser. @throws Error if it cannot be opened. @default by the program of the system for that */
  browse?: ((address: string) => Promise<void>) | undefined;
  /** The file of `memory`, where the agent file does not name one. @default the agent file has to name one */
  memoryFile?: string | undefined;
  /** The file of `tasks`, where the agent file does not name one. @default the agent file has to name one */
  tasksFile?: string | undefined;
  /** The folder of plans and sessions. @default none is kept */
  home?: string | undefined;
  /** The agents that may be given tasks. @default none */
  subAgents?: readonly string[] | undefined;
  /** The address of the Docker MCP catalog. @default where Docker publishes it */
  dockerCatalog?: string | undefined;
  /** Aborts the start of servers. @default only their limits do */
  opening?: AbortSignal | undefined;
  /** Called with a sentence about a fault of a toolset that does not stop it. @default the sentence is dropped */
  warn?: ((message: string) => void) | undefined;
}

/** The surroundings of one toolset. */
export interface Surroundings extends ToolsetOptions {
  workspace: Workspace;
  /** Replaces `${env.NAME}` in variables and headers. */
  expand: (values: Readonly<Record<string, string>> | undefined) => Promise<Record<string, string>>;
  /** The list of things to do that all agents with a shared list have in common. */
  sharedList: TodoList;
}

/** Things to do by their ids, in their order. */
export type TodoList = Map<string, { description: string; status: 'pending' | 'in-progress' | 'completed' }>;
