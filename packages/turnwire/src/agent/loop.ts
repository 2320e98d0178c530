import type { InputItem, Response, TurnReport, Usage } from '@turnwire/client';
import type { Agent } from '../config/agent.js';
import type { Model } from '../config/model.js';
import { AgentError } from './agent-error.js';
import { takeTurnWithFallback } from './attempts.js';
import { runCalls, skipCalls } from './calls.js';
import { compacted, divide, estimate, isNearLimit, summaryInstructions, summaryOf } from './compaction.js';
import { Conversation, type Crew } from './conversation.js';
import type { AgentEvent } from './events.js';
import { makerOf, readableBy } from './maker.js';
import { textOf } from './narration.js';
import { lastItems } from './pairing.js';
import { failing } from './passing.js';
import { Repetition } from './repetition.js';
import { teamTools } from './team.js';
import type { Tool, ToolContext } from './tools/tool.js';
import { callsOf } from './turn-calls.js';
import { type Taken, takeTurn } from './turn.js';
import { costOf, readUsage } from './usage.js';

/** Tasks within tasks within tasks: agents that give a task to one another in a circle come to an end. */
const deepestTask = 8;

/** What the work on one prompt came to. */
export interface Done {
  /** The text of the last turn. */
  text: string;
  reports: readonly TurnReport[];
}

/** Turn by turn, until the model has nothing more to ask for. */
export async function* work(conversation: Conversation, signal: AbortSignal): AsyncGenerator<AgentEvent, Done> {
  const { crew, history } = conversation;
  const reports: TurnReport[] = [];
  let repetition = new Repetition(conversation.agent.maxConsecutiveToolCalls);
  let last: { usage: Usage | null | undefined; length: number } | undefined;
  for (;;) {
    signal.throwIfAborted();
    const { agent } = conversation;
    if (reports.length >= agent.maxIterations) {
      const most = agent.maxIterations;
      throw new AgentError('max_turns', `the agent is not done after ${most} turns, the most this run may take`);
    }
    if (last !== undefined) {
      const [model = agent.model] = conversation.choice.candidates();
      const tokens = estimate(last.usage, history.items.slice(last.length));
      if (isNearLimit(tokens, model)) yield* compact(conversation, signal);
    }
    for (const message of conversation.steering.take()) {
      history.add({ type: 'message', role: 'user', content: message });
      yield { type: 'user_message', message, queued: true };
    }
    const tools = toolsOf(conversation);
    const taken = yield* turn(conversation, tools, { isFirst: reports.length === 0, signal });
    const { response, report, model } = taken;
    reports.push(report);
    yield turnFinished(reports.length, taken);
    for (const each of taken.responses) yield* count(crew, each, model);
    const { items, calls, repeated } = callsOf(taken.added);
    for (const { id, name } of repeated)
      yield { type: 'warning', message: `the server sent the call ${id} of ${name} more than once; it counts once` };
    // From here to the last answer nothing may come between: a reader who leaves would leave calls without answers behind.
    history.commit(items, makerOf(model));
    last = { usage: response.usage, length: history.items.length };
    if (response.status === 'incomplete') {
      skipCalls(calls, history);
      throw cutOff(response.incomplete_details?.reason);
    }
    if (calls.length === 0) return { text: textOf(response), reports };
    const byName = new Map(tools.map((tool) => [tool.name, tool]));
    const { permissions } = crew;
    const hook = conversation.hook.bind(conversation);
    yield* runCalls(calls, {
      agent: agent.name,
      tools: byName,
      permissions,
      repetition,
      history,
      hook,
      addContext: conversation.addContext.bind(conversation),
      signal,
    });
    if (conversation.agent !== agent) {
      yield { type: 'agent_switching', from: agent.name, to: conversation.agent.name, reason: 'handoff' };
      repetition = new Repetition(conversation.agent.maxConsecutiveToolCalls);
    }
  }
}

