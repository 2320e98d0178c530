import { resolve } from 'node:path';
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

/** Where the hooks of a session run, and what they are told of it. */
export interface HookContext {
  /** An absolute path. */
  directory: string;
  env: Variables;
  /** Replaces `${env.NAME}` in the variables of a hook. @default they are given as they are */
  expand?: ((values: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>) | undefined;
  /** The time by which the run goes. @default the machine's */
  now?: Date | undefined;
  /** The user's folder of turnwire. @default there is none */
  home?: string | undefined;
  /** Asks a model. @default none can be asked */
  ask?: ((question: HookQuestion) => Promise<string>) | undefined;
}

export interface HookCall {
  point: HookPoint;
  /** Told to each hook. */
  event: HookEvent;
  /** The tool that is called, at the points that are about one. */
  tool?: Pick<Tool, 'name' | 'alias' | 'restrictedAs' | 'command'> | undefined;
  signal: AbortSignal;
}

/** In code units. */
const longestLabel = 80;

/**
 * Runs the hooks that an agent has for a point, one after another, in the order of the file. Each is told what happens as JSON: where one changes the
 * arguments of a call, or what it returned, the next is told of the change. All are asked, also after one has said no, so that a log misses nothing.
 *
 * @throws the signal's reason.
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

/** How a hook ended. */
type End =
  | { kind: 'no'; reason: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'answered'; answer: HookAnswer };

interface Around extends HookContext {
  /** @throws Error where a guard of prompt files does not say yes. */
  approve: (file: PromptFile) => Promise<void>;
}

async function ended(hook: Hook, told: Told, call: HookCall, around: Around): Promise<End> {
  try {
    if (hook.type === 'builtin') return await builtinEnd(hook, told, call, around);
    if (hook.type === 'command') return await commandEnd(hook, told, call, around);
    return { kind: 'answered', answer: await runModelHook(hook, told, { ask: around.ask, signal: call.signal }) };
  } catch (error) {
    call.signal.throwIfAborted();
    return { kind: 'failed', reason: messageOf(error) };
  }
}

type Told = Readonly<Record<string, unknown>>;

/** Asks the guards of prompt files for one that a builtin has found. */
async function approvePromptFile(hooks: Hooks, file: PromptFile, call: HookCall, around: HookContext): Promise<void> {
  const { session_id: id, agent_name: agent } = call.event;
  const event = { session_id: id, agent_name: agent, ...promptFileEvent(file) };
  const { blocked } = await runHooks(hooks, { point: 'prompt_file_guard', event, signal: call.signal }, around);
  if (blocked !== undefined) throw new Error(`the hook ${blocked.by} did not approve ${file.name}`);
}

/** What a guard of prompt files is told. */
export function promptFileEvent({ path, content }: PromptFile): HookEvent {
  return { source: 'loaded', prompt_file: { path, content } };
}

async function builtinEnd(hook: BuiltinHook, told: Told, { signal }: HookCall, around: Around): Promise<End> {
  const { directory, env, now = new Date(), home, approve } = around;
  const limit = AbortSignal.timeout(hook.timeout * 1000);
  const either = AbortSignal.any([signal, limit]);
  try {
    const work = runBuiltin(hook, told, { directory, env, now, home, approve, signal: either });
    const fields = await orAbort(work, either, 0);
    return { kind: 'answered', answer: { kind: 'fields', fields, unserved: [] } };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new Error(`it took longer than ${hook.timeout} s`, { cause: error });
    throw error;
  }
}

async function commandEnd(
  hook: CommandHook,
  told: Told,
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
  // Status 2 is a no in so many words.
  if (status === 2) return { kind: 'no', reason: words };
  if (status !== 0) return { kind: 'failed', reason: `${how}${tail(words)}` };
  return { kind: 'answered', answer };
}

/**
 * What a command reads: JSON whose only escapes are `\\uXXXX`. Guards hand it on by `echo "$INPUT" | jq`, and the echo of some shells, dash among them,
 * resolves the short escapes: what is left is no JSON, the guard finds nothing in it, and lets the call pass.
 */
function hookInput(told: Told): string {
  return JSON.stringify(told).replace(/\\(["\\/bfnrt])/g, (_, escaped: string) => `\\u${codes[escaped] ?? '005c'}`);
}

const codes: Readonly<Record<string, string>> = { '"': '0022', b: '0008', f: '000c', n: '000a', r: '000d', t: '0009' };

/** Adds to the verdict what a hook came to. */
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
      const { fields, unserved } = answer;
      // A guard that wants other messages to be sent must not find that its own words were passed over.
      const refuse = point === 'before_llm_call' ? no : failed;
      if (unserved.length > 0) refuse(`it answered with ${unserved.join(', ')}, which turnwire does not serve`);
      if (fields.systemMessage !== undefined) verdict.warnings.push(fields.systemMessage);
      if (fields.blocked !== undefined) no(fields.blocked);
      if (fields.context !== undefined) {
        if (takesContext === true) verdict.context.push(fields.context);
        else failed(`it answered with additional_context, which is not served at ${point}`);
      }
      for (const field of fieldsIn(fields))
        if (!served.includes(field)) failed(`it answered with ${field}, which is not served at ${point}`);
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

/** Whether a hook says yes in so many words, and nothing else. */
function isApproval(end: End): boolean {
  if (end.kind !== 'answered' || end.answer.kind !== 'fields') return false;
  const { fields, unserved } = end.answer;
  const { approved, blocked, context, systemMessage } = fields;
  const others = [blocked, context, systemMessage, ...fieldsIn(fields), ...unserved];
  return approved && others.every((field) => field === undefined);
}

/** The fields of an answer that are served at some points alone. A no says itself what it comes to, and an allow asks for nothing. */
function fieldsIn({ ask, updatedInput, updatedToolResponse, summary }: HookFields): SpecificField[] {
  const said: Readonly<Record<SpecificField, unknown>> = {
    permission_decision: ask,
    updated_input: updatedInput,
    updated_tool_response: updatedToolResponse,
    summary,
  };
  return (Object.keys(said) as SpecificField[]).filter((field) => said[field] !== undefined);
}

/** A script of many lines is a hook's own business: neither people nor the model need all of it. */
function labelOf(hook: Hook): string {
  if (hook.name !== undefined) return hook.name;
  const command = (hook.type === 'model' ? `of ${hook.model}` : hook.command).trim();
  const [first = ''] = command.split('\n', 1);
  const label = firstCharacters(first, longestLabel);
  return label.length < command.length ? `${label}…` : label;
}

/** What a hook does not name stays as the model wrote it. */
function change(verdict: HookVerdict, updated: Readonly<Record<string, unknown>>, by: string): void {
  if (Object.keys(updated).length === 0) return;
  const before = typeof verdict.input === 'object' && verdict.input !== null ? verdict.input : {};
  verdict.input = { ...before, ...updated };
  verdict.changedBy = by;
}

interface Asked {
  hook: Hook;
  /** The name by which the hook's matcher knows the tool. */
  toolName: string | undefined;
}

/** In the order of the file; what puts a result into a file comes last, so that nothing is taken out of it too late. */
function hooksAt(hooks: Hooks, point: HookPoint, tool: HookCall['tool']): Asked[] {
  const isLast = ({ hook }: Asked): boolean => hook.type === 'builtin' && hook.command === 'limit_large_tool_results';
  const asked = hooks[point].flatMap((entry): Asked[] => {
    if (!('hooks' in entry)) return [{ hook: entry, toolName: undefined }];
    const toolName = tool === undefined ? undefined : nameFor(entry.matcher, tool);
    return toolName === undefined ? [] : entry.hooks.map((hook) => ({ hook, toolName }));
  });
  return [...asked.filter((each) => !isLast(each)), ...asked.filter(isLast)];
}

/**
 * The name under which a matcher knows a tool: its own, that of its MCP server (`mcp:SERVER:TOOL`), or that of the tool it does the same as. A guard that
 * compares `tool_name` with what its matcher says is asked about a job in the background as about `shell`. Undefined: it is not asked.
 */
function nameFor(matcher: string, tool: NonNullable<HookCall['tool']>): string | undefined {
  const { name, alias, command, restrictedAs } = tool;
  // Tools that read have other arguments than the one that they are like, which a guard would look for in vain.
  const kin = command === undefined ? undefined : restrictedAs;
  return [name, alias, kin].find((each) => each !== undefined && matches(matcher, each));
}

/** Whether a matcher is about a tool of this name: as in docker-agent, for the whole name. */
function matches(matcher: string, name: string): boolean {
  return matcher === '' || matcher === '*' || matcherPattern(matcher).test(name);
}

function tail(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}
