import { z } from 'zod';
import { builtinHooks, builtinsAt } from './builtin-hooks.js';
import { templateProblem } from './hook-template.js';
import { environment, flag, name, text, texts, whole } from '../values.js';

/** The abilities of hooks at one point of a run. */
interface PointOfFile {
  /** The description of the point in the schema. */
  says: string;
  /** True where hooks are about tools, and stand below matchers. */
  matched?: true;
  /** True where a hook can refuse nothing. @default hooks can refuse */
  observes?: true;
  /** True where the model is told the output of a hook. @default it is not */
  tells?: true;
  /** True where a hook can allow a call, deny it, or have the user asked. @default it cannot */
  permits?: true;
  /** True where the run goes on only after a yes from each hook. @default it goes on without */
  approves?: true;
  /** True where no model can be asked yet. @default models can be asked */
  early?: true;
}

/** The points of a run at which hooks run, in the order of a run. */
const points = {
  worktree_create: { says: 'When --worktree has made a worktree: can prepare it, or end the run.', early: true },
  session_start: { says: 'When a session begins: can tell the model something.', observes: true, tells: true },
  prompt_file_guard: {
    says: 'Before the model is given a file of add_prompt_files: has to say yes.',
    approves: true,
  },
  skill_content_guard: { says: 'Before the model is given the text of a skill: has to say yes.', approves: true },
  user_prompt_submit: { says: 'Before a prompt is taken: can refuse it, and tell the model something.', tells: true },
  user_followup_submit: {
    says: 'Before input that came too late for the last run becomes a prompt: as user_prompt_submit.',
    tells: true,
  },
  user_steering_messages_submit: {
    says: 'Before the model is given input from during the run: as user_prompt_submit.',
    tells: true,
  },
  turn_start: { says: 'Before each turn: can tell the model something.', observes: true, tells: true },
  before_llm_call: { says: 'Before each turn, after turn_start: can end the run.' },
  after_llm_call: { says: 'After a turn that was answered.', observes: true },
  tool_input_transform: { says: 'Before a tool runs: can change the call.', matched: true },
  pre_tool_use: {
    says: 'Before a tool runs: can block the call, change it, or have it asked for.',
    matched: true,
    tells: true,
    permits: true,
  },
  tool_guard: {
    says: 'Before a tool runs, when nothing changes the call any more: can block it, or have it asked for.',
    matched: true,
    permits: true,
  },
  permission_request: {
    says: 'Before the user is asked about a call: can answer instead.',
    matched: true,
    permits: true,
  },
  on_tool_approval_decision: { says: 'After the decision whether a call runs.', observes: true },
  tool_response_transform: { says: 'When a tool has run: can change its output.', matched: true },
  post_tool_use: {
    says: 'After a tool has run: can tell the model something, or stop the run.',
    matched: true,
    tells: true,
  },
  turn_end: { says: 'When a turn is over, whatever ended it.', observes: true },
  pre_compact: {
    says: 'Before the conversation is summed up: can keep it from that, and say what to keep.',
    tells: true,
  },
  before_compaction: { says: 'Before the conversation is summed up: can keep it from that, or bring the summary.' },
  after_compaction: { says: 'When the conversation was summed up.', observes: true },
  on_agent_switch: { says: 'When another agent goes on.', observes: true },
  subagent_stop: { says: 'When an agent that was given a task is done.', observes: true },
  stop: { says: 'When the model has finished its answer: can tell it something.', observes: true, tells: true },
  on_user_input: { says: 'When the agent waits for the user.', observes: true },
  notification: { says: 'When the user is told of an error or a warning.', observes: true },
  on_error: { says: 'When a run fails.', observes: true },
  on_max_iterations: { says: 'When a run comes to its "max_iterations".', observes: true },
  on_session_resume: { says: 'When the user lets a run go on beyond its "max_iterations".', observes: true },
  session_end: { says: 'When a session ends.', observes: true },
} as const satisfies Readonly<Record<string, PointOfFile>>;

export type HookPointName = keyof typeof points;

