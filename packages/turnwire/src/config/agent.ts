import { commandProblem } from './command-prompt.js';
import { findModel, type Model, type Models } from './model.js';
import { nearest } from './nearest.js';
import { type Problem, show } from './problem.js';
import { agentSchema, type AgentDefinition } from './schema/agent.js';
import { type Command, readCommands } from './schema/commands.js';
import type { Hooks } from './schema/hooks.js';
import type { StructuredOutput } from './schema/structured-output.js';
import { type McpServers, readToolset, type SharedToolsets, sharedToolsets, type Toolset } from './toolset.js';
import type { Path, YamlFile } from './yaml-file.js';

/** An agent that was understood completely; what other agents, models and servers it names is there. */
export interface Agent {
  name: string;
  model: Model;
  fallback: Fallback;
  /** What it is for, as other agents are told; empty if the file does not say. */
  description: string;
  /** The system prompt; empty if there is none. */
  instruction: string;
  /** Shown before the first prompt; empty if there is none. */
  welcomeMessage: string;
  toolsets: readonly Toolset[];
  /** Whether the first turn on a prompt calls tools: `auto`, `none`, `required`, or the name of a tool. Undefined: not sent. */
  toolChoice: string | undefined;
  /** Names of agents it may give a task to. */
  subAgents: readonly string[];
  /** Names of agents it may give the conversation to. */
  handoffs: readonly string[];
  addDate: boolean;
  addEnvironmentInfo: boolean;
  addPromptFiles: readonly string[];
  /** Turns of one run at most; Infinity: no limit. */
  maxIterations: number;
  /** Items of the history that are sent at most; Infinity: all. */
  numHistoryItems: number;
  /** So many identical calls in a row end the run. */
  maxConsecutiveToolCalls: number;
  /** Prompts by name, without the slash. */
  commands: ReadonlyMap<string, Command>;
  structuredOutput: StructuredOutput | undefined;
  hooks: Hooks;
}

/** What happens when an agent's model fails. */
export interface Fallback {
  /** Tried in this order after the agent's own. */
  models: readonly Model[];
  /** Further attempts with each model. */
  retries: number;
  /** How long a fallback that works is kept, in milliseconds. */
  cooldownMs: number;
  /** Whether 429 is repeated, too. */
  retryRateLimits: boolean;
}

/** What agents are resolved against. */
export interface Surroundings {
  models: Models;
  servers: McpServers;
  /** The toolsets at the top of the file. */
  toolsets: SharedToolsets;
  /** The names of all agents of the file. */
  agents: readonly string[];
}

const defaultRetries = 2;
const defaultRepetitions = 5;

/** Reads the agent `name` of a file; undefined where anything is wrong with it. All that the shape does not show is added to `problems`. */
export function readAgent(
  file: YamlFile,
  name: string,
  value: unknown,
  around: Surroundings,
  problems: Problem[],
): Agent | undefined {
  const path = ['agents', name];
  const before = problems.length;
  const shape = agentSchema.safeParse(value);
  // References are checked also where another key of the agent is wrong.
  const written = shape.success ? shape.data : references(value);
  const find = (reference: string, at: Path): Model | undefined => {
    const read = findModel(file, reference, at, around.models);
    if (read !== undefined && 'problem' in read) problems.push(read.problem);
    return read !== undefined && 'model' in read ? read.model : undefined;
  };
  const model = written.model === undefined ? undefined : find(written.model, [...path, 'model']);
  const models = written.fallback.models.map((each, index) => find(each, [...path, 'fallback', 'models', index]));
  for (const key of ['sub_agents', 'handoffs'] as const) {
    for (const [index, other] of written[key].entries()) {
      const problem = wrongAgent(name, other, around.agents);
      if (problem !== undefined) problems.push(file.problem(problem, [...path, key, index]));
    }
  }
  if (!shape.success) return undefined;
  const toolsets: Toolset[] = [];
  let complete = model !== undefined && models.every((each) => each !== undefined);
  const shared = sharedToolsets(file, [...path, 'use_toolsets'], shape.data.use_toolsets, around.toolsets, problems);
  const own = shape.data.toolsets.map((toolset, index) => ({ toolset, at: [...path, 'toolsets', index] }));
  for (const { toolset, at } of [...own, ...shared]) {
    const read = readToolset(file, at, toolset, around.servers);
    if (Array.isArray(read)) {
      problems.push(...read);
      complete = false;
    } else {
      toolsets.push(read);
    }
  }
  for (const [command, { instruction }] of readCommands(shape.data.commands)) {
    const problem = commandProblem(instruction);
    if (problem !== undefined) problems.push(file.problem(problem, [...path, 'commands', command]));
  }
  if (model === undefined || !complete || problems.length > before) return undefined;
  return resolved(name, shape.data, { model, models: models.filter((each) => each !== undefined), toolsets });
}

