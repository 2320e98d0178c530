import type { Budget } from './budgets.js';
import { commandProblem, urlProblem } from './command-prompt.js';
import { findModel, type Model, type Models } from './models/model.js';
import { nearest } from './file/nearest.js';
import { type Problem, show } from './file/problem.js';
import { agentSchema, type AgentDefinition } from './schema/agents/agent.js';
import { type Command, readCommands } from './schema/agents/commands.js';
import { allHooks, type Hooks } from './schema/agents/hooks.js';
import type { SkillsDefinition } from './schema/agents/skills.js';
import type { StructuredOutput } from './schema/agents/structured-output.js';
import { toolChoiceProblem } from './tool-choice.js';
import { readSkills, type Skills } from './skills.js';
import {
  type McpServers,
  namesOf,
  readToolset,
  type SharedToolsets,
  sharedToolsets,
  type Toolset,
  type ToolsetLinks,
} from './toolset.js';
import { calledNames, isToolName } from './variables/template.js';
import type { Path, YamlFile } from './file/yaml-file.js';

/** An agent of a file after all its checks: the agents, models and servers that it names exist. */
export interface Agent {
  name: string;
  model: Model;
  /** The models that take turns with each other, `model` first; empty where the agent has a single model. */
  alternates: readonly Model[];
  fallback: Fallback;
  /** The purpose of the agent, as other agents are told; empty if the file does not say. */
  description: string;
  /** The system prompt; empty if there is none. */
  instruction: string;
  /** The text before the first prompt; empty if there is none. */
  welcomeMessage: string;
  toolsets: readonly Toolset[];
  /** Whether the first turn on a prompt calls tools: `auto`, `none`, `required`, or the name of a tool. undefined: the field is not sent. */
  toolChoice: string | undefined;
  /** Names of the agents that this one may give tasks to. */
  subAgents: readonly string[];
  /** Names of the agents that this one may give the conversation to. */
  handoffs: readonly string[];
  /** The agent that goes on whenever this one has answered; undefined: none. */
  forceHandoff: string | undefined;
  addDate: boolean;
  addEnvironmentInfo: boolean;
  addPromptFiles: readonly string[];
  /** The levels of folders below the working directory in which files of these names are looked for. */
  addPromptFilesDepth: number;
  /** True where the content of the agent's memory is put into the prompt. */
  injectMemories: boolean;
  /** True where the model says with each call what the call is for. */
  describesCalls: boolean;
  /** True where the agent's tools are functions of one tool that runs scripts. */
  codeMode: boolean;
  /** The most turns of one run; Infinity: no limit. */
  maxIterations: number;
  /** The most items of the history that are sent; Infinity: all. */
  numHistoryItems: number;
  /** The number of identical calls in a row that ends a run. */
  maxConsecutiveToolCalls: number;
  /** The most tokens of a result that the model is given; Infinity: all. */
  maxToolResultTokens: number;
  /** The most tokens of earlier results that are sent again; Infinity: all. */
  maxOldToolCallTokens: number;
  /** True where a history that is too long is compacted without being asked. */
  sessionCompaction: boolean;
  /** The part of the context window at which the history is compacted, where the model does not say. */
  compactionThreshold: number;
  /** The model that sums up the history; undefined: the one that the agent's model names. */
  compactionModel: Model | undefined;
  /** The named budgets that this agent's work counts for. */
  budgets: readonly Budget[];
  /** The cache of answers; undefined: no answer is kept. */
  cache: AnswerCache | undefined;
  skills: Skills;
  /** Prompts by name, without the slash. */
  commands: ReadonlyMap<string, Command>;
  structuredOutput: StructuredOutput | undefined;
  hooks: Hooks;
  /** The models that the agent's hooks ask, by the names that the hooks have for them. */
  hookModels: ReadonlyMap<string, Model>;
}

/** A cache that gives the earlier answer to a question that is asked again. */
export interface AnswerCache {
  caseSensitive: boolean;
  trimSpaces: boolean;
  /** The file of the cache, relative to the agent file; undefined: it is kept in memory. */
  path: string | undefined;
}

/** The fallbacks for an agent's model. */
export interface Fallback {
  /** The models to try after the agent's own, in this order. */
  models: readonly Model[];
  /** Further attempts with each model. */
  retries: number;
  /** The time for which a fallback that works is kept, in milliseconds. */
  cooldownMs: number;
  /** True where an answer of 429 is tried again, too. */
  retryRateLimits: boolean;
}

/** The parts of a file that its agents may refer to. */
export interface FileParts {
  models: Models;
  servers: McpServers;
  /** The toolsets at the top of the file. */
  toolsets: SharedToolsets;
  /** The names of all agents of the file. */
  agents: readonly string[];
  /** The named parts at the top of the file. */
  shared: SharedParts;
  /** The texts of `instruction_file`, by agent. */
  instructions: ReadonlyMap<string, string>;
}

/** Parts of the file that agents take by name: those with the right shape, and the names of all of them. */
export interface SharedParts {
  commands: Shared<ReadonlyMap<string, Command>>;
  skills: Shared<SkillsDefinition>;
  budgets: Shared<Budget>;
}

