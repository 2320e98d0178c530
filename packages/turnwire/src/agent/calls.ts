import { setMaxListeners } from 'node:events';
import type { InputItem } from '@turnwire/client';
import { messageOf, orAbort } from './abort.js';
import { AgentError } from './agent-error.js';
import type { Answer } from './approval.js';
import { readArguments } from './arguments.js';
import type { AgentEvent, ToolCall, ToolOutcome } from './events.js';
import type { History } from './history.js';
import { type HookCall, type HookVerdict, type HookWord, noVerdict } from './hooks/hooks.js';
import type { Need, Permissions } from './permissions/permissions.js';
import type { Repetition } from './repetition.js';
import { type Tell, tellWhile } from './tell.js';
import { outputText, withNote } from './tools/output.js';
import { type Preview, type Tool, ToolFailure, type ToolOutput } from './tools/tool.js';
import type { Call } from './turn-calls.js';
import { wellFormed } from './well-formed.js';

/** How long a tool may take to end after it was told to, in milliseconds. Longer than the shell takes to kill a command. */
const abortGrace = 6000;

/** What a call came to. */
interface Result {
  outcome: ToolOutcome;
  /** What the model is told. */
  output: ToolOutput;
  /** The call as a hook has changed it. @default as the model made it */
  shown?: ToolCall;
  /** How long the tool itself took; waiting for the user is not counted. */
  duration_ms: number;
}

export interface CallOptions {
  /** The name of the one that makes the calls. */
  agent: string;
  tools: ReadonlyMap<string, Tool>;
  permissions: Permissions;
  repetition: Repetition;
  history: History;
  /** Runs the hooks that the user has for each call. @default there are none */
  hook?: ((call: HookCall) => Promise<HookVerdict>) | undefined;
  /** Tells the model what hooks have to say, once all calls are answered. */
  addContext?: ((context: readonly string[]) => void) | undefined;
  signal: AbortSignal;
}

/** What the hooks of the calls of one turn have to say beyond their own call. */
interface HookWords {
  context: string[];
  /** The first that wants the run to end. */
  stop: HookWord | undefined;
}

interface Within extends CallOptions {
  words: HookWords;
}

/**
 * Runs the calls of a turn and records exactly one answer for each, whatever happens: a call without one makes the whole conversation
 * unusable. Calls that only read run at the same time, where they stand side by side; each other one alone, in the order of the model. What
 * goes wrong with a tool is an answer too.
 *
 * @throws the signal's reason when it fires, AgentError when the model repeats itself or a hook ends the run; all calls are answered by then.
 */
export async function* runCalls(calls: readonly Call[], options: CallOptions): AsyncGenerator<AgentEvent> {
  const { history, repetition, signal } = options;
  const open = new Set(calls);
  const settle = (call: Call, output: ToolOutput): void => {
    open.delete(call);
    history.add(answerItem(call, output));
  };
  // Fires also where the reader leaves while tools are running.
  const left = new AbortController();
  const words: HookWords = { context: [], stop: undefined };
  const within = { ...options, words, signal: AbortSignal.any([signal, left.signal]) };
  // Calls side by side listen to it, each for as long as it runs: Node would take more than ten for a leak.
  setMaxListeners(0, within.signal);
  let running: Promise<unknown> = Promise.resolve();
  try {
    for (const group of groups(calls, options.tools)) {
      const ready: Ready[] = [];
      for (const call of group) {
        const { id, name, arguments: args } = call;
        const shown: ToolCall = { id, name, arguments: args };
        yield { type: 'tool_call', tool_call: shown };
        signal.throwIfAborted();
        repetition.watch(shown);
        const prepared = yield* prepare(call, shown, within);
        if ('tool' in prepared) {
          ready.push(prepared);
        } else {
          settle(call, prepared.output);
          yield responseEvent(prepared.shown ?? shown, prepared);
        }
      }
      yield* tellWhile((tell) => {
        const work = ready.map(async (each) => {
          if (!each.tool.readOnly || each.tool.delegates === true) history.begin(each.call.id);
          const result = await execute(each, tell, within);
          settle(each.call, result.output);
          await tell(responseEvent(each.shown, result));
        });
        return Promise.all(((running = Promise.allSettled(work)), work));
      });
      signal.throwIfAborted();
    }
    options.addContext?.(words.context);
    if (words.stop !== undefined) throw endedBy(words.stop);
  } finally {
    left.abort(new Error('the run was left before its end'));
    await running;
    // Only where the run ends in the middle: by an error, by the signal, or because its reader left. No tool is running then.
    for (const call of open) settle(call, notRun);
  }
}

