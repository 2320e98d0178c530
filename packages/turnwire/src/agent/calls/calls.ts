import { setMaxListeners } from 'node:events';
import type { InputItem } from '@turnwire/client';
import { messageOf, orAbort } from '../base/abort.js';
import { AgentError } from '../agent-error.js';
import type { AgentEvent, ToolCall } from '../events.js';
import type { History } from '../conversation/history.js';
import { endedBy } from '../hooks/run-hooks-at.js';
import type { HookEvent } from '../hooks/hook-point.js';
import { type HookVerdict, type HookReason, noVerdict } from '../hooks/hook-verdict.js';
import type { HookCall } from '../hooks/hooks.js';
import { bounded } from '../limits/tool-result.js';
import { type HookWords, notRun, prepare, type PrepareOptions, type Ready, type Result } from './prepare-call.js';
import { isShown, mayRepeat } from './repeated-result.js';
import type { Repetition } from './repetition.js';
import { type Emit, emitWhile } from '../emit.js';
import type { ToolHost } from '../tools/tool-host.js';
import { outputText, withNote, withText } from '../tools/output.js';
import { type Tool, ToolFailure, type ToolOutput } from '../tools/tool.js';
import type { Call } from './turn-calls.js';
import { wellFormed } from '../base/well-formed.js';

/** The time that a tool may take to end once it was aborted, in milliseconds. It is longer than the shell takes to kill a command. */
const abortGrace = 6000;

export interface CallOptions extends Omit<PrepareOptions, 'words'> {
  repetition: Repetition;
  history: History;
  /** Gives the output of hooks to the model, once all calls are answered. */
  addContext?: ((context: readonly string[]) => void) | undefined;
  /** The conversation that makes the calls. @default none, so that no tool can ask anything of it */
  caller?: ToolHost | undefined;
  /** The items of the history that the model would be sent now. @default none, so that no result counts as repeated */
  sent?: (() => readonly InputItem[]) | undefined;
  /** The most tokens of a result that the model is given. @default all */
  maxResultTokens?: number | undefined;
}

type Within = CallOptions & PrepareOptions;

/**
 * Runs the calls of a turn and records exactly one answer for each, whatever happens: one unanswered call would make the whole conversation unusable.
 * Neighbouring calls that only read run at the same time; each other call runs alone, in the order of the model. The failure of a tool is an answer too.
 *
 * @throws the signal's reason when it fires, AgentError when the model repeats itself or a hook ends the run; all calls are answered by then
 */
export async function* runCalls(calls: readonly Call[], options: CallOptions): AsyncGenerator<AgentEvent> {
  const { history, repetition, signal } = options;
  const open = new Set(calls);
  const settle = (call: Call, output: ToolOutput): void => {
    open.delete(call);
    history.add(answerItem(call, output));
  };
  // Aborted when the reader of the run leaves while tools are running.
  const left = new AbortController();
  const words: HookWords = { context: [], stop: undefined, exceeded: undefined };
  const within = { ...options, words, signal: AbortSignal.any([signal, left.signal]) };
  // Each running call adds a listener, and Node would warn of a leak from the eleventh on.
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
      yield* emitWhile((emit) => {
        const work = ready.map(async (each) => {
          if (!each.tool.readOnly || each.tool.delegates === true) history.begin(each.call.id);
          const result = await execute(each, emit, within);
          settle(each.call, result.output);
          await emit(responseEvent(each.shown, result));
        });
        return Promise.all(((running = Promise.allSettled(work)), work));
      });
      signal.throwIfAborted();
    }
    options.addContext?.(words.context);
    if (words.exceeded !== undefined) throw words.exceeded;
    if (words.stop !== undefined) throw endedBy(words.stop);
  } finally {
    left.abort(new Error('the run was left before its end'));
    await running;
    // Calls are still open only where the run ended early: by an error, by the signal, or because its reader left. No tool is running then.
    for (const call of open) settle(call, notRun);
  }
}

export const interrupted = 'Error: the run was interrupted while this call ran; it may have had effects.';

/** Answers the calls of a response that was cut off: the last of them may be half a call, so none is run. */
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

/** Groups of calls that may run at the same time. */
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

/** Runs a call. Never rejects. */
async function execute({ call, tool, args, need, note }: Ready, emit: Emit, within: Within): Promise<Result> {
  const { agent, permissions, signal, words, caller, maxResultTokens = Infinity } = within;
  const started = performance.now();
  const took = (): number => Math.round(performance.now() - started);
  let result: Result;
  try {
    const output = wellFormed(
      await orAbort(
        tool.run(args, { signal, emit, caller, ...permissions.limits(agent, tool, need) }),
        signal,
        abortGrace,
      ),
    );
    result = { outcome: 'done', output, duration_ms: took() };
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted', output: interrupted, duration_ms: took() };
    if (error instanceof AgentError && error.code === 'budget_exceeded') words.exceeded ??= error;
    const output = error instanceof ToolFailure ? error.output : `Error: ${messageOf(error)}`;
    result = { outcome: 'failed', output: wellFormed(output), duration_ms: took() };
  }
  result = { ...result, output: await transformed({ call, tool, args }, result, emit, within) };
  try {
    const event = eventOf({ call, args }, result);
    await ask({ point: 'post_tool_use', tool, event, signal }, emit, within);
  } catch {
    // The run is over; the result of the tool stays the answer.
  }
  return { ...result, output: withNote(bounded(result.output, maxResultTokens), note) };
}

function eventOf({ call, args }: Pick<Ready, 'call' | 'args'>, { output, outcome }: Result): HookEvent {
  return {
    tool_use_id: call.id,
    tool_input: args,
    tool_response: outputText(output),
    tool_error: outcome !== 'done',
  };
}

/**
 * The output of a tool after the hooks that may change it. If such a hook fails, the whole output is withheld: the hook may have been about to remove
 * something from it.
 */
async function transformed(
  ready: Pick<Ready, 'call' | 'tool' | 'args'>,
  result: Result,
  emit: Emit,
  within: Within,
): Promise<ToolOutput> {
  try {
    const event = eventOf(ready, result);
    const { call: made, tool } = ready;
    const mayBe = result.outcome === 'done' && typeof result.output === 'string' && mayRepeat(tool);
    const isRepeated = mayBe ? (text: string) => isShown(within.sent?.() ?? [], made, text) : undefined;
    const call: HookCall = { point: 'tool_response_transform', tool, event, isRepeated, signal: within.signal };
    const { blocked, response } = await ask(call, emit, within);
    if (blocked !== undefined) return withheld(blocked);
    return response === undefined ? result.output : withText(result.output, wellFormed(response));
  } catch (error) {
    return withheld({ by: 'tool_response_transform', reason: messageOf(error) });
  }
}

function withheld({ by, reason }: HookReason): string {
  return `Error: the tool has run, and what it returned is withheld, because ${by} did not let it pass${reason === '' ? '' : `: ${reason}`}`;
}

/** Runs the hooks around a call, and passes on their output. */
async function ask(call: HookCall, emit: Emit, { hook, words }: PrepareOptions): Promise<HookVerdict> {
  const verdict = (await hook?.(call)) ?? noVerdict();
  for (const message of verdict.warnings) await emit({ type: 'warning', message });
  words.context.push(...verdict.context);
  if (call.point === 'post_tool_use') words.stop ??= verdict.blocked;
  return verdict;
}
