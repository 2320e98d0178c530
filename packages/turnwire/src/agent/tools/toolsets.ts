import { join, resolve } from 'node:path';
import { nearest } from '../../config/file/nearest.js';
import { expand, namesIn } from '../../config/variables/references.js';
import type { Toolset } from '../../config/toolset.js';
import { calculatorToolset } from './everyday/calculator.js';
import { datetimeToolset } from './everyday/datetime.js';
import { gitToolset } from './everyday/git.js';
import { openUrlToolset } from './everyday/open-url.js';
import { randomToolset } from './everyday/random.js';
import { tasksToolset } from './everyday/tasks.js';
import { fetchToolset } from './web/fetch.js';
import { filesystemToolset } from './files/filesystem.js';
import { memoryFileFor } from './notes/memory-file.js';
import { memoryToolset } from './notes/memory.js';
import { withResultFormat } from './result-format.js';
import { scriptToolset } from './commands/script.js';
import { aboutDeferred, isDeferringName } from './deferred.js';
import { backgroundAgentsToolset } from './session/background-agents.js';
import { modelPickerToolset } from './session/model-picker.js';
import { sessionContextToolset } from './session/session-context.js';
import { sessionPlanToolset } from './session/session-plan.js';
import { backgroundJobsToolset, shellToolset } from './commands/shell.js';
import { thinkToolset } from './notes/think.js';
import { todoToolset } from './notes/todo.js';
import type { Tool } from './tool.js';
import type { OpenToolset, Surroundings, TodoList, ToolsetOptions } from './toolset.js';
import { userPromptToolset } from './user-prompt.js';
import { openWorkspace } from './files/workspace.js';

type Type = Toolset['type'];
type Opener<Kind extends Type> = (
  settings: Extract<Toolset, { type: Kind }>,
  surroundings: Surroundings,
) => OpenToolset | Promise<OpenToolset>;

const openers: { readonly [Kind in Type]: Opener<Kind> } = {
  filesystem: filesystemToolset,
  shell: async ({ env, safer }, { workspace, env: outer, expand: expandAll }) =>
    shellToolset({ workspace, env: { ...outer, ...(await expandAll(env)) }, safer }),
  background_jobs: async ({ env, safer, recall }, { workspace, env: outer, expand: expandAll }) =>
    backgroundJobsToolset({ workspace, env: { ...outer, ...(await expandAll(env)) }, safer }, recall === true),
  fetch: async (settings, { expand: expandAll }) => fetchToolset(settings, await expandAll(settings.headers)),
  think: thinkToolset,
  todo: ({ shared }, { sharedList }) => todoToolset(shared === true ? sharedList : new Map()),
  memory: async ({ path }, { directory, memoryFile, warn }) => {
    const file = path === undefined ? memoryFile : await memoryFileFor(resolve(directory, path), warn);
    if (file === undefined) throw new Error('there is no place for the memory; give the toolset a "path"');
    return memoryToolset(file);
  },
  script: scriptToolset,
  user_prompt: (_settings, { askUser }) => userPromptToolset(askUser),
  datetime: () => datetimeToolset(),
  calculator: () => calculatorToolset(),
  random: () => randomToolset(),
  git: (_settings, surroundings) => gitToolset(surroundings),
  open_url: openUrlToolset,
  tasks: ({ path }, { directory, tasksFile }) => {
    const file = path === undefined ? tasksFile : resolve(directory, path);
    if (file === undefined) throw new Error('there is no place for the tasks; give the toolset a "path"');
    return tasksToolset(file);
  },
  model_picker: modelPickerToolset,
  background_agents: (_settings, { subAgents = [] }) => backgroundAgentsToolset(subAgents),
  session_plan: (_settings, { home }) => sessionPlanToolset(home === undefined ? undefined : join(home, 'plans')),
  session_context: (_settings, { home }) =>
    sessionContextToolset(home === undefined ? undefined : join(home, 'sessions')),
  // Loaded on demand: it brings an HTTP client along, which most agents do not need.
  mcp: async (settings, surroundings) => (await import('./mcp/toolset.js')).mcpToolset(settings, surroundings),
};

/** All tools of an agent. */
export interface Toolbox {
  tools: readonly Tool[];
  /** Instructions for the model besides the descriptions of the tools; empty for none. */
  instructions: string;
  /** Everything that the toolsets remember, for the model; empty for nothing. */
  recall: () => Promise<string>;
  /** Ends everything that the tools have started: background commands, MCP servers. */
  close: () => Promise<void>;
}

/**
 * Opens the toolsets of an agent; each tool name exists once.
 *
 * @throws Error that says which toolset cannot be opened and why; toolsets that were open are closed again
 */
