import { randomUUID } from 'node:crypto';
import type { InputItem, TurnReport } from '@turnwire/client';
import type { Agent } from '../config/agent.js';
import type { PromptTemplate } from '../config/variables/template.js';
import { AgentError } from './agent-error.js';
import { takeTurnWithFallback } from './turn/attempts.js';
import { runCalls, skipCalls } from './calls/calls.js';
import { compact, windowOf } from './conversation/compact.js';
import { estimate, isNearLimit } from './conversation/compaction.js';
import { Conversation } from './conversation/conversation.js';
import { countUsage } from './conversation/count-usage.js';
import type { AgentEvent } from './events.js';
import { promptFileEvent } from './hooks/hooks.js';
import { runHooksAt, runBlockingHooks } from './hooks/run-hooks-at.js';
import { afterTurn, beforeTurn, modelSwitched, TurnEnd } from './hooks/turn-hooks.js';
import { beyondLimit } from './limits/turn-limit.js';
import { TaskBudget } from './limits/task-budget.js';
import { workingTime } from './limits/working-time.js';
import { originOf, readableBy } from './turn/item-origin.js';
import { textOf } from './turn/text-extractor.js';
import { requestRedaction } from './turn/request-redaction.js';
import { withoutOldResults } from './conversation/old-results.js';
import { lastItems, promptText } from './conversation/pairing.js';
import { retryClassOf } from './turn/retry-class.js';
import { Repetition } from './calls/repetition.js';
import { singleCall, type SingleCallOptions } from './calls/single-call.js';
import { filled } from './calls/template-calls.js';
import { promptFor, teamTools } from './team.js';
import { asFunctions } from './tools/code/code-mode.js';
import { withoutDeferred } from './tools/deferred.js';
import type { ToolHost, DelegatedTask, TaskOptions } from './tools/tool-host.js';
import type { Tool } from './tools/tool.js';
import { callsOf } from './calls/turn-calls.js';
import type { TurnResult } from './turn/turn.js';
import { readUsage } from './turn/usage.js';

/** The deepest nesting of tasks, so that agents which give a task to one another in a circle come to an end. */
const deepestTask = 8;

/** The result of the work on one prompt. */
export interface LoopResult {
  /** The text of the last turn. */
  text: string;
  reports: readonly TurnReport[];
}

/** The state that goes on from turn to turn of one run. */
interface Progress {
  reports: TurnReport[];
  repetition: Repetition;
  /** The turns beyond the limit that the user has granted. */
  granted: number;
  /** The length of the history after the last turn; undefined before the first. */
  length: number | undefined;
  taskBudget: TaskBudget;
}

