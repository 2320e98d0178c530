import { messageOf, orAbort } from '../base/abort.js';
import type { AgentError } from '../agent-error.js';
import type { Answer } from './approval.js';
import { readArguments } from './arguments.js';
import type { AgentEvent, ToolCall, ToolOutcome } from '../events.js';
import { type HookCall } from '../hooks/hooks.js';
import { type HookVerdict, type HookReason, noVerdict } from '../hooks/hook-verdict.js';
import type { Grants, ApprovalNeed, Permissions } from '../permissions/permissions.js';
import type { Preview, Tool, ToolOutput } from '../tools/tool.js';
import type { Call } from './turn-calls.js';

/** The result of a call. */
export interface Result {
  outcome: ToolOutcome;
  /** The output that the model is given. */
  output: ToolOutput;
  /** The call as a hook has changed it. @default as the model made it */
  shown?: ToolCall;
  /** The time that the tool itself took; waiting for the user does not count. */
  duration_ms: number;
}

/** A call that may run. */
export interface Ready {
  call: Call;
  shown: ToolCall;
  tool: Tool;
  args: unknown;
  /** The permission that the call needed: its rules also hold for other files and addresses that the tool comes upon. */
  need: ApprovalNeed;
  /** A note for the model, where the call that ran is not the call that it made; else empty. */
  note: string;
}

/** The output of the hooks of a turn's calls that concerns the whole run. */
export interface HookWords {
  context: string[];
  /** The first hook that wants the run to end. */
  stop: HookReason | undefined;
  /** The budget that a task of another agent has used up, which ends this run too. */
  exceeded: AgentError | undefined;
}

export interface PrepareOptions {
  /** The name of the agent that makes the call. */
  agent: string;
  tools: ReadonlyMap<string, Tool>;
  permissions: Permissions;
  /** Runs the user's hooks for a call. @default there are none */
  hook?: ((call: HookCall) => Promise<HookVerdict>) | undefined;
  words: HookWords;
  signal: AbortSignal;
}

export const notRun = 'Error: this call was not run, because the run ended first.';

/** The hooks that run before the decision about a call. The last one sees the call as it would run. */
const guards = ['tool_input_transform', 'pre_tool_use', 'tool_guard'] as const;

/** The decision about a call and its origin, in docker-agent's words. */
interface Decision {
  decision: 'allow' | 'deny' | 'canceled';
  source: string;
}

/** Finds out whether a call may run: checks its arguments, looks up rules, and asks hooks and the user. */
export async function* prepare(
  call: Call,
  asked: ToolCall,
  options: PrepareOptions,
): AsyncGenerator<AgentEvent, Ready | Result> {
  const { agent, tools, permissions, signal } = options;
  const tool = call.answer === 'function_call_output' ? tools.get(call.name) : undefined;
  if (tool === undefined) {
    const names = [...tools.keys()].join(', ');
    return failed(`there is no tool ${call.name}; ${names === '' ? 'you have no tools' : `the tools are ${names}`}`);
  }
  const read = readArguments(call.arguments);
  if ('problem' in read) return failed(`${read.problem}\nNothing was run; write the call of ${call.name} again.`);
  try {
    tool.check(read.value);
  } catch (error) {
    return failed(messageOf(error));
  }
  const first = await permissions.needs(agent, tool, read.value);
  const decided = (args: unknown, how: Decision) => tellDecision(call, tool, args, how, options);
  if (first.kind === 'refused') {
    yield* decided(read.value, { decision: 'deny', source: 'team_permissions_deny' });
    return unrun('declined', refusal(first.rule));
  }
  const guarded = yield* guard(call, tool, read.value, asked, options);
  if ('outcome' in guarded) {
    if (guarded.outcome === 'declined')
      yield* decided(read.value, { decision: 'deny', source: 'pre_tool_use_hook_deny' });
    return guarded;
  }
  const { args, shown, note, ask } = guarded;
  const ruled = shown === asked ? first : await permissions.needs(agent, tool, args);
  if (ruled.kind === 'refused') {
    yield* decided(args, { decision: 'deny', source: 'team_permissions_deny' });
    return { ...unrun('declined', `${refusal(ruled.rule)}${note}`), shown };
  }
  const must = ask === undefined ? tool.risk?.(args) : `the hook ${ask.by} wants it${tailOf(ask)}`;
  const need = must === undefined ? ruled : await permissions.asked(must, tool, args);
  if (need.kind === 'answer') {
    const answered = yield* answer({ call, tool, args, shown, need, fixed: must !== undefined }, options);
    yield* decided(args, answered);
    if (answered.decision === 'deny') return { ...unrun('declined', answered.said), shown };
  } else {
    yield* decided(args, { decision: 'allow', source: need.by });
  }
  return signal.aborted ? { ...unrun('skipped', notRun), shown } : { call, shown, tool, args, need, note };
}