export async function openTools(
  toolsets: readonly Toolset[],
  options: ToolsetOptions,
  sharedList: TodoList = new Map(),
): Promise<Toolbox> {
  const surroundings = {
    ...options,
    workspace: openWorkspace(options.directory),
    expand: expander(options),
    sharedList,
  };
  const settled = await Promise.allSettled(
    toolsets.map(async (toolset) => offered(toolset, await open(toolset, surroundings))),
  );
  const opened = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(async (toolset) => toolset.close?.()));
  };
  try {
    for (const each of settled) if (each.status === 'rejected') throw each.reason;
    const tools = distinct(opened);
    const defers = tools.some(({ deferred }) => deferred === true);
    const strayed = defers ? tools.find(({ name }) => isDeferringName(name)) : undefined;
    if (strayed !== undefined)
      throw new Error(`${strayed.name} is the tool that adds deferred ones; call the other one differently`);
    return {
      tools,
      instructions: [...opened.map(({ instructions = '' }) => instructions), defers ? aboutDeferred : '']
        .filter((text) => text !== '')
        .join('\n\n'),
      recall: async () => {
        const parts = await Promise.all(opened.map(async ({ recall }) => recall?.()));
        return parts.filter((text) => text !== undefined && text !== '').join('\n');
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open<Kind extends Type>(
  toolset: Extract<Toolset, { type: Kind }>,
  surroundings: Surroundings,
): Promise<OpenToolset> {
  const opener: Opener<Kind> = openers[toolset.type];
  return opener(toolset, surroundings);
}

/** Applies the settings that every toolset has: `tools`, `instruction`, `defer`, and for turnwire's own `readonly`. */
function offered(toolset: Toolset, opened: OpenToolset): OpenToolset {
  const all = chosen(toolset, opened);
  const { defer = false } = toolset;
  const waits = (tool: Tool): boolean =>
    typeof defer === 'boolean' ? defer : defer.some((name) => isCalled(tool, name));
  const found = {
    ...all,
    tools: all.tools.map((tool) => withResultFormat(waits(tool) ? { ...tool, deferred: true } : tool, toolset)),
  };
  const reads = 'readonly' in toolset && toolset.readonly === true;
  return reads ? { ...found, tools: found.tools.filter(({ readOnly }) => readOnly) } : found;
}

/** True where a tool has this name. An MCP server's own names of its tools do not have the prefix that the file gives them. */
function isCalled(tool: Tool, name: string): boolean {
  return tool.name === name || tool.alias?.endsWith(`:${name}`) === true;
}

function chosen({ type, tools: wanted, defer, instruction }: Toolset, opened: OpenToolset): OpenToolset {
  const instructions =
    instruction === undefined
      ? opened.instructions
      : instruction.replaceAll('{ORIGINAL_INSTRUCTIONS}', () => opened.instructions ?? '').trim();
  for (const name of [...(wanted ?? []), ...(Array.isArray(defer) ? defer : [])]) {
    if (opened.tools.some((tool) => isCalled(tool, name)) || opened.unusable?.includes(name) === true) continue;
    const names = opened.tools.map((tool) => tool.name);
    const guess = nearest(name, names);
    void opened.close?.();
    throw new Error(
      `the toolset ${type} has no tool ${name}; ${guess === undefined ? `it has ${names.join(', ')}` : `did you mean ${guess}?`}`,
    );
  }
  const tools =
    wanted === undefined ? opened.tools : opened.tools.filter((tool) => wanted.some((name) => isCalled(tool, name)));
  return { ...opened, instructions, tools };
}

function distinct(toolsets: readonly OpenToolset[]): Tool[] {
  const tools = new Map<string, Tool>();
  for (const tool of toolsets.flatMap((toolset) => toolset.tools)) {
    const other = tools.get(tool.name);
    // The same toolset twice is harmless. Two servers with tools of one name are not: it would not be clear which one runs.
    if (other !== undefined && (other.alias ?? '') !== (tool.alias ?? ''))
      throw new Error(`two toolsets have a tool ${tool.name}; give the MCP servers names`);
    tools.set(tool.name, other ?? tool);
  }
  return [...tools.values()];
}

/** Replaces `${env.NAME}` in values of the file. */
export function expander({ secret }: Pick<ToolsetOptions, 'secret'>): Surroundings['expand'] {
  return async (values = {}) => {
    const expanded: Record<string, string> = {};
    for (const [key, value] of Object.entries(values)) {
      if (secret === undefined && namesIn(value).length > 0)
        throw new Error(`${key} names a secret, and none is known here`);
      expanded[key] = await expand(value, async (name) => (await secret?.(name)) ?? '');
    }
    return expanded;
  };
}
