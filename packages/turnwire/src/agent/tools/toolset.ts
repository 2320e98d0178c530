import type { Tool } from './tool.js';
import type { Variables } from './commands/command.js';
import type { Workspace } from './files/workspace.js';

/** A toolset of an agent that is ready to be used. */
export interface OpenToolset {
  tools: readonly Tool[];
  /** Told to the model besides what the tools say of themselves. @default nothing */
  instructions?: string | undefined;
  /** All that it remembers, as a text for the model; empty for nothing. @default it remembers nothing */
  recall?: (() => Promise<string>) | undefined;
  /** Tools that are there and cannot be offered; why has been told. @default none */
  unusable?: readonly string[] | undefined;
  /** Ends what it has started. Never rejects, and takes a few seconds at most. */
  close?: () => Promise<void>;
}

/** What toolsets are opened with. */
export interface ToolsetOptions {
  /** The folder the tools work in, and do not leave. */
  directory: string;
  /** What commands see of the environment. Leave out keys: the model could print them. */
  env: Variables;
  /** A secret that the file names, as `${env.NAME}`. @default none is known, so that such a value is refused */
  secret?: ((name: string) => Promise<string>) | undefined;
  /** Puts a question of the agent's to the user; undefined if there is no answer. @default there is nobody to ask */
  askUser?: ((question: string, options: { signal: AbortSignal }) => Promise<string | undefined>) | undefined;
  /** Opens an address in the browser of the user. @throws Error if it cannot be opened. @default by the program of the system for that */
  browse?: ((address: string) => Promise<void>) | undefined;
  /** Where `memory` is kept if the file does not say. @default it has to say */
  memoryFile?: string | undefined;
  /** Where `tasks` are kept if the file does not say. @default it has to say */
  tasksFile?: string | undefined;
  /** Where plans and sessions are kept. @default nowhere */
  home?: string | undefined;
  /** Who the agent may give tasks to. @default nobody */
  subAgents?: readonly string[] | undefined;
  /** The address of the Docker MCP catalog. @default where Docker publishes it */
  dockerCatalog?: string | undefined;
  /** Ends the start of servers. @default nothing but its limits */
  opening?: AbortSignal | undefined;
  /** Told of what goes wrong with a toolset in passing, in one sentence. @default nobody */
  warn?: ((message: string) => void) | undefined;
}

/** The same, as one toolset gets it. */
export interface Surroundings extends ToolsetOptions {
  workspace: Workspace;
  /** Replaces `${env.NAME}` in variables and headers. */
  expand: (values: Readonly<Record<string, string>> | undefined) => Promise<Record<string, string>>;
  /** The list of all agents of the file that share one. */
  sharedList: TodoList;
}

/** Things to do, in their order. */
export type TodoList = Map<string, { description: string; status: 'pending' | 'in-progress' | 'completed' }>;