/** The points whose hooks are about tools. */
export type ToolPointName = {
  [Point in HookPointName]: (typeof points)[Point] extends { matched: true } ? Point : never;
}[HookPointName];

const timeout = whole(1, 'of seconds')
  .max(3600, 'at most 3600 seconds')
  .default(60)
  .describe('In seconds. Default: 60.');
const label = name.optional().describe('The name of the hook in messages. Default: the beginning of the command.');

export const hookTypes = 'command, builtin or model';

/** The forms in which the answer of a model is read. */
const schemas = ['pre_tool_use_decision', 'guard_decision'] as const;

function hookAt(point: HookPointName) {
  const { observes, tells, permits, approves, early }: PointOfFile = points[point];
  const onError = z
    .enum(['warn', 'ignore', 'block'], 'warn, ignore or block')
    .refine((value) => value !== 'block' || observes !== true, `warn or ignore: a hook of ${point} ends nothing`)
    .default('warn')
    .describe(
      'The effect of a failure: warn, ignore, or block, which refuses. Before a call runs, and where its result is changed, a failure always blocks. Default: warn.',
    );
  const command = z.strictObject(
    {
      type: z
        .literal('command', hookTypes)
        .describe('command: run by the shell. It gets its input as JSON on standard input, and answers in JSON.'),
      command: name.describe('The command.'),
      name: label,
      timeout,
      env: environment.optional().describe('Variables for the hook. Values may name secrets: ${env.NAME}.'),
      working_dir: name
        .optional()
        .describe('The folder that the hook runs in. Default: the working directory of the run.'),
      strict_output: flag
        .optional()
        .describe('Whether an answer has to be one JSON object, or nothing. Default: false.'),
      on_error: onError,
    },
    'a mapping with "type" and "command"',
  );
  const names = builtinsAt(point);
  const known = `a builtin that does something at ${point}: ${names.join(', ')}`;
  const builtin = z
    .strictObject(
      {
        type: z.literal('builtin', hookTypes).describe('builtin: a hook of turnwire itself.'),
        command: z.enum(names, known).describe('Which one.'),
        args: texts.optional().describe('Its arguments.'),
        name: label,
        timeout,
        on_error: onError,
      },
      'a mapping with "type" and "command"',
    )
    .superRefine(({ command: builtinName, args = [] }, context) => {
      const message = builtinHooks[builtinName].args(args);
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['args'], message });
    });
  const forms = [
    ...(permits === true ? (['pre_tool_use_decision'] as const) : []),
    ...(observes === true ? [] : (['guard_decision'] as const)),
  ];
  const free = tells === true && approves !== true;
  const form = `${forms.join(' or ') || 'left out'}${free && forms.length > 0 ? ', or left out' : ''}: at ${point} nothing else of an answer counts`;
  const asked = z
    .strictObject(
      {
        type: z.literal('model', hookTypes).describe('model: a hook that asks a model for its answer.'),
        model: name.describe('Which one: one of "models", or provider/model.'),
        prompt: name
          .refine((value) => templateProblem(value) === undefined, {
            error: ({ input }) => `a text ${templateProblem(String(input)) ?? ''}`,
          })
          .describe('The prompt. {{ .ToolName }} and {{ .ToolInput | toJSON }} stand for fields of the hook’s input.'),
        system_prompt: name
          .optional()
          .describe('The instructions of the model. Default: that it is a hook, and how to answer.'),
        schema: z
          .enum(schemas, form)
          .optional()
          .describe('The form of the answer: a decision in JSON. Default: a text, which the agent is given.'),
        name: label,
        timeout,
        on_error: onError,
      },
      'a mapping with "type", "model" and "prompt"',
    )
    .superRefine(({ schema }, context) => {
      if (early === true) {
        const message = `command or builtin: at ${point} no model can be asked yet`;
        context.addIssue({ code: 'custom', path: ['type'], message });
        return;
      }
      const isServed = schema === undefined ? free : (forms as readonly string[]).includes(schema);
      if (!free && forms.length === 0) {
        const message = `command or builtin: at ${point} the answer of a model counts for nothing`;
        context.addIssue({ code: 'custom', path: ['type'], message });
      } else if (!isServed) context.addIssue({ code: 'custom', path: ['schema'], message: form });
    });
  // With an id, the schema for editors has this definition only once.
  return z
    .discriminatedUnion('type', [command, builtin, asked], 'a mapping with "type" and "command"')
    .meta({ id: `hook_of_${point}` });
}

