import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type BuiltinHook,
  type CommandHook,
  type Hook,
  type Hooks,
  matcherPattern,
} from '../../config/schema/agents/hooks.js';
import { messageOf, orAbort } from '../base/abort.js';
import type { Variables } from '../tools/commands/command.js';
import type { Tool } from '../tools/tool.js';
import { firstCharacters } from '../base/well-formed.js';
import { runBuiltin } from './builtin/builtins.js';
import type { PromptFile } from '../conversation/prompt-files.js';
import { type HookAnswer, type HookFields, readHookAnswer } from './hook-answer.js';
import { runHookCommand } from './hook-command.js';
import { type HookEvent, type HookPoint, hookPoints, type SpecificField } from './hook-point.js';
import { type HookVerdict, noVerdict } from './hook-verdict.js';
import { type HookQuestion, runModelHook } from './model-hook.js';

/** The surroundings of a session's hooks. */
export interface HookContext {
  /** An absolute path. */
  directory: string;
  env: Variables;
  /** Replaces `${env.NAME}` in the variables of a hook. @default they stay as they are */
  expand?: ((values: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>) | undefined;
  /** The current time for the run. @default the machine's */
  now?: Date | undefined;
  /** The folder of turnwire in the user's home. @default none */
  home?: string | undefined;
  /** Asks a model. @default no model can be asked */
  ask?: ((question: HookQuestion) => Promise<string>) | undefined;
}

export interface HookCall {
  point: HookPoint;
  /** The input of each hook. */
  event: HookEvent;
  /** The tool of the call, at points that are about a call. */
  tool?: Pick<Tool, 'name' | 'alias' | 'restrictedAs' | 'command'> | undefined;
  /** True where the model has this text already as the result of the same call. @default no result counts as repeated */
  isRepeated?: ((text: string) => boolean) | undefined;
  signal: AbortSignal;
}

/** The longest label of a hook, in code units. */
const longestLabel = 80;

/**
 * Runs the hooks of an agent for a point, one after another, in the order of the file. Each gets its input as JSON. Where one hook changes the arguments of a
 * call or the output of a tool, the next one gets the changed input. All of them run, also after a refusal, so that a hook which keeps a log misses nothing.
 *
 * @throws the signal's reason
 */
export async function runHooks(hooks: Hooks, call: HookCall, around: HookContext): Promise<HookVerdict> {
  const { point, event, tool } = call;
  const verdict = noVerdict(event.tool_input);
  for (const { hook, toolName } of hooksAt(hooks, point, tool)) {
    const told = {
      hook_event_name: point,
      cwd: around.directory,
      ...event,
      ...(toolName === undefined ? {} : { tool_name: toolName }),
      ...(Object.hasOwn(event, 'tool_input') ? { tool_input: verdict.input } : {}),
      ...(verdict.response === undefined ? {} : { tool_response: verdict.response }),
    };
    const approve = (file: PromptFile) => approvePromptFile(hooks, file, call, around);
    take(verdict, await ended(hook, told, call, { ...around, approve }), hook, point);
  }
  return verdict;
}

/** The end of a hook. */
type End =
  | { kind: 'no'; reason: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'answered'; answer: HookAnswer };

interface Around extends HookContext {
  /** @throws Error where a guard of prompt files does not approve. */
  approve: (file: PromptFile) => Promise<void>;
}

async function ended(hook: Hook, told: HookInput, call: HookCall, around: Around): Promise<End> {
  try {
    if (hook.type === 'builtin') return await builtinEnd(hook, told, call, around);
    if (hook.type === 'command') return await commandEnd(hook, told, call, around);
    return { kind: 'answered', answer: await runModelHook(hook, told, { ask: around.ask, signal: call.signal }) };
  } catch (error) {
    call.signal.throwIfAborted();
    return { kind: 'failed', reason: messageOf(error) };
  }
}

type HookInput = Readonly<Record<string, unknown>>;

/** Runs the guards of prompt files for a file that a builtin hook has found. */
async function approvePromptFile(hooks: Hooks, file: PromptFile, call: HookCall, around: HookContext): Promise<void> {
  const { session_id: id, agent_name: agent } = call.event;
  const event = { session_id: id, agent_name: agent, ...promptFileEvent(file) };
  const { blocked } = await runHooks(hooks, { point: 'prompt_file_guard', event, signal: call.signal }, around);
  if (blocked !== undefined) throw new Error(`the hook ${blocked.by} did not approve ${file.name}`);
}

/** The input of a guard of prompt files. */
export function promptFileEvent({ path, content }: PromptFile): HookEvent {
  return { source: 'loaded', prompt_file: { path, content } };
}

async function builtinEnd(
  hook: BuiltinHook,
  told: HookInput,
  { signal, isRepeated = () => false }: HookCall,
  around: Around,
): Promise<End> {
  const { directory, env, now = new Date(), home, approve } = around;
  const limit = AbortSignal.timeout(hook.timeout * 1000);
  const either = AbortSignal.any([signal, limit]);
  try {
    const work = runBuiltin(hook, told, { directory, env, now, home, approve, isRepeated, signal: either });
    const fields = await orAbort(work, either, 0);
    return { kind: 'answered', answer: { kind: 'fields', fields, unsupported: [] } };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new Error(`it took longer than ${hook.timeout} s`, { cause: error });
    throw error;
  }
}

async function commandEnd(
  hook: CommandHook,
  told: HookInput,
  { point, signal }: HookCall,
  around: HookContext,
): Promise<End> {
  const { directory, env, expand } = around;
  const own = hook.env === undefined ? {} : expand === undefined ? hook.env : await expand(hook.env);
  const { status, stdout, whole, stderr, how } = await runHookCommand({
    command: hook.command,
    cwd: resolve(directory, hook.working_dir ?? '.'),
    env: { ...env, ...own },
    timeout: hook.timeout,
    signal,
    input: hookInput(told),
    patient: ['fail_closed', 'approves'].includes(hookPoints[point].blocks),
  });
  const answer = readHookAnswer({ text: stdout, whole, strict: hook.strict_output });
  const words = stderr.trim() || (answer.kind === 'fields' && answer.fields.blocked) || stdout.trim();
  // Status 2 is an explicit refusal.
  if (status === 2) return { kind: 'no', reason: words };
  if (status !== 0) return { kind: 'failed', reason: `${how}${tail(words)}` };
  return { kind: 'answered', answer };
}

/**
 * The standard input of a command: JSON whose only escapes are `\\uXXXX`. Hooks often pass it on with `echo "$INPUT" | jq`, and the echo of some shells, such
 * as dash, resolves the short escapes. The result would be no JSON: the hook would find nothing in it, and let the call pass.
 */
function hookInput(told: HookInput): string {
  return JSON.stringify(told).replace(/\\(["\\/bfnrt])/g, (_, escaped: string) => `\\u${codes[escaped] ?? '005c'}`);
}

const codes: Readonly<Record<string, string>> = { '"': '0022', b: '0008', f: '000c', n: '000a', r: '000d', t: '0009' };

/** Adds the result of a hook to the verdict. */
function take(verdict: HookVerdict, end: End, hook: Hook, point: HookPoint): void {
  const by = labelOf(hook);
  const { blocks, takesText, takesContext, fields: served = [] } = hookPoints[point];
  if (blocks === 'approves') {
    if (!isApproval(end)) verdict.blocked ??= { by, reason: '' };
    return;
  }
  const no = (reason: string): void => {
    if (blocks === 'warns') verdict.warnings.push(`the hook ${by} says no, which ends nothing here${tail(reason)}`);
    else verdict.blocked ??= { by, reason };
  };
  const failed = (reason: string): void => {
    verdict.failed = true;
    if (blocks === 'fail_closed' || (blocks === 'blocks' && hook.on_error === 'block'))
      verdict.blocked ??= { by, reason };
    else if (hook.on_error !== 'ignore') verdict.warnings.push(`the hook ${by} failed: ${reason}`);
  };
  if (end.kind === 'no') return no(end.reason);
  if (end.kind === 'failed') return failed(end.reason);
  const { answer } = end;
  switch (answer.kind) {
    case 'nothing':
      return undefined;
    case 'unreadable':
      return failed(answer.why);
    case 'text':
      if (takesText === true) verdict.context.push(answer.text);
      else if (blocks === 'fail_closed')
        failed(
          'it printed something that is no answer; print one JSON object, or nothing, and write remarks to standard error',
        );
      return undefined;
    case 'fields': {
      const { fields, unsupported } = answer;
      // A guard whose changes to the messages are not supported must end the run: to ignore them would send the messages unchanged.
      const refuse = point === 'before_llm_call' ? no : failed;
      if (unsupported.length > 0) refuse(`it answered with ${unsupported.join(', ')}, which turnwire does not support`);
      if (fields.systemMessage !== undefined) verdict.warnings.push(fields.systemMessage);
      if (fields.blocked !== undefined) no(fields.blocked);
      if (fields.context !== undefined) {
        if (takesContext === true) verdict.context.push(fields.context);
        else failed(`it answered with additional_context, which is not supported at ${point}`);
      }
      for (const field of fieldsIn(fields))
        if (!served.includes(field)) failed(`it answered with ${field}, which is not supported at ${point}`);
      if (served.includes('permission_decision')) {
        if (fields.ask !== undefined) verdict.ask ??= { by, reason: fields.ask };
        if (fields.allowed) verdict.allowed ??= { by, reason: '' };
      }
      if (served.includes('updated_input') && fields.updatedInput !== undefined)
        change(verdict, fields.updatedInput, by);
      if (served.includes('updated_tool_response')) verdict.response = fields.updatedToolResponse ?? verdict.response;
      if (served.includes('summary')) verdict.summary ??= fields.summary;
      return undefined;
    }
  }
}

/** True where a hook explicitly approves, and says nothing else. */
function isApproval(end: End): boolean {
  if (end.kind !== 'answered' || end.answer.kind !== 'fields') return false;
  const { fields, unsupported } = end.answer;
  const { approved, blocked, context, systemMessage } = fields;
  const others = [blocked, context, systemMessage, ...fieldsIn(fields), ...unsupported];
  return approved && others.every((field) => field === undefined);
}

/** The fields of an answer that are supported at some points only. A refusal has its own effect, and an allow has no request. */
function fieldsIn({ ask, updatedInput, updatedToolResponse, summary }: HookFields): SpecificField[] {
  const said: Readonly<Record<SpecificField, unknown>> = {
    permission_decision: ask,
    updated_input: updatedInput,
    updated_tool_response: updatedToolResponse,
    summary,
  };
  return (Object.keys(said) as SpecificField[]).filter((field) => said[field] !== undefined);
}

/** The name of a hook in messages: of a command, the beginning of its first line. */
function labelOf(hook: Hook): string {
  if (hook.name !== undefined) return hook.name;
  const command = (hook.type === 'model' ? `of ${hook.model}` : hook.command).trim();
  const [first = ''] = command.split('\n', 1);
  const label = firstCharacters(first, longestLabel);
  return label.length < command.length ? `${label}…` : label;
}

/** Changes the arguments of a call. Arguments that the hook does not name stay as they are. */
function change(verdict: HookVerdict, updated: Readonly<Record<string, unknown>>, by: string): void {
  const before = typeof verdict.input === 'object' && verdict.input !== null ? verdict.input : {};
  const after = { ...before, ...updated };
  if (isDeepStrictEqual(after, before)) return;
  verdict.input = after;
  verdict.changedBy = by;
}

interface Asked {
  hook: Hook;
  /** The name by which the hook's matcher knows the tool. */
  toolName: string | undefined;
}

/**
 * The builtin hooks that come after all others, in their order: a result is compared with what the model has, and moved into a file, only when others have
 * removed secrets from it.
 */
const last: readonly string[] = ['elide_repeated_tool_results', 'limit_large_tool_results'];

/** The hooks of a point in the order of the file, except for those that come last. */
function hooksAt(hooks: Hooks, point: HookPoint, tool: HookCall['tool']): Asked[] {
  const rank = ({ hook }: Asked): number => (hook.type === 'builtin' ? last.indexOf(hook.command) : -1);
  const asked = hooks[point].flatMap((entry): Asked[] => {
    if (!('hooks' in entry)) return [{ hook: entry, toolName: undefined }];
    const toolName = tool === undefined ? undefined : nameFor(entry.matcher, tool);
    return toolName === undefined ? [] : entry.hooks.map((hook) => ({ hook, toolName }));
  });
  return asked.sort((one, other) => rank(one) - rank(other));
}

/**
 * The name under which a matcher knows a tool: its own name, that of its MCP server (`mcp:SERVER:TOOL`), or that of the tool which does the same. The hook
 * gets that name as `tool_name`: so a guard that compares the name with its matcher's also sees background jobs as `shell`. undefined: the matcher is not
 * about the tool.
 */
function nameFor(matcher: string, tool: NonNullable<HookCall['tool']>): string | undefined {
  const { name, alias, command, restrictedAs } = tool;
  // A tool that only reads has other arguments than the tool it resembles, and a guard would look for those in vain.
  const kin = command === undefined ? undefined : restrictedAs;
  return [name, alias, kin].find((each) => each !== undefined && matches(matcher, each));
}

/** True where a matcher is about a tool of this name. As in docker-agent, it must match the whole name. */
function matches(matcher: string, name: string): boolean {
  return matcher === '' || matcher === '*' || matcherPattern(matcher).test(name);
}

function tail(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}
