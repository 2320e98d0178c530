import { templateProblem } from './hook-template.js';

/** Points at which the model is told the output of a hook. */
const telling = [
  'session_start',
  'user_prompt_submit',
  'user_followup_submit',
  'user_steering_messages_submit',
  'turn_start',
  'pre_compact',
] as const;

/** The argument of `add_prompt_files` for the levels of folders below the working directory in which it looks. */
export const depthArgument = /^--depth=(\d{1,2})$/;

/** The hooks that turnwire brings, under docker-agent's names: the points at which each has an effect, and the arguments that it takes. */
export const builtinHooks = {
  add_date: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_environment_info: { points: ['session_start', 'turn_start', 'user_prompt_submit'], args: none },
  add_prompt_files: {
    points: ['session_start', 'turn_start', 'user_prompt_submit'],
    args: (args) =>
      args.some((arg) => !depthArgument.test(arg))
        ? undefined
        : 'the names of files, and perhaps --depth=2 before them',
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
  add_context: {
    points: telling,
    args: (args) => (args.length === 0 ? 'texts' : wrongTemplate(args)),
  },
  http_post: {
    points: 'any',
    args: (args) => {
      const [address = '', ...more] = args;
      if (more.length !== 1 || !/^https?:\/\//.test(address) || !URL.canParse(address))
        return 'an address and a text that is sent to it';
      return wrongTemplate(more);
    },
  },
  // Nothing is remembered from call to call, so that the other points of docker-agent, which forget it, have nothing to do.
  elide_repeated_tool_results: {
    points: ['tool_response_transform', 'session_start', 'after_compaction', 'session_end'],
    args: none,
  },
  limit_large_tool_results: { points: ['tool_response_transform', 'session_end'], args: none },
  safer_shell: { points: ['pre_tool_use', 'tool_guard'], args: none },
  snapshot: {
    points: ['session_start', 'turn_start', 'turn_end', 'pre_tool_use', 'post_tool_use', 'session_end'],
    args: none,
  },
  unload: { points: ['on_agent_switch'], args: none },
  transform_json: {
    points: ['tool_response_transform'],
    args: (args) => (args.length === 0 ? 'the keys that are kept' : undefined),
  },
  redact_secrets: {
    points: ['pre_tool_use', 'tool_input_transform', 'before_llm_call', 'tool_response_transform'],
    args: none,
  },
} as const satisfies Readonly<Record<string, Builtin>>;

export type BuiltinHookName = keyof typeof builtinHooks;

interface Builtin {
  /** `any`: the hook has an effect at each point. */
  points: readonly string[] | 'any';
  /** The arguments that the hook expects, for the message about wrong ones; undefined for right ones. */
  args: (args: readonly string[]) => string | undefined;
}

/** The builtin hooks that have an effect at a point. */
export function builtinsAt(point: string): readonly BuiltinHookName[] {
  const all: Readonly<Record<BuiltinHookName, Builtin>> = builtinHooks;
  return (Object.keys(all) as BuiltinHookName[]).filter(
    (name) => all[name].points === 'any' || all[name].points.includes(point),
  );
}

function wrongTemplate(texts: readonly string[]): string | undefined {
  const problem = texts.map(templateProblem).find((each) => each !== undefined);
  return problem === undefined ? undefined : `texts ${problem}`;
}

function none(args: readonly string[]): string | undefined {
  return args.length === 0 ? undefined : 'left out';
}

function isCount(args: readonly string[]): boolean {
  return args.length === 1 && /^[1-9]\d{0,5}$/.test(args[0] ?? '');
}
