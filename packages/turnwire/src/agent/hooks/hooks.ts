import { resolve } from 'node:path';
import { type Hook, type Hooks, matcherPattern } from '../../config/schema/hooks.js';
import { messageOf } from '../abort.js';
import type { Variables } from '../tools/command.js';
import type { Tool } from '../tools/tool.js';
import { firstCharacters } from '../well-formed.js';
import { readHookAnswer } from './hook-answer.js';
import { runHookCommand } from './hook-command.js';
import { type HookEvent, type HookPoint, hookPoints } from './hook-point.js';

/** Where the hooks of a session run, and what they are told of it. */
export interface HookSurroundings {
  /** An absolute path. */
  directory: string;
  env: Variables;
  /** Replaces `${env.NAME}` in the variables of a hook. @default they are given as they are */
  expand?: ((values: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>) | undefined;
}

export interface HookCall {
  point: HookPoint;
  /** Told to each hook on its standard input. */
  event: HookEvent;
  /** The tool that is called, at the points that are about one. */
  tool?: Pick<Tool, 'name' | 'alias' | 'restrictedAs' | 'command'> | undefined;
  signal: AbortSignal;
}

/** What all hooks of one point came to. */
export interface HookVerdict {
  /** The first hook that said no, or failed where a failure is a no. */
  blocked: HookWord | undefined;
  /** The first hook that wants the user to be asked. */
  ask: HookWord | undefined;
  /** The changed arguments of the call. */
  input: unknown;
  /** The hook that changed them last; undefined: they are as they were. */
  changedBy: string | undefined;
  /** What the model is to be told. */
  context: string[];
  /** What the user is to be told, each a sentence. */
  warnings: string[];
}

export interface HookWord {
  /** The name of the hook, or the beginning of its command. */
  by: string;
  reason: string;
}

/** In code units. */
const longestLabel = 80;

/** What nobody has said anything about. */
export function noVerdict(input?: unknown): HookVerdict {
  return { blocked: undefined, ask: undefined, input, changedBy: undefined, context: [], warnings: [] };
}

/**
 * Runs the hooks that an agent has for a point, one after another, in the order of the file. Each is told what happens as JSON on its standard input: where
 * one changes the arguments of a call, the next is told the changed ones. All are asked, also after one has said no, so that a log misses nothing.
 *
 * @throws the signal's reason.
 */
export async function runHooks(hooks: Hooks, call: HookCall, around: HookSurroundings): Promise<HookVerdict> {
  const { point, event, tool } = call;
  const verdict = noVerdict(event.tool_input);
  for (const { hook, toolName } of hooksAt(hooks, point, tool)) {
    const input = {
      hook_event_name: point,
      cwd: around.directory,
      ...event,
      ...(toolName === undefined ? {} : { tool_name: toolName }),
      ...(Object.hasOwn(event, 'tool_input') ? { tool_input: verdict.input } : {}),
    };
    await ask(hook, input, call, around, verdict);
  }
  return verdict;
}

/** Runs one hook, and adds to the verdict what it came to. */
async function ask(
  hook: Hook,
  input: unknown,
  { point, signal }: HookCall,
  around: HookSurroundings,
  verdict: HookVerdict,
): Promise<void> {
  const by = labelOf(hook);
  const { blocks, takesText, takesContext } = hookPoints[point];
  const no = (reason: string): void => {
    if (blocks === 'warns') verdict.warnings.push(`the hook ${by} says no, which ends nothing here${tail(reason)}`);
    else verdict.blocked ??= { by, reason };
  };
  const failed = (reason: string): void => {
    if (blocks === 'fail_closed' || (blocks === 'stops' && hook.on_error === 'block'))
      verdict.blocked ??= { by, reason };
    else if (hook.on_error !== 'ignore') verdict.warnings.push(`the hook ${by} failed: ${reason}`);
  };
  let end;
  try {
    const { directory, env, expand } = around;
    const own = hook.env === undefined ? {} : expand === undefined ? hook.env : await expand(hook.env);
    end = await runHookCommand({
      command: hook.command,
      cwd: resolve(directory, hook.working_dir ?? '.'),
      env: { ...env, ...own },
      timeout: hook.timeout,
      signal,
      input: JSON.stringify(input),
      patient: blocks === 'fail_closed',
    });
  } catch (error) {
    signal.throwIfAborted();
    return failed(messageOf(error));
  }
  const { status, stdout, whole, stderr, how } = end;
  const answer = readHookAnswer(stdout, whole);
  const words = stderr.trim() || (answer.kind === 'fields' && answer.fields.blocked) || stdout.trim();
  // Status 2 is a no in so many words.
  if (status === 2) return no(words);
  if (status !== 0) return failed(`${how}${tail(words)}`);
  switch (answer.kind) {
    case 'nothing':
      return undefined;
    case 'unreadable':
      return failed(answer.why);
    case 'text':
      if (takesText) verdict.context.push(answer.text);
      else if (blocks === 'fail_closed')
        failed(
          'it printed something that is no answer; print one JSON object, or nothing, and write remarks to standard error',
        );
      return undefined;
    case 'fields': {
      const { fields, unserved } = answer;
      if (unserved.length > 0) failed(`it answered with ${unserved.join(', ')}, which turnwire does not serve`);
      if (fields.systemMessage !== undefined) verdict.warnings.push(fields.systemMessage);
      if (fields.blocked !== undefined) no(fields.blocked);
      if (fields.context !== undefined) {
        if (takesContext) verdict.context.push(fields.context);
        else failed(`it answered with additional_context, which is not served at ${point}`);
      }
      if (point === 'pre_tool_use') {
        if (fields.ask !== undefined) verdict.ask ??= { by, reason: fields.ask };
        if (fields.updatedInput !== undefined) change(verdict, fields.updatedInput, by);
      } else {
        if (fields.ask !== undefined) failed(`it wants the user to be asked, which is not served at ${point}`);
        if (fields.updatedInput !== undefined)
          failed(`it answered with updated_input, which is not served at ${point}`);
      }
      return undefined;
    }
  }
}

/** A script of many lines is a hook's own business: neither people nor the model need all of it. */
function labelOf({ name, command }: Hook): string {
  if (name !== undefined) return name;
  const [first = ''] = command.trim().split('\n', 1);
  const label = firstCharacters(first, longestLabel);
  return label.length < command.trim().length ? `${label}…` : label;
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

function hooksAt(hooks: Hooks, point: HookPoint, tool: HookCall['tool']): Asked[] {
  if (point !== 'pre_tool_use' && point !== 'post_tool_use')
    return hooks[point].map((hook) => ({ hook, toolName: undefined }));
  return hooks[point].flatMap(({ matcher, hooks: own }) => {
    const toolName = tool === undefined ? undefined : nameFor(matcher, tool);
    return toolName === undefined ? [] : own.map((hook) => ({ hook, toolName }));
  });
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