/** A list, or a single entry without the list, as docker-agent allows. */
function listOf<One extends z.ZodType>(one: One, expected: string) {
  return z
    .union([z.array(one, expected), one], expected)
    .transform((written): z.output<One>[] => (Array.isArray(written) ? written : [written]));
}

const hooksAt = (point: HookPointName) =>
  listOf(hookAt(point), 'a list of hooks, such as [{ type: command, command: ./check.sh }]');

const matcher = 'a regular expression for names of tools, or *';
const matchedAt = (point: HookPointName) => {
  const entry = {
    matcher: text
      .refine((value) => value === '*' || isPattern(value), matcher)
      .default('*')
      .describe('The tools: a regular expression for their whole names, or *. Default: *.'),
    hooks: hooksAt(point).describe('The hooks to run.'),
  };
  const preempt = flag
    .optional()
    .describe('A note for readers: turnwire always runs these hooks before --yolo and rules.');
  const shape = point === 'pre_tool_use' ? { ...entry, preempt_yolo: preempt } : entry;
  return listOf(
    z.strictObject(shape, 'a mapping with "matcher" and "hooks"').meta({ id: `matcher_of_${point}` }),
    'a list of mappings with "matcher" and "hooks"',
  ).default([]);
};

type Shape = {
  [Point in HookPointName]: Point extends ToolPointName
    ? ReturnType<typeof matchedAt>
    : z.ZodDefault<ReturnType<typeof hooksAt>>;
};

const shape = Object.fromEntries(
  (Object.entries(points) as [HookPointName, PointOfFile][]).map(([point, { says, matched }]) => [
    point,
    (matched === true ? matchedAt(point) : hooksAt(point).default([])).describe(says),
  ]),
) as unknown as Shape;

/** `hooks` of an agent: the hooks of each point of a run. */
export const hooksSchema = z.strictObject(shape, 'a mapping from points of a run, such as "pre_tool_use", to hooks');

export type Hooks = z.output<typeof hooksSchema>;
export type Hook = z.output<ReturnType<typeof hookAt>>;
export type CommandHook = Extract<Hook, { type: 'command' }>;
export type BuiltinHook = Extract<Hook, { type: 'builtin' }>;
export type ModelHook = Extract<Hook, { type: 'model' }>;

/** All hooks of an agent, each with its point and its path below `hooks`. */
export function allHooks(hooks: Hooks): { point: HookPointName; hook: Hook; path: (string | number)[] }[] {
  return (Object.keys(hooks) as HookPointName[]).flatMap((point) =>
    hooks[point].flatMap((entry, index) =>
      'hooks' in entry
        ? entry.hooks.map((hook, inner) => ({ point, hook, path: [point, index, 'hooks', inner] }))
        : [{ point, hook: entry, path: [point, index] }],
    ),
  );
}

/**
 * The pattern of a matcher, which has to match whole names, as in docker-agent. The flag `u` refuses parts of Go's expressions that JavaScript would read as
 * something else, such as `\A` and `\z`: with those, a guard would never run.
 */
export function matcherPattern(matcher: string): RegExp {
  const [, flags = '', source = ''] = /^(\(\?i\))?([^]*)$/.exec(matcher) ?? [];
  return new RegExp(`^(?:${source})$`, flags === '' ? 'u' : 'iu');
}

function isPattern(value: string): boolean {
  // A named class, such as [[:alpha:]], exists in Go alone.
  if (/\[\[:/.test(value)) return false;
  try {
    // The matcher must be valid without the group, too: "a)|(b" is not, although it becomes valid within one.
    return [new RegExp(value.replace(/^\(\?i\)/, ''), 'u'), matcherPattern(value)].length > 0;
  } catch {
    return false;
  }
}
