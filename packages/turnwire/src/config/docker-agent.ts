/** Keys of toolsets, and of MCP servers for several agents. */
const unsupportedOfToolsets: readonly string[] = [
  'shared',
  'api_config',
  'rag_config',
  'webhook_config',
  'sudo_askpass',
  'file_types',
  'allowed_servers',
  'blocked_servers',
  'allow_private_ips',
  'max_output_bytes',
  'escape_html',
];

/** Keys of hooks and of their matchers that turnwire does not support. */
const unsupportedOfHooks: readonly string[] = ['args', 'evaluator', 'evaluator_policy', 'routing_policy'];

/**
 * The keys of docker-agent's format that turnwire does not support, by place in the file (`*` is any name or number). They are refused by name: a file
 * without one of them would be another agent than its author wrote. Source: docker-agent's configuration, versions 7 to 15
 */
const unsupported: Readonly<Record<string, readonly string[]>> = {
  '': ['rag', 'runtime', 'flavors', 'evaluators'],
  'providers.*': ['headers', 'frequency_penalty', 'presence_penalty', 'task_budget', 'auth', 'unload_api'],
  'models.*': ['frequency_penalty', 'presence_penalty', 'output_capabilities', 'bypass_models_gateway', 'auth'],
  'agents.*': ['rag', 'harness', 'safety', 'routing', 'max_inject_memories', 'inject_memories_strategy'],
  'agents.*.skills.*': ['toolsets'],
  'skills.*.*': ['toolsets'],
  'agents.*.structured_output': ['mode'],
  'agents.*.hooks': ['before_agent_run', 'after_agent_complete'],
  // Hooks and matchers may stand in a list or alone, so the paths have one level more or less.
  'agents.*.hooks.*': unsupportedOfHooks,
  'agents.*.hooks.*.*': unsupportedOfHooks,
  'agents.*.hooks.*.hooks': unsupportedOfHooks,
  'agents.*.hooks.*.hooks.*': unsupportedOfHooks,
  'agents.*.hooks.*.*.hooks': unsupportedOfHooks,
  'agents.*.hooks.*.*.hooks.*': unsupportedOfHooks,
  'agents.*.toolsets.*': unsupportedOfToolsets,
  'toolsets.*': unsupportedOfToolsets,
  'mcps.*': ['type', ...unsupportedOfToolsets],
};

/** Keys of `provider_opts`, of a provider and of a model, that turnwire does not support. */
const unsupportedOptions: readonly string[] = [
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
  'speculative_draft_model',
  'speculative_num_tokens',
  'speculative_acceptance_rate',
];

/** Keys of Chat Completions: the Responses API has no field for them, so they will never be supported. */
const chatOnly: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'presence_penalty',
  'top_k',
  'min_p',
  'repetition_penalty',
  'seed',
]);

/** Toolset types of docker-agent that turnwire does not support, each with its replacement. */
export const unsupportedToolsets: ReadonlyMap<string, string> = new Map([
  ['mcp_catalog', 'name the servers one by one, as toolsets of type mcp with "ref: docker:NAME"'],
  ['file', 'use filesystem, and choose by "tools"'],
  ['plan', 'use session_plan, or tasks, which are kept from session to session'],
  ['api', 'use script, with a command such as curl, or an MCP server for it'],
  ['openapi', 'use script, with a command such as curl, or an MCP server for it'],
  ['webhook', 'use script, with a command such as curl'],
  ['a2a', 'write that agent into this file and name it under "sub_agents", or reach it through an MCP server'],
  ['lsp', 'use an MCP server for the language, or script, with its command-line tools'],
  ['scheduler', 'let cron start "turnwire run" at its times'],
  ['rag', 'use filesystem, whose search_files_content finds words in files, or an MCP server that searches'],
  ['environment', 'use "add_environment_info: true" of the agent'],
]);

/** Hook types of docker-agent that turnwire does not support, each with its replacement. */
export const unsupportedHooks: ReadonlyMap<string, string> = new Map([
  ['evaluator', 'use type model, with "schema: pre_tool_use_decision" or "schema: guard_decision"'],
]);