/** A call after the hooks that can change or block it. */
interface Guarded {
  args: unknown;
  shown: ToolCall;
  note: string;
  /** The hook that wants the user to be asked. */
  ask: HookReason | undefined;
}

/** Runs the hooks that can block a call or change it. */
async function* guard(
  call: Call,
  tool: Tool,
  written: Readonly<Record<string, unknown>>,
  asked: ToolCall,
  { hook, words, signal }: PrepareOptions,
): AsyncGenerator<AgentEvent, Guarded | Result> {
  const guarded: Guarded = { args: written, shown: asked, note: '', ask: undefined };
  for (const point of guards) {
    const event = { tool_use_id: call.id, tool_input: guarded.args };
    const verdict = (await hook?.({ point, tool, event, signal })) ?? noVerdict(guarded.args);
    for (const message of verdict.warnings) yield { type: 'warning', message };
    words.context.push(...verdict.context);
    const { shown } = guarded;
    if (verdict.blocked !== undefined)
      return { ...unrun('declined', blocked(verdict.blocked)), ...(shown === asked ? {} : { shown }) };
    guarded.ask ??= verdict.ask;
    if (verdict.changedBy === undefined) continue;
    guarded.args = verdict.input;
    guarded.shown = { ...asked, arguments: JSON.stringify(verdict.input) };
    guarded.note = `\n[${verdict.changedBy} changed the arguments of this call to ${guarded.shown.arguments}]`;
    yield { type: 'tool_call_changed', tool_call: guarded.shown, by: verdict.changedBy };
    try {
      refuseUnknownArguments(tool, guarded.args, written);
      tool.check(guarded.args);
    } catch (error) {
      return {
        ...failed(`${verdict.changedBy} changed the arguments of this call, and they are wrong: ${messageOf(error)}`),
        shown: guarded.shown,
      };
    }
  }
  return guarded;
}

interface Question {
  call: Call;
  tool: Tool;
  args: unknown;
  shown: ToolCall;
  need: Extract<ApprovalNeed, { kind: 'answer' }>;
  /** True where the user has to be asked, whatever the hooks answer. */
  fixed: boolean;
}

