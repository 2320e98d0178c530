/** Hooks that turnwire brings, as docker-agent names them: at which points each does something, and what its arguments are. */
export const builtinHooks = {
  add_date: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_environment_info: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_prompt_files: {
    points: ['session_start', 'turn_start', 'user_prompt_submit'],
    args: (args) => (args.length === 0 ? 'the names of files' : undefined),
  },
  add_git_status: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_git_diff: {
    points: ['session_start', 'turn_start', 'user_prompt_submit'],
    args: (args) => (args.length > 1 || (args[0] ?? 'full') !== 'full' ? 'left out, or ["full"]' : undefined),
  },
  add_directory_listing: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_user_info: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_recent_commits: {
    points: ['session_start', 'turn_start', 'user_prompt_submit'],
    args: (args) => (args.length === 0 || isCount(args) ? undefined : 'left out, or one number, such as ["10"]'),
  },
  max_iterations: {
    points: ['before_llm_call'],
    args: (args) => (isCount(args) ? undefined : 'one number, such as ["50"]'),
  },
  redact_secrets: {
    points: ['pre_tool_use', 'tool_input_transform', 'before_llm_call', 'tool_response_transform'],
    args: none,
  },
} as const satisfies Readonly<Record<string, Builtin>>;

export type BuiltinHookName = keyof typeof builtinHooks;

interface Builtin {
  points: readonly string[];
  /** What the arguments have to be, where they are not; undefined: they are right. */
  args: (args: readonly string[]) => string | undefined;
}

/** The builtin hooks that do something at a point. */
export function builtinsAt(point: string): readonly BuiltinHookName[] {
  const all: Readonly<Record<BuiltinHookName, Builtin>> = builtinHooks;
  return (Object.keys(all) as BuiltinHookName[]).filter((name) => all[name].points.includes(point));
}

function none(args: readonly string[]): string | undefined {
  return args.length === 0 ? undefined : 'left out';
}

function isCount(args: readonly string[]): boolean {
  return args.length === 1 && /^[1-9]\d{0,5}$/.test(args[0] ?? '');
}
