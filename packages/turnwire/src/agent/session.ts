import { randomUUID } from 'node:crypto';
import { type InputItem, TurnwireError } from '@turnwire/client';
import type { Agent } from '../config/agent.js';
import type { Budget } from '../config/budgets.js';
import type { Model } from '../config/models/model.js';
import type { PermissionRules } from '../config/schema/agents/permissions.js';
import type { PromptTemplate } from '../config/variables/template.js';
import { messageOf } from './base/abort.js';
import { AgentError } from './agent-error.js';
import type { AnswerCache } from './answer-cache.js';
import type { Approval } from './calls/approval.js';
import { BackgroundTasks } from './background-tasks.js';
import { compact } from './conversation/compact.js';
import { Conversation, type SessionScope } from './conversation/conversation.js';
import type { AgentEvent, StopReason } from './events.js';
import type { History, HistoryKeeper } from './conversation/history.js';
import { askForHook } from './hooks/ask-model.js';
import type { HookEvent } from './hooks/hook-point.js';
import { runHooksAt, runBlockingHooks } from './hooks/run-hooks-at.js';
import type { HookVerdict } from './hooks/hook-verdict.js';
import type { HookContext } from './hooks/hooks.js';
import { BudgetLedger } from './limits/budget-ledger.js';
import { type LoopResult, promptOf, toolsOf, runLoop } from './loop.js';
import type { ItemOrigin } from './turn/item-origin.js';
import { type AgentRun, type RunResult, startRun } from './run.js';
import { isPrompt, promptText } from './conversation/pairing.js';
import type { SteerOutcome } from './turn/steering.js';
import { Permissions } from './permissions/permissions.js';
import type { Member } from './team.js';
import { titleOf } from './title.js';
import type { Tool, ToolContent } from './tools/tool.js';
import type { TurnClient } from './turn/turn.js';
import { noTokens, Totals } from './turn/usage.js';

export interface SessionOptions {
  /** Who carries the turns: one for all models, or one for each. */
  client: TurnClient | ((model: Model) => TurnClient);
  /** The agent that the conversation begins with. */
  agent: Agent;
  tools: readonly Tool[];
  /** Puts around its instruction what else it is told. @default nothing is */
  instructions?: Member['instructions'];
  /** The files whose text is a part of that. @default there are none */
  promptFiles?: Member['promptFiles'];
  /** Agents that it may turn to, by name. @default none */
  team?: ReadonlyMap<string, Member> | undefined;
  approval: Approval;
  /** Asks the user what is no call: whether a run goes on beyond its limit. @default nobody is asked */
  askUser?: SessionScope['askUser'];
  /** The `permissions` of the file. @default none */
  rules?: PermissionRules | undefined;
  /** Where the agents' hooks are run. @default they are not */
  hooksIn?: HookContext | undefined;
  /** Sent as `store`. @default what the agent file says; else not sent: the provider's default, which is to store */
  store?: boolean | undefined;
  /** Items of an earlier conversation to go on from; every call in it has its answer. */
  history?: readonly InputItem[] | undefined;
  /** Which models have made them, as far as it is known: another one is sent what it can read of them. @default not known */
  makers?: ReadonlyMap<InputItem, ItemOrigin> | undefined;
  /** Where what is said is kept. @default nowhere */
  keeper?: HistoryKeeper | undefined;
  /** Told with each run, for who wants to go on from it later. @default none */
  id?: string | undefined;
  /** What all agents may use up. @default no limit */
  budget?: Budget | undefined;
  /** What earlier runs of the session have used up. @default nothing */
  used?: { tokens: number; cost: number } | undefined;
  /** Answers to earlier questions, by agent. @default there are none */
  answers?: ReadonlyMap<string, AnswerCache> | undefined;
  /** @default the session has none yet */
  title?: string | undefined;
}

/** The points that lie between the runs of a session. */
export type SessionHook = 'session_start' | 'session_end' | 'on_user_input';