export interface Shared<Part> {
  readonly known: ReadonlyMap<string, Part>;
  readonly names: readonly string[];
}

const defaultRetries = 2;
const defaultThreshold = 0.9;
const defaultRepetitions = 5;

/** Reads the agent `name` of a file; undefined where it has a mistake. Mistakes that its schema does not show are added to `problems`. */
export function readAgent(
  file: YamlFile,
  name: string,
  value: unknown,
  around: FileParts,
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
  const names = (written.model ?? '').split(',').map((each) => each.trim());
  const own = written.model === undefined ? [] : names.map((each) => find(each, [...path, 'model']));
  const [model] = own;
  const models = written.fallback.models.map((each, index) => find(each, [...path, 'fallback', 'models', index]));
  for (const key of ['sub_agents', 'handoffs'] as const) {
    for (const [index, other] of written[key].entries()) {
      const problem = wrongAgent(name, other, around.agents);
      if (problem !== undefined) problems.push(file.problem(problem, [...path, key, index]));
    }
  }
  if (!shape.success) return undefined;
  const toolsets: Toolset[] = [];
  let complete = [...own, ...models].every((each) => each !== undefined);
  const { data } = shape;
  const compactionModel =
    data.compaction_model === undefined ? undefined : find(data.compaction_model, [...path, 'compaction_model']);
  const hookModels = new Map<string, Model>();
  for (const { hook, path: at } of allHooks(data.hooks)) {
    const asked = hook.type === 'model' ? find(hook.model, [...path, 'hooks', ...at, 'model']) : undefined;
    if (hook.type === 'model' && asked !== undefined) hookModels.set(hook.model, asked);
  }
  const take = <Part>(key: keyof SharedParts, wanted: readonly string[], at: string): [string, Part][] =>
    wanted.flatMap((each, index) => {
      const { known, names: all } = around.shared[key];
      const part = known.get(each);
      if (part !== undefined) return [[each, part as Part] as [string, Part]];
      const guess = nearest(each, all);
      const advice = guess === undefined ? `define it under "${key}" at the top` : `did you mean ${show(guess)}?`;
      if (!all.includes(each))
        problems.push(file.problem(`nothing under "${key}" is called ${show(each)}; ${advice}`, [...path, at, index]));
      return [];
    });
  const commands = new Map([
    ...take<ReadonlyMap<string, Command>>('commands', data.use_commands, 'use_commands').flatMap(([, part]) => [
      ...part,
    ]),
    ...readCommands(data.commands),
  ]);
  const budgets = take<Budget>('budgets', data.budgets, 'budgets').map(([, part]) => part);
  const skills = readSkills(
    file,
    [
      ...take<SkillsDefinition>('skills', data.use_skills, 'use_skills').map(([key, part]) => ({
        written: part,
        path: ['skills', key],
      })),
      { written: data.skills, path: [...path, 'skills'] },
    ],
    around.models,
    problems,
  );
  const next = data.force_handoff;
  if (next !== undefined) {
    const problem = wrongAgent(name, next, around.agents);
    if (problem !== undefined) problems.push(file.problem(problem, [...path, 'force_handoff']));
  }
  if (data.instruction_file !== undefined && data.instruction !== '')
    problems.push(
      file.problem('"instruction" and "instruction_file" exclude each other; keep one', [...path, 'instruction_file']),
    );
  const shared = sharedToolsets(file, [...path, 'use_toolsets'], data.use_toolsets, around.toolsets, problems);
  const listed = data.toolsets.map((toolset, index) => ({ toolset, at: [...path, 'toolsets', index] }));
  for (const { toolset, at } of [...listed, ...shared]) {
    const read = readToolset(file, at, toolset, around.servers);
    if (Array.isArray(read)) {
      problems.push(...read);
      complete = false;
    } else {
      if (read.type === 'background_agents' && data.sub_agents.length === 0)
        problems.push(
          file.problem('background_agents gives tasks to "sub_agents", and this agent has none; add them', at),
        );
      toolsets.push({ ...read, ...linksOf(read, at, find) });
    }
  }
  for (const [command, { instruction, agent, url }] of commands) {
    const at = [...path, 'commands', command];
    const problem =
      commandProblem(instruction) ??
      (agent === undefined ? missingTool(instruction, toolsets) : undefined) ??
      (agent === undefined ? undefined : wrongAgent(name, agent, around.agents)) ??
      (url === undefined ? undefined : urlProblem(url));
    if (problem !== undefined) problems.push(file.problem(problem, at));
  }
  const instruction = around.instructions.get(name) ?? data.instruction;
  const uncalled = complete ? missingTool(instruction, toolsets) : undefined;
  if (uncalled !== undefined) problems.push(file.problem(uncalled, [...path, 'instruction']));
  const hasMore =
    data.sub_agents.length + data.handoffs.length > 0 ||
    skills.found ||
    skills.inline.length + skills.addresses.length > 0;
  const from = { toolsets, codeMode: data.code_mode_tools, hasMore };
  const unchosen = complete && data.tool_choice !== undefined ? toolChoiceProblem(data.tool_choice, from) : undefined;
  if (unchosen !== undefined) problems.push(file.problem(unchosen, [...path, 'tool_choice']));
  if (data.inject_memories && complete && !toolsets.some(({ type }) => type === 'memory'))
    problems.push(
      file.problem('"inject_memories" needs a memory; give the agent a toolset of type memory', [
        ...path,
        'inject_memories',
      ]),
    );
  if (data.add_prompt_files_depth > 0 && data.add_prompt_files.length === 0)
    problems.push(
      file.problem('"add_prompt_files_depth" is about "add_prompt_files", and there are none; add them', [
        ...path,
        'add_prompt_files_depth',
      ]),
    );
  if (model === undefined || !complete || problems.length > before) return undefined;
  const there = (each: Model | undefined): each is Model => each !== undefined;
  return resolved(
    name,
    { ...data, instruction },
    {
      model,
      alternates: own.length > 1 ? own.filter(there) : [],
      models: models.filter(there),
      compactionModel,
      hookModels,
      toolsets,
      commands,
      budgets,
      skills,
    },
  );
}