interface Found {
  model: Model;
  models: readonly Model[];
  toolsets: readonly Toolset[];
}

function resolved(name: string, written: AgentDefinition, { model, models, toolsets }: Found): Agent {
  const { fallback } = written;
  return {
    name,
    model,
    fallback: {
      models,
      retries: fallback.retries === 0 ? defaultRetries : Math.max(0, fallback.retries),
      cooldownMs: fallback.cooldown,
      retryRateLimits: fallback.retry_rate_limits,
    },
    description: written.description,
    instruction: written.instruction,
    welcomeMessage: written.welcome_message,
    toolsets: written.readonly ? toolsets.map((toolset) => ({ ...toolset, readonly: true })) : toolsets,
    toolChoice: written.tool_choice,
    subAgents: written.sub_agents,
    handoffs: written.handoffs,
    addDate: written.add_date,
    addEnvironmentInfo: written.add_environment_info,
    addPromptFiles: written.add_prompt_files,
    maxIterations: written.max_iterations || Infinity,
    numHistoryItems: written.num_history_items || Infinity,
    maxConsecutiveToolCalls: written.max_consecutive_tool_calls || defaultRepetitions,
    commands: readCommands(written.commands),
    structuredOutput: written.structured_output,
    hooks: written.redact_secrets ? redacting(written.hooks) : written.hooks,
  };
}

const redaction = { type: 'builtin', command: 'redact_secrets', timeout: 60, on_error: 'warn' } as const;

/** The hooks of an agent with those that `redact_secrets` stands for. */
function redacting(hooks: Hooks): Hooks {
  const ofTools = { matcher: '*', hooks: [redaction] };
  return {
    ...hooks,
    tool_input_transform: [...hooks.tool_input_transform, ofTools],
    before_llm_call: [...hooks.before_llm_call, redaction],
    tool_response_transform: [...hooks.tool_response_transform, ofTools],
  };
}

function wrongAgent(name: string, other: string, agents: readonly string[]): string | undefined {
  if (other === name) return 'an agent cannot be one of its own; remove it';
  if (agents.includes(other)) return undefined;
  if (/[/:]/.test(other)) return `agents from elsewhere (${show(other)}) are docker-agent's, and not supported yet`;
  const guess = nearest(other, agents);
  return `there is no agent ${show(other)}; ${guess === undefined ? 'define it under "agents"' : `did you mean ${show(guess)}?`}`;
}

/** The names in an agent whose shape is wrong, as far as they are names. */
function references(value: unknown): {
  model: string | undefined;
  fallback: { models: string[] };
  sub_agents: string[];
  handoffs: string[];
} {
  const at = (inner: unknown, key: string): unknown =>
    typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? Reflect.get(inner, key) : undefined;
  const namesAt = (found: unknown): string[] =>
    Array.isArray(found) && found.every((each) => typeof each === 'string' && each !== '') ? found : [];
  const model = at(value, 'model');
  return {
    model: typeof model === 'string' && model !== '' ? model : undefined,
    fallback: { models: namesAt(at(at(value, 'fallback'), 'models')) },
    sub_agents: namesAt(at(value, 'sub_agents')),
    handoffs: namesAt(at(value, 'handoffs')),
  };
}
