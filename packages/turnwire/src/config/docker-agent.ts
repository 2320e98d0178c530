/**
 * What docker-agent's format has and turnwire does not serve yet, by place in the file (`*` is any name or number). These are
 * named to the user as such: to ignore one would run another agent than the one that was written.
 *
 * Source: docker-agent's configuration, versions 7 to 14.
 */
const unserved: Readonly<Record<string, readonly string[]>> = {
  '': ['providers', 'mcps', 'rag', 'permissions'],
  'models.*': [
    'top_p',
    'frequency_penalty',
    'presence_penalty',
    'parallel_tool_calls',
    'track_usage',
    'thinking_budget',
    'routing',
    'first_available',
    'task_budget',
    'capabilities',
    'cost',
    'title_model',
    'compaction_model',
    'compaction_threshold',
    'bypass_models_gateway',
  ],
  'models.*.provider_opts': [
    'api_type',
    'api_version',
    'http_headers',
    'service_tier',
    'store',
    'rerank_prompt',
    'interleaved_thinking',
    'runtime_flags',
    'context_size',
    'top_k',
    'min_p',
    'repetition_penalty',
    'seed',
    'supports_deferred_tools',
    'cache_diagnostics',
    'preserve_reasoning',
    'native_tool_search',
  ],
  'agents.*': [
    'fallback',
    'sub_agents',
    'handoffs',
    'rag',
    'skills',
    'add_date',
    'add_environment_info',
    'add_prompt_files',
    'add_description_parameter',
    'code_mode_tools',
    'max_iterations',
    'num_history_items',
    'max_consecutive_tool_calls',
    'max_old_tool_call_tokens',
    'commands',
    'structured_output',
    'permissions',
    'hooks',
  ],
  'agents.*.toolsets.*': [
    'tools',
    'instruction',
    'defer',
    'toon',
    'model',
    'env',
    'ignore_vcs',
    'post_edit',
    'command',
    'args',
    'ref',
    'remote',
    'shell',
    'path',
    'shared',
  ],
};

/** The types of toolset that docker-agent has and turnwire does not serve yet. */
export const unservedToolsets: ReadonlySet<string> = new Set([
  'mcp',
  'script',
  'think',
  'memory',
  'tasks',
  'todo',
  'fetch',
  'api',
  'openapi',
  'a2a',
  'lsp',
  'user_prompt',
  'model_picker',
  'background_agents',
  'rag',
]);

/** Keys that docker-agent knows at this place and turnwire does not serve yet. */
export function unservedKeys(path: readonly PropertyKey[]): readonly string[] {
  const parts = path.map(String);
  const place = Object.keys(unserved).find((pattern) => matches(pattern === '' ? [] : pattern.split('.'), parts));
  return place === undefined ? [] : (unserved[place] ?? []);
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.length === parts.length && pattern.every((part, index) => part === '*' || part === parts[index]);
}
