import type { Agent } from '../agent.js';
import type { Config } from '../config.js';
import type { Model } from '../models/model.js';
import type { Budget } from '../budgets.js';
import { modelsOf } from '../models/models-of.js';
import { namesIn } from '../variables/references.js';
import type { Hook, Hooks } from '../schema/agents/hooks.js';
import { locateSecret } from '../secrets/key.js';
import { SecretError, type Secrets } from '../secrets/secrets.js';
import type { Toolset } from '../toolset.js';

/**
 * The configuration as a run uses it, in the words of the agent file, with all names resolved and all defaults filled in. It leaves out the values of
 * headers, variables and queries, and the arguments of commands, since each of them may be a secret or contain one.
 */
export async function describeConfig(config: Config, secrets: Secrets): Promise<Readonly<Record<string, unknown>>> {
  const { file, agents, root, permissions, budget } = config;
  const used = [...agents.values()].flatMap(modelsOf);
  const models = new Map([...config.models, ...used.map((model) => [model.name, model] as const)]);
  const described = [...models].map(async ([name, model]) => [name, await describeModel(model, secrets)] as const);
  return {
    file,
    starts_with: root.name,
    models: Object.fromEntries(await Promise.all(described)),
    ...(budget === undefined ? {} : { budget: describeBudget(budget) }),
    agents: Object.fromEntries([...agents].map(([name, agent]) => [name, describeAgent(agent)])),
    permissions: Object.fromEntries(
      Object.entries(permissions).map(([kind, rules]) => [kind, rules.map(({ source }) => source)]),
    ),
  };
}

async function describeModel(model: Model, secrets: Secrets) {
  const { cost } = model;
  return written({
    provider: model.provider,
    model: model.model,
    base_url: model.baseUrl ?? (model.provider === 'emulator' ? 'started for the run' : 'the default of the client'),
    key: await describeKey(model, secrets),
    transport: model.transport,
    http_headers: hidden(model.headers),
    temperature: model.temperature,
    top_p: model.topP,
    max_tokens: model.maxTokens,
    thinking_budget: model.effort,
    parallel_tool_calls: model.parallelToolCalls,
    service_tier: model.serviceTier,
    store: model.store,
    track_usage: model.trackUsage,
    cost: cost && {
      input: cost.input,
      output: cost.output,
      cache_read: cost.cacheRead,
      cache_write: cost.cacheWrite,
    },
    capabilities: model.takesImages ? undefined : { image: false },
    context_size: model.contextSize,
    first_event_timeout: spelled(model.timeouts.firstEventMs),
    idle_timeout: spelled(model.timeouts.idleMs),
    compaction_threshold: model.compactionThreshold,
    compaction_model: model.links.compaction?.name,
    title_model: model.links.title?.name,
    task_budget: model.taskBudget,
    routing: model.links.routes.map((route) => ({ model: route.model.name, examples: route.examples })),
  });
}