/** A conversation with an agent: what was said stays from prompt to prompt, and so do the answers `always`. */
export interface Session {
  /** All items so far, as they are sent. Every call in it has its answer, also after a run that failed or was interrupted. */
  readonly history: readonly InputItem[];
  /** The agent whose turn it is: another one after a handoff. */
  readonly agent: Agent;
  /**
   * Tells the agent something while it works: the running turn takes it, where its model can be steered, or it waits for the next one; either way it
   * stands in the history. Never rejects.
   */
  say(text: string): Promise<SteerOutcome>;
  /** What was said and no turn was told, because the run ended first. It waits no more: give it to the next run. */
  unheard(): string[];
  /** The agent goes by another model from its next turn on. */
  useModel(model: Model): void;
  /** Another agent goes on with the conversation. @throws AgentError if there is none of that name */
  handOff(to: string): void;
  /** What the agent can call. */
  readonly tools: readonly Tool[];
  /** Undefined: it has none. */
  title: string | undefined;
  /** Tools run without a question; rules that deny hold all the same. */
  yolo: boolean;
  /** Sums the conversation up now. The events of it; in the end whether there was something to sum up. */
  compact(options?: { signal?: AbortSignal | undefined }): AsyncGenerator<AgentEvent, boolean>;
  /** Takes back the last prompt and all that came of it; the prompt, or undefined where there is none. What tools have done stays done. */
  undo(): string | undefined;
  /** Ends what agents do in the background. Never rejects. */
  close(): Promise<void>;
  /** Runs the hooks that the agent at work has around its session, and tells the model what they have to say. */
  hook(point: SessionHook, event: HookEvent, signal: AbortSignal): Promise<HookVerdict>;
  /**
   * Gives the agent a prompt and lets it work until it has no more calls to make. The tools that a template calls are called first.
   * Reading it throws AgentError `busy` while another run of this session is being read.
   */
  run(prompt: string | PromptTemplate, options?: RunOptions): AgentRun;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** Whether it was said to the run before, too late for its last turn. @default false */
  followUp?: boolean | undefined;
  /** Files and pictures that come with the prompt. @default none */
  attached?: readonly ToolContent[] | undefined;
}

