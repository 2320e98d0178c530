import type { InputItem, Item, Response } from '@turnwire/client';
import type { Permissions } from './approval.js';
import type { AgentEvent, ToolCall, ToolOutcome } from './events.js';
import type { Repetition } from './repetition.js';
import type { Tool } from './tools/tool.js';

/** How long a tool may take to end after it was told to, in milliseconds. Longer than the shell takes to kill a command. */
const abortGrace = 6000;

/** A call of a response, and the type of item that answers it. */
interface Call extends ToolCall {
  answer: 'function_call_output' | 'custom_tool_call_output';
}

/** What a call came to; `response` is what the model is told. */
interface Result {
  outcome: ToolOutcome;
  response: string;
  /** How long the tool itself took; waiting for the user is not counted. */
  duration_ms: number;
}

export interface CallOptions {
  tools: ReadonlyMap<string, Tool>;
  permissions: Permissions;
  repetition: Repetition;
  /** The answers given so far in this conversation, by call id: what has run does not run again. */
  answered: Map<string, string>;
  /** Takes each answer into the history. */
  record: (item: InputItem) => void;
  signal: AbortSignal;
}

export function callsIn(response: Response): Call[] {
  return response.output.flatMap(readCall);
}

/**
 * Runs the calls of a turn, one after another, and records exactly one answer for each, whatever happens: a call without one makes
 * the whole conversation unusable. What goes wrong with a tool is an answer too.
 *
 * @throws the signal's reason when it fires, AgentError when the model repeats itself; all calls are answered by then.
 */
export async function* runCalls(calls: readonly Call[], options: CallOptions): AsyncGenerator<AgentEvent> {
  const { answered, record, repetition, signal } = options;
  const open = new Map(calls.map((call) => [call.id, call]));
  const settle = (call: Call, response: string): void => {
    open.delete(call.id);
    answered.set(call.id, response);
    record({ type: call.answer, call_id: call.id, output: response });
  };
  try {
    for (const call of open.values()) {
      const { id, name, arguments: args } = call;
      const shown: ToolCall = { id, name, arguments: args };
      const before = answered.get(id);
      if (before !== undefined) {
        settle(call, before);
        yield {
          type: 'warning',
          message: `the model repeated the call ${id} of ${name}; it was answered as before and not run again`,
        };
        continue;
      }
      yield { type: 'tool_call', tool_call: shown };
      signal.throwIfAborted();
      repetition.watch(shown);
      const result = yield* answer(call, shown, options);
      settle(call, result.response);
      yield { type: 'tool_call_response', tool_call: shown, ...result };
      signal.throwIfAborted();
    }
  } finally {
    // Only where the run ends in the middle: by an error, by the signal, or because its reader left. No tool is running then.
    for (const call of open.values()) settle(call, notRun);
  }
}

const interrupted = 'Error: the run was interrupted while this call ran; it may have had effects.';
const notRun = 'Error: this call was not run, because the run ended first.';

/** Answers the calls of a response that is not to be trusted: it was cut off, and its last call may be half a call. */
export function skipCalls(calls: readonly Call[], record: CallOptions['record']): void {
  for (const call of calls) {
    record({
      type: call.answer,
      call_id: call.id,
      output: 'Error: this call was not run, because the response was cut off.',
    });
  }
}

async function* answer(call: Call, shown: ToolCall, options: CallOptions): AsyncGenerator<AgentEvent, Result> {
  const { tools, permissions, signal } = options;
  const tool = call.answer === 'function_call_output' ? tools.get(call.name) : undefined;
  if (tool === undefined) {
    const names = [...tools.keys()].join(', ');
    return failed(`there is no tool ${call.name}; ${names === '' ? 'you have no tools' : `the tools are ${names}`}`);
  }
  let args: unknown;
  try {
    // Models write nothing at all where there is nothing to say.
    args = call.arguments.trim() === '' ? {} : JSON.parse(call.arguments);
  } catch {
    return failed(`the arguments are not valid JSON; write the call of ${call.name} again`);
  }
  try {
    tool.check(args);
  } catch (error) {
    return failed(messageOf(error));
  }
  const approver = permissions.asks(tool);
  if (approver !== undefined) {
    yield { type: 'tool_call_confirmation', tool_call: shown };
    try {
      const given = await orAbort(Promise.resolve(approver.approve(shown, { signal })), signal, 0);
      if (!permissions.allows(tool, given)) return unrun('declined', 'The user declined this call.');
    } catch (error) {
      if (!signal.aborted) return unrun('declined', `The user could not be asked for this call: ${messageOf(error)}`);
    }
  }
  if (signal.aborted) return unrun('skipped', notRun);
  const started = performance.now();
  const took = (): number => Math.round(performance.now() - started);
  try {
    const response = await orAbort(tool.run(args, { signal }), signal, abortGrace);
    return { outcome: 'done', response, duration_ms: took() };
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted', response: interrupted, duration_ms: took() };
    return { ...failed(messageOf(error)), duration_ms: took() };
  }
}

/** Waits for `work`, but after the signal fires for `grace` at most. */
async function orAbort<Result>(work: Promise<Result>, signal: AbortSignal, grace: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), grace);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function readCall(item: Item): Call[] {
  if (item.type === 'function_call') {
    return [{ id: item.call_id, name: item.name, arguments: item.arguments, answer: 'function_call_output' }];
  }
  if (item.type === 'custom_tool_call') {
    return [{ id: item.call_id, name: item.name, arguments: item.input, answer: 'custom_tool_call_output' }];
  }
  return [];
}

function failed(message: string): Result {
  return unrun('failed', `Error: ${message}`);
}

function unrun(outcome: ToolOutcome, response: string): Result {
  return { outcome, response, duration_ms: 0 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
