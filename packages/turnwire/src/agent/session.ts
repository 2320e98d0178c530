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
  /** The client that carries the turns: one for all models, or one for each. */
  client: TurnClient | ((model: Model) => TurnClient);
  /** The agent that the conversation begins with. */
  agent: Agent;
  tools: readonly Tool[];
  /** Adds the other parts of the system prompt to the agent's instruction. @default adds nothing */
  instructions?: Member['instructions'];
  /** The files whose text is a part of the system prompt. @default none */
  promptFiles?: Member['promptFiles'];
  /** Agents that the first one can reach, by name. @default none */
  team?: ReadonlyMap<string, Member> | undefined;
  approval: Approval;
  /** Asks the user a question that is not about a call: whether a run goes on beyond its limit. @default the user is not asked */
  askUser?: SessionScope['askUser'];
  /** The `permissions` of the file. @default none */
  rules?: PermissionRules | undefined;
  /** The surroundings in which the agents' hooks run. @default they do not run */
  hooksIn?: HookContext | undefined;
  /** The field `store`. @default the setting of the agent file; else not sent, so that the provider stores */
  store?: boolean | undefined;
  /** Items of an earlier conversation to continue; every call among them has its answer. */
  history?: readonly InputItem[] | undefined;
  /** The models that have made these items, as far as they are known: another model is sent only the parts that it can read. @default unknown */
  makers?: ReadonlyMap<InputItem, ItemOrigin> | undefined;
  /** Stores the history. @default it is not stored */
  keeper?: HistoryKeeper | undefined;
  /** The id of the session, which events of the run have so that it can be continued later. @default none */
  id?: string | undefined;
  /** The budget of all agents. @default no limit */
  budget?: Budget | undefined;
  /** The use of the budget by earlier runs of the session. @default nothing */
  used?: { tokens: number; cost: number } | undefined;
  /** Caches of answers, one for each agent. @default none */
  answers?: ReadonlyMap<string, AnswerCache> | undefined;
  /** The title of the session. @default none yet */
  title?: string | undefined;
}

/** The points of hooks between the runs of a session. */
export type SessionHook = 'session_start' | 'session_end' | 'on_user_input';

/** A conversation with an agent. The history and the answers `always` stay from prompt to prompt. */
export interface Session {
  /** All items so far, as they are sent. Every call among them has its answer, also after a run that failed or was interrupted. */
  readonly history: readonly InputItem[];
  /** The agent at work: another one after a handoff. */
  readonly agent: Agent;
  /**
   * Tells the agent something while it works. The running turn gets it where its model can be steered, else the next turn; in both cases it is added to the
   * history. Never rejects.
   */
  say(text: string): Promise<SteerOutcome>;
  /** Takes what the user said and no turn was given, because the run ended first. Give it to the next run. */
  unheard(): string[];
  /** Makes the agent use another model from its next turn on. */
  useModel(model: Model): void;
  /** Gives the conversation to another agent. @throws AgentError if there is none of that name */
  handOff(to: string): void;
  /** The tools that the agent can call. */
  readonly tools: readonly Tool[];
  /** The title of the session; undefined for none. */
  title: string | undefined;
  /** True: tools run without a question, but rules that deny hold. */
  yolo: boolean;
  /** Sums the conversation up now. Yields the events; returns whether there was something to sum up. */
  compact(options?: { signal?: AbortSignal | undefined }): AsyncGenerator<AgentEvent, boolean>;
  /** Removes the last prompt and all items after it; gives the prompt, or undefined where there is none. The effects of tools stay. */
  undo(): string | undefined;
  /** Ends background work. Never rejects. */
  close(): Promise<void>;
  /** Runs the hooks of the agent at work for a point around its session, and gives their output to the model. */
  hook(point: SessionHook, event: HookEvent, signal: AbortSignal): Promise<HookVerdict>;
  /**
   * Gives the agent a prompt, and lets it work until it makes no more calls. The calls of a template run first. Reading the run throws AgentError `busy`
   * while another run of this session is being read.
   */
  run(prompt: string | PromptTemplate, options?: RunOptions): AgentRun;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** True where the prompt was said during the run before, too late for its last turn. @default false */
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
  const sideEvents: AgentEvent[] = [];
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
    background: new BackgroundTasks((event) => void sideEvents.push(event)),
    sideEvents,
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
      // Words that a hook must see first cannot be sent to a running turn.
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

/** Runs one prompt in a session of its own. */
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
    // These totals are those of the run; a session adds up its runs.
    scope.totals.tokens = noTokens;
    scope.totals.cost = undefined;
    const { agent } = conversation;
    const started: AgentEvent = {
      type: 'stream_started',
      agent: agent.name,
      model: agent.model.name,
      ...(id === undefined ? {} : { session: id }),
    };
    // A template is a prompt only after its tools were called.
    if (typeof asked === 'string') yield { type: 'user_message', message: asked };
    yield started;
    try {
      const prompt = typeof asked === 'string' ? asked : yield* promptOf(conversation, asked, signal);
      if (typeof asked !== 'string') yield { type: 'user_message', message: prompt };
      // A refused prompt is not stored: it would be sent with the next one.
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
      yield* giveTitle(conversation, state, signal);
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

/** Tells hooks about a run that has failed. */
async function* notify(
  conversation: Conversation,
  error: unknown,
  message: string,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  // The hooks were told of the limit when it was reached.
  if (error instanceof AgentError && error.code === 'max_turns') return;
  const event = { notification_level: 'error', notification_message: message };
  yield* runHooksAt(conversation, { point: 'notification', event, signal });
  yield* runHooksAt(conversation, { point: 'on_error', event, signal });
}

/** Gives an answer out of the cache. */
function* again(text: string, history: History): Generator<AgentEvent, LoopResult> {
  yield { type: 'agent_choice', content: text };
  history.add({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] });
  return { text, reports: [] };
}

/** Gives the session a title, where the agent has a model for that and there is none yet. */
async function* giveTitle(conversation: Conversation, state: State, signal: AbortSignal): AsyncGenerator<AgentEvent> {
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

/** The codes of errors that are stop reasons under the same names. */
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