/** What a turn has used, that of a summary too: sessions add up what they are told. */
function* count({ totals }: Crew, { usage: raw }: Response, model: Model): Generator<AgentEvent> {
  if (!raw || !model.trackUsage) return;
  const usage = readUsage(raw);
  const cost = costOf(raw, model);
  totals.add(usage, cost);
  yield {
    type: 'token_usage',
    usage,
    total: totals.tokens,
    ...(cost === undefined ? {} : { cost }),
    ...(totals.cost === undefined ? {} : { total_cost: totals.cost }),
  };
}

/** A tool that has to be called is called in the first turn on a prompt: a model that has to call one in each turn never ends. */
function toolChoiceOf({ toolChoice }: Agent, isFirst: boolean): string | undefined {
  return isFirst || toolChoice === 'auto' || toolChoice === 'none' ? toolChoice : undefined;
}

/** One turn; a history that turns out to be too long is compacted, once. */
async function* turn(
  conversation: Conversation,
  tools: readonly Tool[],
  { isFirst, signal }: { isFirst: boolean; signal: AbortSignal },
) {
  const attempt = () => {
    const { agent, crew, choice, history } = conversation;
    return takeTurnWithFallback({
      agent,
      choice,
      clientFor: crew.clientFor,
      instructions: conversation.member.instructions ?? agent.instruction,
      tools,
      toolChoice: toolChoiceOf(agent, isFirst),
      inputFor: (model) =>
        readableBy(makerOf(model), lastItems(history.items, agent.numHistoryItems), (item) => history.makerOf(item)),
      store: crew.store,
      steering: conversation.steering,
      signal,
    });
  };
  try {
    return yield* attempt();
  } catch (error) {
    if (failing(error) !== 'overflow' || !(yield* compact(conversation, signal))) throw error;
    return yield* attempt();
  }
}

/** Puts a summary in place of all but the newest items; false where there is nothing to sum up. */
async function* compact(conversation: Conversation, signal: AbortSignal): AsyncGenerator<AgentEvent, boolean> {
  const { history, crew, choice } = conversation;
  const [model = conversation.agent.model] = choice.candidates();
  const division = divide(history.items, model);
  if (division === undefined) return false;
  const asked = takeTurn({
    client: crew.clientFor(model),
    model,
    structuredOutput: undefined,
    instructions: summaryInstructions,
    tools: [],
    input: division.request,
    store: crew.store,
    signal,
  });
  const response = await silently(asked);
  yield* count(crew, response, model);
  // Half a summary would lose the other half of the history for good.
  const summary = response.status === 'completed' ? summaryOf(response) : '';
  if (summary === '')
    throw new AgentError('compaction', 'the conversation is too long for the model, and the model did not sum it up');
  const before = history.items.length;
  history.compact(compacted(summary, division.kept));
  yield { type: 'session_compaction', items_before: before, items_after: history.items.length };
  return true;
}

/** A turn that is none of the conversation: its events are not told. */
async function silently(asked: AsyncGenerator<AgentEvent, Taken>): Promise<Response> {
  for (;;) {
    const step = await asked.next();
    if (step.done === true) return step.value.response;
  }
}

function toolsOf(conversation: Conversation): readonly Tool[] {
  const { agent, tools } = conversation.member;
  const transfer = (to: string, task: string, context: ToolContext) => delegate(conversation, to, task, context);
  return [...tools, ...teamTools(agent, { transfer, handOff: (to) => conversation.handOff(to) })];
}

/** Lets another agent do a task; its events are told as they come. */
async function delegate(
  conversation: Conversation,
  to: string,
  task: string,
  { signal, tell }: ToolContext,
): Promise<string> {
  if (conversation.depth >= deepestTask) throw new Error('tasks have been given on too often; do this one yourself');
  const prompt: InputItem = { type: 'message', role: 'user', content: task };
  const inner = new Conversation(conversation.crew, to, { items: [prompt], depth: conversation.depth + 1 });
  const from = conversation.agent.name;
  await tell?.({ type: 'agent_switching', from, to, reason: 'transfer_task' });
  const steps = work(inner, signal);
  try {
    for (;;) {
      const step = await steps.next();
      if (step.done === true) return step.value.text;
      await tell?.(step.value);
    }
  } finally {
    await tell?.({ type: 'agent_switching', from: to, to: from, reason: 'return' });
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