function spelled(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${ms / 1000}s`;
}

/** The names of a key and the source where it was found; never the key. */
async function describeKey({ tokenKeys }: Model, secrets: Secrets): Promise<unknown> {
  if (tokenKeys.length === 0) return 'none is sent';
  try {
    return { names: tokenKeys, found_in: (await locateSecret(secrets, tokenKeys)) ?? null };
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return { names: tokenKeys, found_in: null, problem: error.message };
  }
}

function describeAgent(agent: Agent) {
  const { fallback, maxIterations, numHistoryItems } = agent;
  return written({
    model: agent.alternates.length === 0 ? agent.model.name : agent.alternates.map(({ name }) => name),
    fallback: {
      models: fallback.models.map(({ name }) => name),
      retries: fallback.retries,
      cooldown: spelled(fallback.cooldownMs),
      retry_rate_limits: fallback.retryRateLimits,
    },
    description: agent.description,
    instruction: agent.instruction,
    welcome_message: agent.welcomeMessage,
    toolsets: agent.toolsets.map(describeToolset),
    tool_choice: agent.toolChoice,
    sub_agents: agent.subAgents,
    handoffs: agent.handoffs,
    force_handoff: agent.forceHandoff,
    add_date: agent.addDate,
    add_environment_info: agent.addEnvironmentInfo,
    add_prompt_files: agent.addPromptFiles,
    add_prompt_files_depth: agent.addPromptFilesDepth || undefined,
    inject_memories: agent.injectMemories || undefined,
    add_description_parameter: agent.describesCalls || undefined,
    code_mode_tools: agent.codeMode || undefined,
    max_iterations: maxIterations === Infinity ? 'no limit' : maxIterations,
    num_history_items: numHistoryItems === Infinity ? 'all' : numHistoryItems,
    max_consecutive_tool_calls: agent.maxConsecutiveToolCalls,
    max_tool_result_tokens: agent.maxToolResultTokens === Infinity ? undefined : agent.maxToolResultTokens,
    max_old_tool_call_tokens: agent.maxOldToolCallTokens === Infinity ? undefined : agent.maxOldToolCallTokens,
    session_compaction: agent.sessionCompaction,
    compaction_threshold: agent.compactionThreshold,
    compaction_model: agent.compactionModel?.name,
    budgets: Object.fromEntries(agent.budgets.map((budget) => [budget.path, describeBudget(budget)])),
    cache: agent.cache && {
      case_sensitive: agent.cache.caseSensitive,
      trim_spaces: agent.cache.trimSpaces,
      path: agent.cache.path ?? 'kept in memory',
    },
    skills: describeSkills(agent.skills),
    commands: Object.fromEntries([...agent.commands].map(([name, command]) => [name, written({ ...command })])),
    structured_output: agent.structuredOutput,
    hooks: describeHooks(agent.hooks),
  });
}

function describeBudget({ maxCost, maxTokens, maxMs }: Budget) {
  return written({ max_cost: maxCost, max_tokens: maxTokens, max_time: spelled(maxMs) });
}

function describeSkills({ found, names, inline }: Agent['skills']) {
  return written({
    looked_for: found ? (names ?? 'all') : undefined,
    inline: inline.map(({ fork, model, allowedTools, ...skill }) =>
      written({ ...skill, context: fork ? 'fork' : undefined, model: model?.name, allowed_tools: allowedTools }),
    ),
  });
}

function describeHooks(hooks: Hooks) {
  const describe = (hook: Hook) =>
    written({
      ...hook,
      ...(hook.type === 'command' && { env: hook.env && hidden(hook.env) }),
      ...(hook.type === 'builtin' && hook.command === 'http_post' && { args: `${hook.args?.length ?? 0} hidden` }),
    });
  return Object.fromEntries(
    Object.entries(hooks).flatMap(([point, entries]) => {
      const described = entries.map((entry) =>
        'hooks' in entry ? written({ ...entry, hooks: entry.hooks.map(describe) }) : describe(entry),
      );
      return described.length === 0 ? [] : [[point, described]];
    }),
  );
}

function describeToolset(toolset: Toolset) {
  const { type, links: _links, label: _label, ...settings } = toolset;
  if (toolset.type === 'mcp') {
    const { args, env, remote, config } = toolset;
    return written({
      type,
      ...settings,
      args: args && `${args.length} hidden`,
      env: env && hidden(env),
      remote: remote && describeRemote(remote),
      config: config && Object.fromEntries(Object.keys(config).map((key) => [key, 'hidden'])),
    });
  }
  if (toolset.type === 'script') {
    const tools = Object.entries(toolset.shell).map(([name, tool]) => [
      name,
      written({ ...tool, env: tool.env && hidden(tool.env) }),
    ]);
    return written({ type, ...settings, shell: Object.fromEntries(tools), env: toolset.env && hidden(toolset.env) });
  }
  if (toolset.type === 'open_url') return written({ type, ...settings, url: address(toolset.url) });
  if (toolset.type === 'fetch')
    return written({ type, ...settings, headers: toolset.headers && hidden(toolset.headers) });
  return written({ type, ...settings, ...('env' in toolset && { env: toolset.env && hidden(toolset.env) }) });
}

function describeRemote({
  url,
  headers,
  oauth,
  ...settings
}: NonNullable<Extract<Toolset, { type: 'mcp' }>['remote']>) {
  const { clientSecret } = oauth ?? {};
  return written({
    ...settings,
    url: address(url),
    headers: headers && hidden(headers),
    oauth: oauth && written({ ...oauth, ...(clientSecret !== undefined && hidden({ clientSecret })) }),
  });
}

/** The names of fields, and the secrets that their values refer to; never the values. */
function hidden(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const secrets = namesIn(value);
      return [name, secrets.length === 0 ? 'hidden' : `hidden, with ${secrets.join(' and ')}`];
    }),
  );
}

/** An address without user name and query, where keys are often put. */
function address(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search === '' ? '' : '?hidden'}`;
}

/** Leaves out fields that the file does not set, and empty ones. */
function written(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
