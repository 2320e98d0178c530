import type { Agent } from '../config/agent.js';
import type { Config } from '../config/config.js';
import { toolsetTools } from './tools/toolsets.js';

/** Keys that are read and checked, and that no run acts on yet; each with the question whether an agent uses it. */
const keys: Readonly<Record<string, (agent: Agent) => boolean>> = {
  fallback: ({ fallback }) => fallback.models.length > 0,
  sub_agents: ({ subAgents }) => subAgents.length > 0,
  handoffs: ({ handoffs }) => handoffs.length > 0,
  add_date: ({ addDate }) => addDate,
  add_environment_info: ({ addEnvironmentInfo }) => addEnvironmentInfo,
  add_prompt_files: ({ addPromptFiles }) => addPromptFiles.length > 0,
  num_history_items: ({ numHistoryItems }) => numHistoryItems !== Infinity,
  max_consecutive_tool_calls: ({ maxConsecutiveToolCalls }) => maxConsecutiveToolCalls !== 5,
  commands: ({ commands }) => commands.size > 0,
  hooks: ({ hooks }) => Object.values(hooks).some((entries) => entries.length > 0),
};

/**
 * What an agent file asks for and a run would silently leave out: it has to be refused instead. Whoever implements one of these takes its
 * line away.
 */
export function unsupported({ agents, permissions }: Config): string[] {
  const found = [...agents.values()].flatMap((agent) => [
    ...Object.entries(keys).flatMap(([key, uses]) => (uses(agent) ? [`${key} of agent ${agent.name}`] : [])),
    ...agent.toolsets.flatMap((toolset) => wanting(toolset).map((what) => `${what} of agent ${agent.name}`)),
  ]);
  const rules = Object.values(permissions).some((entries) => entries.length > 0);
  return rules ? [...found, 'permissions'] : found;
}

function wanting({ type, ...settings }: Agent['toolsets'][number]): string[] {
  if (toolsetTools[type] === undefined) return [`the toolset ${type}`];
  return Object.keys(settings).map((key) => `${key} in the toolset ${type}`);
}