/** Keys that docker-agent has at this place and turnwire does not support. */
export function unsupportedKeys(path: readonly PropertyKey[]): readonly string[] {
  const parts = path.map(String);
  if (parts.length === 3 && parts[2] === 'provider_opts') return unsupportedOptions;
  const place = Object.keys(unsupported).find((pattern) => matches(pattern === '' ? [] : pattern.split('.'), parts));
  return place === undefined ? [] : (unsupported[place] ?? []);
}

/**
 * Replacements for keys of docker-agent. Some of these keys restrict an agent: to advise only to remove one would give the agent more power than its author
 * meant.
 */
const instead: Readonly<Record<string, string>> = {
  rag: 'let the agent search the files (filesystem), or use an MCP server that searches',
  headers: 'write them under "provider_opts", as "http_headers"',
  max_inject_memories: 'leave it out: "inject_memories" tells all memories, once a session',
  inject_memories_strategy: 'leave it out: "inject_memories" tells all memories, once a session',
  harness: 'give the agent a "model" and toolsets, or run that program as a tool, by a toolset of type script',
  flavors: 'write a file for each, or put what differs into variables: ${env.NAME}',
  api_config: 'use a toolset of type script, with a command such as curl',
  auth: 'name the variable that holds the key, by "token_key"',
  safety: 'say under "permissions" which calls never run (deny) and which need a yes (ask)',
  allowed_servers: 'name the servers one by one, as toolsets of type mcp',
  blocked_servers: 'name the servers that it may use one by one, as toolsets of type mcp',
  task_budget: 'bound the turns of a run by "max_iterations"',
  before_agent_run: 'let the agent choose who goes on, by "handoffs"; a hook of user_prompt_submit can refuse a prompt',
  after_agent_complete: 'name the agent that goes on, by "force_handoff"; a hook of stop sees what was said',
  output_capabilities: 'let a tool make pictures, such as one of an MCP server',
  runtime: 'start turnwire in a container, and say under "permissions" which calls never run',
  evaluators: 'look at calls by hooks of type model',
  routing: 'let the agent choose who goes on, by "handoffs"',
  toolsets: 'give the agent the toolsets that the skill needs',
  unload_api: 'ask the server to let go of the model by a hook, with a command such as curl',
  mode: 'bind the answer by "strict: true"',
  shared: 'leave it out: todo alone has something to share',
  sudo_askpass: 'let the user run what needs sudo',
  file_types: 'use an MCP server for the language',
  rag_config: 'use filesystem, whose search_files_content finds words in files',
  webhook_config: 'use script, with a command such as curl',
  allow_private_ips: 'use fetch, which has that key, or script',
  max_output_bytes: 'bound what the model is told, by "max_tool_result_tokens" of the agent',
  escape_html: 'leave it out: what is fetched comes as text, not as JSON with escapes',
  native_tool_search: 'leave it out: with "defer" the model finds tools by search_tool, and adds them by add_tool',
  cache_diagnostics: 'leave it out: the last line of a run has the cached tokens',
  type: 'leave it out: each entry of "mcps" is an MCP server',
  evaluator: 'use a hook of type model',
  evaluator_policy: 'use a hook of type model',
  routing_policy: 'let the agent choose who goes on, by "handoffs"',
  args: 'write them into the "command"',
};

/** The refusal of such a key, as the end of a sentence about it. */
export function refusal(key: string): string {
  if (chatOnly.has(key)) return 'is a key for Chat Completions, and the Responses API has no field for it; remove it';
  const advice =
    instead[key] ??
    (unsupportedOptions.includes(key)
      ? 'choose what the Responses API has, by other keys of the model'
      : 'leave it out');
  return `is a docker-agent key that turnwire does not support yet; instead of it, ${advice}`;
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.length === parts.length && pattern.every((part, index) => part === '*' || part === parts[index]);
}