/** Runs turns until the model makes no more calls. */
export async function* runLoop(
  conversation: Conversation,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, LoopResult> {
  const progress: Progress = {
    reports: [],
    repetition: repetitionOf(conversation),
    granted: 0,
    length: undefined,
    taskBudget: new TaskBudget(),
  };
  const { scope } = conversation;
  for (;;) {
    signal.throwIfAborted();
    yield* scope.sideEvents.splice(0);
    yield* instruct(conversation, signal);
    const { agent, history, usage } = conversation;
    if (progress.reports.length >= agent.maxIterations + progress.granted) {
      const most = agent.maxIterations + progress.granted;
      progress.granted += (yield* beyondLimit(conversation, most, signal)) - most;
    }
    scope.ledger.check(agent);
    const took = (ms: number): void => scope.ledger.time(agent, ms);
    if (progress.length !== undefined && agent.sessionCompaction) {
      const [model = agent.model] = conversation.choice.candidates();
      const tokens = estimate(usage, history.items.slice(progress.length));
      if (isNearLimit(tokens, { ...model, contextSize: windowOf(conversation) }, agent))
        yield* workingTime(compact(conversation, 'threshold', signal), took);
    }
    yield* addUserInput(conversation, signal);
    const { choice } = conversation;
    choice.route(promptText(history.items));
    progress.taskBudget.check(choice.candidates()[0] ?? agent.model);
    const ending = new TurnEnd(conversation, signal);
    let done: LoopResult | undefined;
    try {
      done = yield* workingTime(step(conversation, progress, signal), took);
      ending.reason = done === undefined ? 'continue' : 'normal';
    } catch (error) {
      ending.failed(error);
      throw error;
    } finally {
      await ending.emit();
    }
    for (const message of ending.warnings) yield { type: 'warning', message };
    if (done !== undefined) {
      if (agent.forceHandoff === undefined && !conversation.notices.waits) {
        yield* scope.sideEvents.splice(0);
        return done;
      }
      yield* continueAfterAnswer(conversation, signal);
    }
    if (conversation.agent !== agent) {
      const [from, to] = [agent.name, conversation.agent.name];
      yield { type: 'agent_switching', from, to, reason: 'handoff' };
      yield* modelSwitched(conversation, { from, to, kind: 'handoff' }, signal);
      progress.repetition = repetitionOf(conversation);
    }
  }
}

/** Begins another turn after an answer: of the agent that the file names, or once background work has ended. */
async function* continueAfterAnswer(conversation: Conversation, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  const { agent, history, notices, steering } = conversation;
  if (agent.forceHandoff !== undefined) {
    conversation.handOff(agent.forceHandoff);
    const word = `${conversation.agent.name} goes on with this conversation now.`;
    history.add({ type: 'message', role: 'developer', content: word });
    return;
  }
  do await notices.next(signal);
  while (!notices.hasEnded && !steering.waits);
  for (const text of notices.take()) {
    history.add({ type: 'message', role: 'developer', content: text });
    yield { type: 'recalled', message: text };
  }
}

/** Adds what the user has said meanwhile. */
async function* addUserInput(conversation: Conversation, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  const { history, steering } = conversation;
  const said = steering.take();
  if (said.length === 0) return;
  const event = { steering_messages: said };
  const { context } = yield* runBlockingHooks(conversation, { point: 'user_steering_messages_submit', event, signal });
  for (const message of said) {
    history.add({ type: 'message', role: 'user', content: message });
    yield { type: 'user_message', message, queued: true };
  }
  conversation.addContext(context);
}

/** Runs a turn and its calls; undefined where more turns follow. */
async function* step(
  conversation: Conversation,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, LoopResult | undefined> {
  const { agent, scope, history } = conversation;
  const { reports, repetition, taskBudget } = progress;
  const offered = offeredOf(conversation);
  const tools = agent.codeMode ? asFunctions(offered) : offered;
  yield* beforeTurn(conversation, reports.length + 1, signal);
  const taken = yield* turn(conversation, tools, { isFirst: reports.length === 0, signal });
  const { response, report, model } = taken;
  reports.push(report);
  yield turnFinished(reports.length, taken);
  for (const each of taken.responses) {
    if (each.usage) taskBudget.count(model, readUsage(each.usage));
    yield* countUsage(scope, agent, each, model);
  }
  yield* afterTurn(conversation, taken, signal);
  const { items, calls, repeated } = callsOf(taken.added);
  for (const { id, name } of repeated)
    yield { type: 'warning', message: `the server sent the call ${id} of ${name} more than once; it counts once` };
  // From here to the last answer nothing may be yielded: a reader who leaves would leave calls without answers.
  history.commit(items, originOf(model));
  conversation.usage = response.usage;
  progress.length = history.items.length;
  if (response.status === 'incomplete') {
    skipCalls(calls, history);
    throw cutOff(response.incomplete_details?.reason);
  }
  if (calls.length === 0) return { text: textOf(response), reports };
  const called = byName(tools);
  const sent = (): readonly InputItem[] => sentOf(conversation);
  yield* runCalls(calls, { ...callsIn(conversation, called, signal), repetition, history, sent });
  conversation.throwIfEnded();
  conversation.choice.readBy(calls.map(({ name }) => called.get(name)?.readBy).find((each) => each !== undefined));
  return undefined;
}

/** The part of the history that the agent's model is sent. */
function sentOf({ agent, history }: Conversation): readonly InputItem[] {
  return withoutOldResults(lastItems(history.items, agent.numHistoryItems), agent.maxOldToolCallTokens);
}

/** The options for all calls of the agent at work. */
function callsIn(conversation: Conversation, tools: ReadonlyMap<string, Tool>, signal: AbortSignal): SingleCallOptions {
  const { agent, scope } = conversation;
  return {
    agent: agent.name,
    tools,
    permissions: scope.permissions,
    hook: conversation.hook.bind(conversation),
    addContext: conversation.addContext.bind(conversation),
    caller: callerOf(conversation),
    maxResultTokens: agent.maxToolResultTokens,
    signal,
  };
}

/** The prompt of a template, after the tools of the agent at work were called. */
export function promptOf(
  conversation: Conversation,
  template: PromptTemplate,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, string> {
  return filled(template, callsIn(conversation, byName(toolsOf(conversation)), signal));
}

/** Fills the results of tools into the instruction of the agent at work, once in a session, before its first turn. */
async function* instruct(conversation: Conversation, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  const { agent, scope, member } = conversation;
  if (scope.instructed.has(agent.name)) return;
  for (const file of member.promptFiles ?? [])
    yield* runBlockingHooks(conversation, { point: 'prompt_file_guard', event: promptFileEvent(file), signal });
  const instruction = yield* promptOf(conversation, { template: agent.instruction, args: [], tail: '' }, signal);
  scope.instructed.add(agent.name);
  scope.members.set(agent.name, { ...member, agent: { ...agent, instruction } });
}

function repetitionOf({ agent }: Conversation): Repetition {
  return new Repetition(agent.maxConsecutiveToolCalls);
}

/** The field `tool_choice`. A required call is made in the first turn on a prompt only: a model that has to call a tool in each turn never ends. */
function toolChoiceOf({ toolChoice }: Agent, isFirst: boolean): string | undefined {
  return isFirst || toolChoice === 'auto' || toolChoice === 'none' ? toolChoice : undefined;
}

/** Runs one turn. A history that turns out to be too long is compacted once. */
async function* turn(
  conversation: Conversation,
  tools: readonly Tool[],
  { isFirst, signal }: { isFirst: boolean; signal: AbortSignal },
) {
  const attempt = () => {
    const { agent, scope, choice, history } = conversation;
    const leaving = requestRedaction(agent);
    return takeTurnWithFallback({
      agent,
      choice,
      clientFor: scope.clientFor,
      instructions: leaving.text(promptFor(conversation.member)),
      tools,
      toolChoice: toolChoiceOf(agent, isFirst),
      inputFor: (model) => {
        const items = sentOf(conversation);
        return leaving.items(readableBy(originOf(model), items, (item) => history.originOf(item)));
      },
      store: scope.store,
      steering: conversation.steering,
      signal,
    });
  };
  try {
    return yield* attempt();
  } catch (error) {
    const compacts = conversation.agent.sessionCompaction && retryClassOf(error) === 'overflow';
    if (!compacts || !(yield* compact(conversation, 'overflow', signal))) throw error;
    return yield* attempt();
  }
}

function byName(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  return new Map(tools.map((tool) => [tool.name, tool]));
}

/** The tools of the agent at work that can be called now. */
function offeredOf(conversation: Conversation): readonly Tool[] {
  return withoutDeferred(toolsOf(conversation), conversation.added);
}

/** All tools of the agent at work, the deferred ones included. */
export function toolsOf(conversation: Conversation): readonly Tool[] {
  const { agent, tools } = conversation.member;
  return [...tools, ...teamTools(agent, { handOff: (to) => conversation.handOff(to) })];
}

function callerOf(conversation: Conversation): ToolHost {
  const { scope, choice, notices } = conversation;
  return {
    sessionId: scope.sessionId,
    background: scope.background,
    delegate: (task, options) => delegate(conversation, task, options),
    async approveSkill(skill, signal) {
      const { blocked } = await conversation.hook({ point: 'skill_content_guard', event: { skill }, signal });
      if (blocked !== undefined) throw new Error(`the hook ${blocked.by} did not approve the skill ${skill.name}`);
    },
    pickModel: (model) => choice.pick(model),
    expect: () => notices.begin(),
    async call(name, args, { signal, emit }) {
      const options = callsIn(conversation, byName(offeredOf(conversation)), signal);
      try {
        return await told(singleCall({ id: `call_${randomUUID()}`, name, args }, options), emit);
      } catch (error) {
        conversation.end(error);
        throw error;
      }
    },
  };
}

/** The result of work, once each of its events was emitted. */
async function told<Result>(steps: AsyncGenerator<AgentEvent, Result>, emit: TaskOptions['emit']): Promise<Result> {
  for (;;) {
    const step = await steps.next();
    if (step.done === true) return step.value;
    await emit?.(step.value);
  }
}

/** Gives a task to another agent, or to this one with another history, and passes on its events as they come. */
async function delegate(
  conversation: Conversation,
  { to: other, prompt, instructions, model }: DelegatedTask,
  { signal, emit }: TaskOptions,
): Promise<string> {
  if (conversation.depth >= deepestTask) throw new Error('tasks have been given on too often; do this one yourself');
  const { scope, agent, member, depth } = conversation;
  const items: InputItem[] = [{ type: 'message', role: 'user', content: prompt }];
  const as = {
    ...member,
    agent: model === undefined ? agent : { ...agent, model, alternates: [] },
    instructions: instructions === undefined ? member.instructions : () => instructions,
  };
  const from = agent.name;
  const to = other ?? from;
  const given = { items, depth: depth + 1, id: randomUUID(), ...(other === undefined ? { as } : {}) };
  const inner = new Conversation(scope, to, given);
  const pass = <Result>(steps: AsyncGenerator<AgentEvent, Result>): Promise<Result> => told(steps, emit);
  await emit?.({ type: 'agent_switching', from, to, reason: 'transfer_task' });
  await pass(modelSwitched(conversation, { from, to, kind: 'transfer_task' }, signal));
  let text = '';
  try {
    return ({ text } = await pass(runLoop(inner, signal))).text;
  } finally {
    await emit?.({ type: 'agent_switching', from: to, to: from, reason: 'return' });
    const ended = { agent_name: to, session_id: inner.id, parent_session_id: conversation.id, stop_response: text };
    if (!signal.aborted) {
      await pass(runHooksAt(conversation, { point: 'subagent_stop', event: ended, signal }));
      await pass(modelSwitched(inner, { from: to, to: from, kind: 'transfer_task_return' }, signal));
    }
  }
}

function turnFinished(turn: number, { response, report }: TurnResult): AgentEvent {
  return {
    type: 'turn_finished',
    turn,
    response_id: response.id,
    transport: report.transport,
    plan: report.plan,
    sent_bytes: report.sentBytes,
    first_event_ms: report.firstEventMs,
    ...(report.planReason === undefined ? {} : { plan_reason: report.planReason }),
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