export const interrupted = 'Error: the run was interrupted while this call ran; it may have had effects.';
export const notRun = 'Error: this call was not run, because the run ended first.';

/** Answers the calls of a response that is not to be trusted: it was cut off, and its last call may be half a call. */
export function skipCalls(calls: readonly Call[], history: History): void {
  for (const call of calls) {
    history.add(answerItem(call, 'Error: this call was not run, because the response was cut off.'));
  }
}

function answerItem({ answer, id }: Call, output: ToolOutput): InputItem {
  return { type: answer, call_id: id, output: typeof output === 'string' ? output : [...output] };
}

function responseEvent(shown: ToolCall, { outcome, output, duration_ms }: Result): AgentEvent {
  return { type: 'tool_call_response', tool_call: shown, outcome, response: outputText(output), duration_ms };
}

/** Calls that may run at the same time. */
function groups(calls: readonly Call[], tools: ReadonlyMap<string, Tool>): Call[][] {
  const together = ({ name }: Call): boolean => {
    const tool = tools.get(name);
    return tool?.readOnly === true && tool.alone !== true;
  };
  const found: Call[][] = [];
  for (const call of calls) {
    const group = found.at(-1);
    if (group?.every(together) === true && together(call)) group.push(call);
    else found.push([call]);
  }
  return found;
}

/** A call that may run. */
interface Ready {
  call: Call;
  shown: ToolCall;
  tool: Tool;
  args: unknown;
  /** What the call needed: the rules hold for what it comes upon, too. */
  need: Need;
  /** Tells the model what ran, where that is not what it asked for; else empty. */
  note: string;
}

async function* prepare(call: Call, asked: ToolCall, options: Within): AsyncGenerator<AgentEvent, Ready | Result> {
  const { agent, tools, permissions, signal, hook, words } = options;
  const tool = call.answer === 'function_call_output' ? tools.get(call.name) : undefined;
  if (tool === undefined) {
    const names = [...tools.keys()].join(', ');
    return failed(`there is no tool ${call.name}; ${names === '' ? 'you have no tools' : `the tools are ${names}`}`);
  }
  const read = readArguments(call.arguments);
  if ('problem' in read) return failed(`${read.problem}\nNothing was run; write the call of ${call.name} again.`);
  let args: unknown = read.value;
  try {
    tool.check(args);
  } catch (error) {
    return failed(messageOf(error));
  }
  let need = await permissions.needs(agent, tool, args);
  if (need.kind === 'refused') return unrun('declined', refusal(need.rule));
  const event = { tool_use_id: call.id, tool_input: args };
  const verdict = (await hook?.({ point: 'pre_tool_use', tool, event, signal })) ?? noVerdict(args);
  for (const message of verdict.warnings) yield { type: 'warning', message };
  words.context.push(...verdict.context);
  if (verdict.blocked !== undefined) return unrun('declined', blocked(verdict.blocked));
  let shown = asked;
  let note = '';
  if (verdict.changedBy !== undefined) {
    args = verdict.input;
    shown = { ...asked, arguments: JSON.stringify(args) };
    note = `\n[${verdict.changedBy} changed the arguments of this call to ${shown.arguments}]`;
    yield { type: 'tool_call_changed', tool_call: shown, by: verdict.changedBy };
    try {
      refuseStrangers(tool, args, read.value);
      tool.check(args);
    } catch (error) {
      return {
        ...failed(`${verdict.changedBy} changed the arguments of this call, and they are wrong: ${messageOf(error)}`),
        shown,
      };
    }
    need = await permissions.needs(agent, tool, args);
    if (need.kind === 'refused') return { ...unrun('declined', `${refusal(need.rule)}${note}`), shown };
  }
  if (verdict.ask !== undefined) need = permissions.asked(verdict.ask, tool, args);
  if (need.kind === 'answer') {
    yield { type: 'tool_call_confirmation', tool_call: shown };
    try {
      const preview = await previewOf(tool, args);
      const question = { signal, agent, preview, detail: tool.detail, reason: need.reason };
      const given = await orAbort(Promise.resolve(need.of.approve(shown, question)), signal, 0);
      if (!permissions.allows(agent, tool, given, need.addresses))
        return { ...unrun('declined', declined(given)), shown };
    } catch (error) {
      if (!signal.aborted)
        return {
          ...unrun(
            'declined',
            `The user could not be asked for this call: ${messageOf(error)}${wayOut(need.addresses)}`,
          ),
          shown,
        };
    }
  }
  return signal.aborted ? { ...unrun('skipped', notRun), shown } : { call, shown, tool, args, need, note };
}