/** Gets an answer for a call that needs one, from hooks or from the user. */
async function* answer(
  { call, tool, args, shown, need, fixed }: Question,
  { agent, permissions, hook, signal }: PrepareOptions,
): AsyncGenerator<AgentEvent, Decision & { said: string }> {
  const event = { tool_use_id: call.id, tool_input: args };
  try {
    const verdict = (await hook?.({ point: 'permission_request', tool, event, signal })) ?? noVerdict();
    for (const message of verdict.warnings) yield { type: 'warning', message };
    if (verdict.blocked !== undefined)
      return { decision: 'deny', source: 'permission_request_hook_deny', said: blocked(verdict.blocked) };
    const allowed = verdict.allowed !== undefined && verdict.ask === undefined && !verdict.failed && !fixed;
    if (allowed && permissions.allows(agent, tool, 'yes', need))
      return { decision: 'allow', source: 'permission_request_hook_allow', said: '' };
    yield { type: 'tool_call_confirmation', tool_call: shown };
    const waiting = (await hook?.({ point: 'on_user_input', event: {}, signal })) ?? noVerdict();
    for (const message of waiting.warnings) yield { type: 'warning', message };
    const preview = await previewOf(tool, args);
    const question = { signal, agent, preview, detail: tool.detail, reason: need.reason, fixed };
    const given = await orAbort(Promise.resolve(need.of.approve(shown, question)), signal, 0);
    if (!permissions.allows(agent, tool, given, need))
      return { decision: 'deny', source: 'user_rejected', said: declined(given) };
    return { decision: 'allow', source: given === 'always' ? 'user_approved_tool' : 'user_approved', said: '' };
  } catch (error) {
    if (signal.aborted) return { decision: 'canceled', source: 'context_canceled', said: notRun };
    const rules = fixed ? '' : allowingRules(tool, need);
    const said = `The user could not be asked for this call: ${messageOf(error)}${rules}`;
    return { decision: 'deny', source: 'non_interactive_deny', said };
  }
}

/** Tells hooks the decision about a call. Their failures do not change it. */
async function* tellDecision(
  call: Call,
  tool: Tool,
  args: unknown,
  { decision, source }: Decision,
  { hook, signal }: PrepareOptions,
): AsyncGenerator<AgentEvent> {
  const event = {
    tool_name: tool.name,
    tool_use_id: call.id,
    tool_input: args,
    approval_decision: decision,
    approval_source: source,
  };
  try {
    const { warnings } = (await hook?.({ point: 'on_tool_approval_decision', event, signal })) ?? noVerdict();
    for (const message of warnings) yield { type: 'warning', message };
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The preview of a call; undefined also where it cannot be made. The arguments are shown then, and the tool will report the mistake. */
async function previewOf(tool: Tool, args: unknown): Promise<Preview | undefined> {
  try {
    return await tool.preview?.(args);
  } catch {
    return undefined;
  }
}

function declined(answer: Answer): string {
  return `The user declined this call${typeof answer === 'object' ? `, and said: ${answer.no}` : '.'}`;
}

/** The rules that would allow a request, or reading outside of the working directory, without a question. */
function allowingRules({ name, paths }: Tool, { addresses, folders }: Grants): string {
  const rules = [
    ...addresses.map(({ origin }) => `"fetch:urls=${origin}/*"`),
    ...folders.map((folder) => `"${name}:${paths?.names[0] ?? 'path'}=${folder}/*"`),
  ];
  if (rules.length === 0) return '';
  return `. A rule of the agent file would allow it: permissions: { allow: [${rules.join(', ')}] }`;
}

/**
 * Refuses arguments that turnwire's own tool does not have: the tool would ignore them, and run without the change that a hook wanted. For the tools of an
 * MCP server, the server checks them.
 *
 * @throws Error that names them
 */
function refuseUnknownArguments({ name, alias, parameters }: Tool, args: unknown, asked: object): void {
  const { properties } = parameters;
  if (alias !== undefined || typeof properties !== 'object' || properties === null) return;
  const unknown = Object.keys(args as object).filter(
    (key) => !Object.hasOwn(properties, key) && !Object.hasOwn(asked, key),
  );
  if (unknown.length > 0) throw new Error(`${name} has no argument ${unknown.join(', ')}`);
}

function refusal(rule: string): string {
  return `This call is not allowed: the rule "${rule}" denies it.`;
}

function blocked(word: HookReason): string {
  return `This call was blocked by ${word.by}${tailOf(word)}`;
}

function tailOf({ reason }: HookReason): string {
  return reason === '' ? '' : `: ${reason}`;
}

function failed(message: string): Result {
  return unrun('failed', `Error: ${message}`);
}

function unrun(outcome: ToolOutcome, output: string): Result {
  return { outcome, output, duration_ms: 0 };
}
