/** Keys of hooks, and of their matchers. */
const unservedOfHooks: readonly string[] = [
  'args',
  'model',
  'prompt',
  'schema',
  'system_prompt',
  'evaluator',
  'evaluator_policy',
  'routing_policy',
];

/**
 * What docker-agent's format has and turnwire does not serve, by place in the file (`*` is any name or number). These are named to the
 * user as such: to ignore one would run another agent than the one that was written.
 *
 * Source: docker-agent's configuration, versions 7 to 15.
 */
const unserved: Readonly<Record<string, readonly string[]>> = {
  '': ['rag', 'commands', 'skills', 'runtime', 'budget', 'budgets', 'flavors'],
  'providers.*': ['frequency_penalty', 'presence_penalty', 'task_budget', 'auth', 'compaction_model', 'unload_api'],
  'models.*': [
    'frequency_penalty',
    'presence_penalty',
    'routing',
    'first_available',
    'task_budget',
    'capabilities',
    'title_model',
    'compaction_model',
    'bypass_models_gateway',
    'auth',
  ],
  'agents.*': [
    'rag',
    'skills',
    'harness',
    'add_description_parameter',
    'add_prompt_files_depth',
    'code_mode_tools',
    'instruction_file',
    'force_handoff',
    'safety',
    'budgets',
    'max_old_tool_call_tokens',
    'max_tool_result_tokens',
    'session_compaction',
    'compaction_threshold',
    'compaction_model',
    'cache',
    'use_commands',
    'use_skills',
    'inject_memories',
  ],
  'agents.*.commands.*': ['agent', 'url'],
  'agents.*.commands.*.*': ['agent', 'url'],
  'agents.*.structured_output': ['mode'],
  'agents.*.hooks': [
    'on_session_resume',
    'worktree_create',
    'before_agent_run',
    'after_agent_complete',
    'prompt_file_guard',
    'skill_content_guard',
  ],
  // A hook may stand in a list, or alone; so may a matcher, and the hooks of one.
  'agents.*.hooks.*': unservedOfHooks,
  'agents.*.hooks.*.*': unservedOfHooks,
  'agents.*.hooks.*.hooks': unservedOfHooks,
  'agents.*.hooks.*.hooks.*': unservedOfHooks,
  'agents.*.hooks.*.*.hooks': unservedOfHooks,
  'agents.*.hooks.*.*.hooks.*': unservedOfHooks,
  'agents.*.toolsets.*': [
    'defer',
    'toon',
    'model',
    'shared',
    'config',
    'lifecycle',
    'api_config',
    'rag_config',
    'webhook_config',
    'headers',
    'sudo_askpass',
    'recall',
    'url',
    'file_types',
    'allowed_servers',
    'blocked_servers',
    'models',
    'allow_private_ips',
  ],
  'agents.*.toolsets.*.remote': ['oauth'],
  'mcps.*': ['ref', 'config', 'defer', 'toon', 'lifecycle', 'model', 'type'],
  'mcps.*.remote': ['oauth'],
};

/** `provider_opts` of both a provider and a model. */
const unservedOptions: readonly string[] = [
  'rerank_prompt',
  'interleaved_thinking',
  'thinking_display',
  'runtime_flags',
  'supports_images',
  'supports_pdf',
  'supports_deferred_tools',
  'top_k',
  'min_p',
  'repetition_penalty',
  'seed',
  'cache_diagnostics',
  'preserve_reasoning',
  'native_tool_search',
  'unload_api',
  'fallbacks',
  'google_search',
  'google_maps',
  'code_execution',
];

/** Keys of Chat Completions: the Responses API has no field for them, so they will never be served. */
const chatOnly: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'presence_penalty',
  'top_k',
  'min_p',
  'repetition_penalty',
  'seed',
]);

/** The types of toolset that docker-agent has and turnwire does not serve. */
export const unservedToolsets: ReadonlySet<string> = new Set([
  'mcp_catalog',
  'file',
  'datetime',
  'calculator',
  'random',
  'tasks',
  'plan',
  'session_plan',
  'session_context',
  'api',
  'openapi',
  'a2a',
  'lsp',
  'open_url',
  'model_picker',
  'background_agents',
  'scheduler',
  'rag',
  'git',
  'webhook',
]);

/** Types of hook that docker-agent has besides commands. */
export const unservedHooks: ReadonlySet<string> = new Set(['model', 'evaluator']);

/** Builtin hooks that docker-agent has besides those served. */
export const unservedBuiltins: Readonly<Record<string, string>> = {
  add_context: 'print the text by a command, such as cat',
  http_post: 'send it by a command, such as curl',
  limit_large_tool_results: 'a result is cut at 256 KiB here anyway',
  safer_shell: 'say under "permissions" which commands never run (deny) and which need a yes (ask)',
  snapshot: 'keep what is there by a command, such as git stash create',
  transform_json: 'change results by a command, such as jq, at tool_response_transform',
  unload: 'ask the server to let go of the model by a command, such as curl',
};

/** Keys that docker-agent knows at this place and turnwire does not serve. */
export function unservedKeys(path: readonly PropertyKey[]): readonly string[] {
  const parts = path.map(String);
  if (parts.length === 3 && parts[2] === 'provider_opts') return unservedOptions;
  const place = Object.keys(unserved).find((pattern) => matches(pattern === '' ? [] : pattern.split('.'), parts));
  return place === undefined ? [] : (unserved[place] ?? []);
}

/** What holds an agent back here, instead of keys that do so in docker-agent. To take such a key out would give the agent more power than was written. */
const instead: Readonly<Record<string, string>> = {
  safety: 'say under "permissions" which calls never run (deny) and which need a yes (ask)',
  allowed_servers: 'name the servers one by one, as toolsets of type mcp',
  blocked_servers: 'name the servers that it may use one by one, as toolsets of type mcp',
  budget: 'bound the turns of a run by "max_iterations"',
  budgets: 'bound the turns of a run by "max_iterations"',
  task_budget: 'bound the turns of a run by "max_iterations"',
  max_tool_result_tokens: 'a result is cut at 256 KiB here; let commands print less',
  before_agent_run: 'check prompts by a hook of user_prompt_submit, and calls by one of tool_guard',
  after_agent_complete: 'look at what an agent says by a hook of subagent_stop',
  prompt_file_guard: 'name the files yourself, one by one, under "add_prompt_files"',
  skill_content_guard: 'name the skills yourself, one by one',
  on_session_resume: 'a run ends at its "max_iterations" here, of which on_max_iterations is told',
  worktree_create: 'make the worktree by git, prepare it, and name it by --working-dir',
};

/** Why such a key is refused, as a sentence about it. */
export function refusal(key: string): string {
  if (chatOnly.has(key)) return 'is a key for Chat Completions, and the Responses API has no field for it; remove it';
  const advice = instead[key];
  return `is a docker-agent key that turnwire does not support yet; ${advice === undefined ? 'remove it' : `instead of it, ${advice}`}`;
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.length === parts.length && pattern.every((part, index) => part === '*' || part === parts[index]);
}