/** Undefined also where it cannot be told what a call would do: then the arguments are shown, and the tool says what is wrong. */
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

/** The rule by which a request needs no question. */
function wayOut(addresses: readonly URL[]): string {
  if (addresses.length === 0) return '';
  const rules = addresses.map(({ origin }) => `"fetch:urls=${origin}/*"`).join(', ');
  return `. A rule of the agent file would allow it: permissions: { allow: [${rules}] }`;
}

/**
 * Refuses arguments that a tool of ours does not have: it would pass them over, and run what a hook wanted to be changed. The tools of an MCP server
 * are the server's to check.
 *
 * @throws Error that names them.
 */
function refuseStrangers({ name, alias, parameters }: Tool, args: unknown, asked: object): void {
  const { properties } = parameters;
  if (alias !== undefined || typeof properties !== 'object' || properties === null) return;
  const strangers = Object.keys(args as object).filter(
    (key) => !Object.hasOwn(properties, key) && !Object.hasOwn(asked, key),
  );
  if (strangers.length > 0) throw new Error(`${name} has no argument ${strangers.join(', ')}`);
}

function refusal(rule: string): string {
  return `This call is not allowed: the rule "${rule}" denies it.`;
}

function blocked({ by, reason }: HookWord): string {
  return `This call was blocked by ${by}${reason === '' ? '' : `: ${reason}`}`;
}

function endedBy({ by, reason }: HookWord): AgentError {
  return new AgentError('hook_blocked', `the hook ${by} ended the run${reason === '' ? '' : `: ${reason}`}`);
}

/** Never rejects. */
async function execute({ call, tool, args, need, note }: Ready, tell: Tell, within: Within): Promise<Result> {
  const { agent, permissions, signal, hook, words } = within;
  const started = performance.now();
  const took = (): number => Math.round(performance.now() - started);
  let result: Result;
  try {
    const output = wellFormed(
      await orAbort(tool.run(args, { signal, tell, ...permissions.limits(agent, tool, need) }), signal, abortGrace),
    );
    result = { outcome: 'done', output, duration_ms: took() };
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted', output: interrupted, duration_ms: took() };
    const output = error instanceof ToolFailure ? error.output : `Error: ${messageOf(error)}`;
    result = { outcome: 'failed', output: wellFormed(output), duration_ms: took() };
  }
  try {
    const event = {
      tool_use_id: call.id,
      tool_input: args,
      tool_response: outputText(result.output),
      tool_error: result.outcome !== 'done',
    };
    const verdict = (await hook?.({ point: 'post_tool_use', tool, event, signal })) ?? noVerdict();
    for (const message of verdict.warnings) await tell({ type: 'warning', message });
    words.context.push(...verdict.context);
    words.stop ??= verdict.blocked;
  } catch {
    // The run is over; what the tool has done stays its answer.
  }
  return { ...result, output: withNote(result.output, note) };
}

function failed(message: string): Result {
  return unrun('failed', `Error: ${message}`);
}

function unrun(outcome: ToolOutcome, output: string): Result {
  return { outcome, output, duration_ms: 0 };
}
