import { type InputItem, type TurnReport, TurnwireError } from '@turnwire/client';
import type { Agent } from '../config/agent.js';
import { AgentError } from './agent-error.js';
import { type Approval, Permissions } from './approval.js';
import { callsIn, runCalls, skipCalls } from './calls.js';
import type { AgentEvent, StopReason } from './events.js';
import { History } from './history.js';
import { textOf } from './narration.js';
import { Repetition } from './repetition.js';
import { type AgentRun, type RunResult, startRun } from './run.js';
import type { Tool } from './tools/tool.js';
import { type Taken, takeTurn, type TurnClient } from './turn.js';
import { addUsage, noTokens, readUsage } from './usage.js';

export interface SessionOptions {
  client: TurnClient;
  agent: Agent;
  tools: readonly Tool[];
  approval: Approval;
  /**
   * Turns of one run at most.
   *
   * @default none: long tasks are the point, and a model that turns in circles is noticed by its identical calls
   */
  maxTurns?: number | undefined;
  /** Sent as `store`. @default what the agent file says; else not sent: the provider's default, which is to store */
  store?: boolean | undefined;
  /** Items of an earlier conversation to go on from. */
  history?: readonly InputItem[] | undefined;
}

/** A conversation with an agent: what was said stays from prompt to prompt, and so do the answers `always`. */
export interface Session {
  /** All items so far, as they are sent. Every call in it has its answer, also after a run that failed or was interrupted. */
  readonly history: readonly InputItem[];
  /**
   * Gives the agent a prompt and lets it work until it has no more calls to make.
   * Reading it throws AgentError `busy` while another run of this session is being read.
   */
  run(prompt: string, options?: { signal?: AbortSignal | undefined }): AgentRun;
}

export function createSession(options: SessionOptions): Session {
  const history = new History(options.history);
  const conversation: Conversation = {
    ...options,
    history,
    permissions: new Permissions(options.approval),
    byName: new Map(options.tools.map((tool) => [tool.name, tool])),
    answered: answersIn(history.items),
    busy: false,
  };
  return {
    get history() {
      return history.items;
    },
    run: (prompt, { signal = new AbortController().signal } = {}) => startRun(converse(conversation, prompt, signal)),
  };
}

/** One prompt, in a session of its own. */
export function runAgent({
  prompt,
  signal,
  ...options
}: SessionOptions & { prompt: string; signal?: AbortSignal | undefined }): AgentRun {
  return createSession(options).run(prompt, { signal });
}

interface Conversation extends Omit<SessionOptions, 'history'> {
  history: History;
  permissions: Permissions;
  byName: ReadonlyMap<string, Tool>;
  answered: Map<string, string>;
  busy: boolean;
}

async function* converse(
  conversation: Conversation,
  prompt: string,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, RunResult> {
  const { agent, history } = conversation;
  if (conversation.busy) {
    throw new AgentError('busy', 'this session is still at work on another prompt; wait for it, or abort it');
  }
  conversation.busy = true;
  try {
    yield { type: 'user_message', message: prompt };
    history.add({ type: 'message', role: 'user', content: prompt });
    yield { type: 'stream_started', agent: agent.name, model: agent.model.name };
    let result: RunResult;
    try {
      result = yield* work(conversation, signal);
    } catch (error) {
      yield { type: 'error', ...describe(error, signal) };
      yield { type: 'stream_stopped', reason: stopReason(error, signal) };
      throw error;
    }
    yield { type: 'stream_stopped', reason: 'completed' };
    return result;
  } finally {
    conversation.busy = false;
  }
}

/** Turn by turn, until the model has nothing more to ask for. */
async function* work(conversation: Conversation, signal: AbortSignal): AsyncGenerator<AgentEvent, RunResult> {
  const { client, agent, tools, history, permissions, byName, answered, store, maxTurns = Infinity } = conversation;
  const reports: TurnReport[] = [];
  const repetition = new Repetition();
  const record = (item: InputItem): void => history.add(item);
  let usage = noTokens;
  for (;;) {
    signal.throwIfAborted();
    if (reports.length >= maxTurns) {
      throw new AgentError('max_turns', `the agent is not done after ${maxTurns} turns, the most this run may take`);
    }
    const taken = yield* takeTurn({ client, agent, tools, history, store, signal });
    const { response, report } = taken;
    reports.push(report);
    yield turnFinished(reports.length, taken);
    if (response.usage) {
      const turnUsage = readUsage(response.usage);
      usage = addUsage(usage, turnUsage);
      yield { type: 'token_usage', usage: turnUsage, total: usage };
    }
    // From here to the last answer nothing may come between: a reader who leaves would leave calls without answers behind.
    history.commit(response);
    const calls = callsIn(response);
    if (response.status === 'incomplete') {
      skipCalls(calls, record);
      throw cutOff(response.incomplete_details?.reason);
    }
    if (calls.length === 0) {
      return { text: textOf(response), turns: reports.length, usage, history: [...history.items], reports };
    }
    yield* runCalls(calls, { tools: byName, permissions, repetition, answered, record, signal });
  }
}

function turnFinished(turn: number, { response, report }: Taken): AgentEvent {
  return {
    type: 'turn_finished',
    turn,
    response_id: response.id,
    transport: report.transport,
    plan: report.plan,
    sent_bytes: report.sentBytes,
    first_event_ms: report.firstEventMs,
    ...(report.fallback === undefined ? {} : { fallback: report.fallback }),
  };
}

const cutOffReasons: ReadonlyMap<string, string> = new Map([
  ['max_output_tokens', 'it reached its limit of output tokens; raise "max_tokens" or ask for less'],
  ['content_filter', "the provider's content filter stopped it"],
]);

function cutOff(reason: string | undefined): AgentError {
  return new AgentError(
    'incomplete',
    `the model's answer is incomplete: ${cutOffReasons.get(reason ?? '') ?? reason ?? 'the provider gave no reason'}`,
  );
}

function stopReason(error: unknown, signal: AbortSignal): StopReason {
  if (signal.aborted) return 'aborted';
  if (!(error instanceof AgentError)) return 'failed';
  const { code } = error;
  return code === 'incomplete' || code === 'repeated_calls' || code === 'max_turns' ? code : 'failed';
}

function describe(error: unknown, signal: AbortSignal): { code: string; message: string; server_code?: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (signal.aborted) return { code: 'aborted', message };
  if (error instanceof AgentError) return { code: error.code, message };
  if (!(error instanceof TurnwireError)) return { code: 'failed', message };
  const serverCode = error.server?.code;
  return { code: error.code, message, ...(serverCode === undefined ? {} : { server_code: serverCode }) };
}

/** An earlier conversation's answers: its calls do not run again. */
function answersIn(items: readonly InputItem[]): Map<string, string> {
  const answers = new Map<string, string>();
  for (const item of items) {
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') continue;
    answers.set(item.call_id, typeof item.output === 'string' ? item.output : JSON.stringify(item.output));
  }
  return answers;
}