export function createSession(options: SessionOptions): Session {
  const {
    agent,
    tools,
    instructions,
    promptFiles,
    team = new Map(),
    client,
    approval,
    askUser,
    rules,
    hooksIn,
    store,
  } = options;
  const { history: items, makers, keeper, id, budget, used, answers = new Map() } = options;
  const aside: AgentEvent[] = [];
  const permissions = new Permissions(approval, {
    rules,
    tools: [...tools, ...[...team.values()].flatMap((member) => member.tools)],
  });
  const scope: SessionScope = {
    members: new Map([...team, [agent.name, { agent, tools, instructions, promptFiles }]]),
    instructed: new Set<string>(),
    clientFor: typeof client === 'function' ? client : () => client,
    permissions,
    askUser,
    hooksIn,
    askForHook: (asking, question) => askForHook(scope, asking, question),
    sessionId: id ?? randomUUID(),
    store,
    totals: new Totals(),
    ledger: new BudgetLedger(budget, used),
    background: new BackgroundTasks((event) => void aside.push(event)),
    aside,
  };
  const conversation = new Conversation(scope, agent.name, { items, makers, keeper });
  const state: State = { busy: false, title: options.title, answers, keeper };
  return {
    get history() {
      return conversation.history.items;
    },
    get agent() {
      return conversation.agent;
    },
    get tools() {
      return toolsOf(conversation);
    },
    get title() {
      return state.title;
    },
    set title(title) {
      state.title = title;
      if (title !== undefined) keeper?.append({ kind: 'title', title });
    },
    get yolo() {
      return permissions.yolo;
    },
    set yolo(yolo) {
      permissions.yolo = yolo;
    },
    async say(text) {
      const { agent: at, choice, steering, notices } = conversation;
      const [model = at.model] = choice.candidates();
      // What hooks have to see first goes to no turn that runs.
      const { user_steering_messages_submit: told, before_llm_call: guarded } = at.hooks;
      const heard = await (told.length + guarded.length > 0 ? steering.queue(text) : steering.say(text, model));
      notices.nudge();
      return heard;
    },
    handOff(to) {
      if (!scope.members.has(to)) throw new AgentError('unknown_agent', `there is no agent ${to} in this session`);
      conversation.handOff(to);
    },
    compact: ({ signal = new AbortController().signal } = {}) => compact(conversation, 'manual', signal),
    undo() {
      const { history } = conversation;
      const at = history.items.findLastIndex(isPrompt);
      if (at === -1) return undefined;
      const prompt = promptText(history.items.slice(0, at + 1));
      history.compact(history.items.slice(0, at));
      return prompt;
    },
    close: () => scope.background.close(),
    unheard: () => conversation.steering.take(),
    useModel: (model) => conversation.useModel(model),
    async hook(point, event, signal) {
      const verdict = await conversation.hook({ point, event, signal });
      conversation.addContext(verdict.context);
      return verdict;
    },
    run: (prompt, { signal = new AbortController().signal, followUp = false, attached = [] } = {}) =>
      startRun(converse(conversation, state, { prompt, attached, id, followUp, signal })),
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

interface State {
  busy: boolean;
  title: string | undefined;
  answers: ReadonlyMap<string, AnswerCache>;
  keeper: HistoryKeeper | undefined;
}

interface Asked {
  prompt: string | PromptTemplate;
  attached: readonly ToolContent[];
  id: string | undefined;
  followUp: boolean;
  signal: AbortSignal;
}

async function* converse(
  conversation: Conversation,
  state: State,
  { prompt: asked, attached, id, followUp, signal }: Asked,
): AsyncGenerator<AgentEvent, RunResult> {
  const { scope, history } = conversation;
  if (state.busy) {
    throw new AgentError('busy', 'this session is still at work on another prompt; wait for it, or abort it');
  }
  state.busy = true;
  try {
    // Totals are those of a run; a session adds them up by itself.
    scope.totals.tokens = noTokens;
    scope.totals.cost = undefined;
    const { agent } = conversation;
    const started: AgentEvent = {
      type: 'stream_started',
      agent: agent.name,
      model: agent.model.name,
      ...(id === undefined ? {} : { session: id }),
    };
    // A template is a prompt only once its tools have been called.
    if (typeof asked === 'string') yield { type: 'user_message', message: asked };
    yield started;
    try {
      const prompt = typeof asked === 'string' ? asked : yield* promptOf(conversation, asked, signal);
      if (typeof asked !== 'string') yield { type: 'user_message', message: prompt };
      // A prompt that is refused is not kept: it would be sent with the next one.
      const point = followUp ? 'user_followup_submit' : 'user_prompt_submit';
      const submitted = yield* runBlockingHooks(conversation, { point, event: { prompt }, signal });
      const content = attached.length === 0 ? prompt : [{ type: 'input_text' as const, text: prompt }, ...attached];
      history.add({ type: 'message', role: 'user', content });
      conversation.addContext(submitted.context);
      const cache = attached.length === 0 ? state.answers.get(agent.name) : undefined;
      const known = await cache?.find(prompt);
      const { text, reports } =
        known === undefined ? yield* runLoop(conversation, signal) : yield* again(known, history);
      if (known === undefined) await cache?.add(prompt, text);
      const event = { stop_response: text, last_user_message: prompt };
      const stopped = yield* runHooksAt(conversation, { point: 'stop', event, signal });
      conversation.addContext(stopped.context);
      yield* entitle(conversation, state, signal);
      yield { type: 'stream_stopped', reason: 'completed' };
      const { tokens: usage, cost } = scope.totals;
      return { text, turns: reports.length, usage, cost, history: [...history.items], reports };
    } catch (error) {
      const { code, message, ...more } = describe(error, signal);
      yield { type: 'error', code, message, ...more };
      if (!signal.aborted) yield* notify(conversation, error, message, signal);
      yield { type: 'stream_stopped', reason: stopReason(error, signal) };
      throw error;
    }
  } finally {
    state.busy = false;
  }
}

/** Tells hooks of a run that has failed. */
async function* notify(
  conversation: Conversation,
  error: unknown,
  message: string,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  // Of a limit they were told when it was reached.
  if (error instanceof AgentError && error.code === 'max_turns') return;
  const event = { notification_level: 'error', notification_message: message };
  yield* runHooksAt(conversation, { point: 'notification', event, signal });
  yield* runHooksAt(conversation, { point: 'on_error', event, signal });
}

/** An answer that was given before. */
function* again(text: string, history: History): Generator<AgentEvent, LoopResult> {
  yield { type: 'agent_choice', content: text };
  history.add({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] });
  return { text, reports: [] };
}

/** Gives the session its title, where the agent has a model for that and there is none yet. */
async function* entitle(conversation: Conversation, state: State, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  const [first = conversation.agent.model] = conversation.choice.candidates();
  const model = first.links.title;
  if (model === undefined || state.title !== undefined) return;
  try {
    const title = yield* titleOf(conversation, model, signal);
    if (title === '') return;
    state.title = title;
    state.keeper?.append({ kind: 'title', title });
    yield { type: 'session_title', title };
  } catch (error) {
    if (signal.aborted) return;
    yield { type: 'warning', message: `the session has no title, because ${model.name} failed: ${messageOf(error)}` };
  }
}

function stopReason(error: unknown, signal: AbortSignal): StopReason {
  if (signal.aborted) return 'aborted';
  if (!(error instanceof AgentError)) return 'failed';
  const { code } = error;
  return ending.has(code) ? (code as StopReason) : 'failed';
}

/** The codes of errors that are reasons to stop by the same names. */
const ending: ReadonlySet<string> = new Set<StopReason>([
  'incomplete',
  'repeated_calls',
  'max_turns',
  'hook_blocked',
  'budget_exceeded',
]);

function describe(error: unknown, signal: AbortSignal): { code: string; message: string; server_code?: string } {
  const message = messageOf(error);
  if (signal.aborted) return { code: 'aborted', message };
  if (error instanceof AgentError) return { code: error.code, message };
  if (!(error instanceof TurnwireError)) return { code: 'failed', message };
  const serverCode = error.server?.code;
  return { code: error.code, message, ...(serverCode === undefined ? {} : { server_code: serverCode }) };
}