/** The problem of a text that calls a tool which no toolset has; undefined where there is none, or where only an MCP server knows its tools. */
function missingTool(text: string, toolsets: readonly Toolset[]): string | undefined {
  const names = toolsets.map((toolset) => toolset.tools ?? namesOf(toolset));
  if (names.includes(undefined)) return undefined;
  const missing = calledNames(text).find((name) => isToolName(name) && !names.flat().includes(name));
  return missing === undefined
    ? undefined
    : `this puts in what the tool ${show(missing)} returns, and the agent has no such tool; give it a toolset that has it`;
}

/** The models that a toolset names. */
function linksOf(
  toolset: Toolset,
  at: Path,
  find: (reference: string, at: Path) => Model | undefined,
): { links?: ToolsetLinks } {
  const model = toolset.model === undefined ? undefined : find(toolset.model, [...at, 'model']);
  const choices = new Map<string, Model>();
  const names = toolset.type === 'model_picker' ? toolset.models : [];
  for (const [index, name] of names.entries()) {
    const found = find(name, [...at, 'models', index]);
    if (found !== undefined) choices.set(name, found);
  }
  return toolset.model === undefined && names.length === 0 ? {} : { links: { model, choices } };
}

interface Found extends Pick<
  Agent,
  'model' | 'alternates' | 'compactionModel' | 'hookModels' | 'toolsets' | 'commands' | 'budgets' | 'skills'
> {
  /** The fallback models. */
  models: readonly Model[];
}

function resolved(name: string, written: AgentDefinition, { models, ...found }: Found): Agent {
  const { fallback, cache } = written;
  return {
    name,
    ...found,
    fallback: {
      models,
      retries: fallback.retries === 0 ? defaultRetries : Math.max(0, fallback.retries),
      cooldownMs: fallback.cooldown,
      retryRateLimits: fallback.retry_rate_limits,
    },
    description: written.description,
    instruction: written.instruction,
    welcomeMessage: written.welcome_message,
    toolsets: written.readonly ? found.toolsets.map((toolset) => ({ ...toolset, readonly: true })) : found.toolsets,
    toolChoice: written.tool_choice,
    subAgents: written.sub_agents,
    handoffs: written.handoffs,
    forceHandoff: written.force_handoff,
    addDate: written.add_date,
    addEnvironmentInfo: written.add_environment_info,
    addPromptFiles: written.add_prompt_files,
    addPromptFilesDepth: written.add_prompt_files_depth,
    injectMemories: written.inject_memories,
    describesCalls: written.add_description_parameter,
    codeMode: written.code_mode_tools,
    maxIterations: written.max_iterations || Infinity,
    numHistoryItems: written.num_history_items || Infinity,
    maxConsecutiveToolCalls: written.max_consecutive_tool_calls || defaultRepetitions,
    maxToolResultTokens: written.max_tool_result_tokens > 0 ? written.max_tool_result_tokens : Infinity,
    maxOldToolCallTokens: written.max_old_tool_call_tokens > 0 ? written.max_old_tool_call_tokens : Infinity,
    sessionCompaction: written.session_compaction,
    compactionThreshold: written.compaction_threshold ?? defaultThreshold,
    cache: cache.enabled
      ? { caseSensitive: cache.case_sensitive, trimSpaces: cache.trim_spaces, path: cache.path }
      : undefined,
    structuredOutput: written.structured_output,
    hooks: written.redact_secrets ? redacting(written.hooks) : written.hooks,
  };
}

const redaction = { type: 'builtin', command: 'redact_secrets', timeout: 60, on_error: 'warn' } as const;

/** Adds to the hooks of an agent the ones that `redact_secrets` stands for. */
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
  if (/[/:]/.test(other))
    return `agents from elsewhere (${show(other)}) are not fetched; copy that agent into this file, and name it here`;
  const guess = nearest(other, agents);
  return `there is no agent ${show(other)}; ${guess === undefined ? 'define it under "agents"' : `did you mean ${show(guess)}?`}`;
}

/** The names in an agent whose shape is wrong, as far as they are strings. */
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
