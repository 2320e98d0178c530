import { setMaxListeners } from 'node:events';
import type { InputItem } from '@turnwire/client';
import { messageOf, orAbort } from './abort.js';
import type { Permissions } from './approval.js';
import { readArguments } from './arguments.js';
import type { AgentEvent, ToolCall, ToolOutcome } from './events.js';
import type { History } from './history.js';
import type { HookFailure } from './hooks.js';
import type { Repetition } from './repetition.js';
import { type Tell, tellWhile } from './tell.js';
import { outputText } from './tools/output.js';
import type { Tool, ToolOutput } from './tools/tool.js';
import type { Call } from './turn-calls.js';
import { wellFormed } from './well-formed.js';

/** How long a tool may take to end after it was told to, in milliseconds. Longer than the shell takes to kill a command. */
const abortGrace = 6000;

/** What a call came to. */
interface Result {
  outcome: ToolOutcome;
  /** What the model is told. */
  output: ToolOutput;
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
  /** Runs the commands that the user has for each call. @default there are none */
  hook?: (
    point: 'pre_tool_use' | 'post_tool_use',
    event: HookEvent,
    signal: AbortSignal,
  ) => Promise<HookFailure | undefined>;
  signal: AbortSignal;
}

export interface HookEvent extends Readonly<Record<string, unknown>> {
  tool_name: string;
}

/**
 * Runs the calls of a turn and records exactly one answer for each, whatever happens: a call without one makes the whole conversation
 * unusable. Calls that only read run at the same time, where they stand side by side; each other one alone, in the order of the model. What
 * goes wrong with a tool is an answer too.
 *
 * @throws the signal's reason when it fires, AgentError when the model repeats itself; all calls are answered by then.
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
  const within = { ...options, signal: AbortSignal.any([signal, left.signal]) };
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
          yield responseEvent(shown, prepared);
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
}

async function* prepare(call: Call, shown: ToolCall, options: CallOptions): AsyncGenerator<AgentEvent, Ready | Result> {
  const { agent, tools, permissions, signal, hook } = options;
  const tool = call.answer === 'function_call_output' ? tools.get(call.name) : undefined;
  if (tool === undefined) {
    const names = [...tools.keys()].join(', ');
    return failed(`there is no tool ${call.name}; ${names === '' ? 'you have no tools' : `the tools are ${names}`}`);
  }
  const read = readArguments(call.arguments);
  if ('problem' in read) return failed(`${read.problem}\nNothing was run; write the call of ${call.name} again.`);
  const { value: args } = read;
  try {
    tool.check(args);
  } catch (error) {
    return failed(messageOf(error));
  }
  const need = permissions.needs(agent, tool, args);
  if (need.kind === 'refused') return unrun('declined', `This call is not allowed: the rule "${need.rule}" denies it.`);
  const blocked = await hook?.('pre_tool_use', { tool_name: tool.name, tool_input: args }, signal);
  if (blocked !== undefined) return unrun('declined', `This call was blocked by ${blocked.command}: ${blocked.said}`);
  if (need.kind === 'answer') {
    yield { type: 'tool_call_confirmation', tool_call: shown };
    try {
      const asked = need.of.approve(shown, { signal, detail: tool.detail });
      const given = await orAbort(Promise.resolve(asked), signal, 0);
      if (!permissions.allows(agent, tool, given)) return unrun('declined', 'The user declined this call.');
    } catch (error) {
      if (!signal.aborted) return unrun('declined', `The user could not be asked for this call: ${messageOf(error)}`);
    }
  }
  return signal.aborted ? unrun('skipped', notRun) : { call, shown, tool, args };
}

/** Never rejects. */
async function execute({ tool, args }: Ready, tell: Tell, { signal, hook }: CallOptions): Promise<Result> {
  const started = performance.now();
  const took = (): number => Math.round(performance.now() - started);
  let result: Result;
  try {
    const output = wellFormed(await orAbort(tool.run(args, { signal, tell }), signal, abortGrace));
    result = { outcome: 'done', output, duration_ms: took() };
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted', output: interrupted, duration_ms: took() };
    result = { ...failed(messageOf(error)), duration_ms: took() };
  }
  try {
    const event = { tool_name: tool.name, tool_input: args, tool_response: outputText(result.output) };
    const broken = await hook?.('post_tool_use', event, signal);
    if (broken !== undefined)
      await tell({ type: 'warning', message: `the hook ${broken.command} failed: ${broken.said}` });
  } catch {
    // The run is over; what the tool has done stays its answer.
  }
  return result;
}

function failed(message: string): Result {
  return unrun('failed', `Error: ${message}`);
}

function unrun(outcome: ToolOutcome, output: string): Result {
  return { outcome, output, duration_ms: 0 };
}
