import type { InputItem } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';
import { AgentError } from '../agent-error.js';
import type { Conversation } from '../conversation/conversation.js';
import type { AgentEvent } from '../events.js';
import { promptFor } from '../team.js';
import { textOf } from '../turn/text-extractor.js';
import { requestRedaction } from '../turn/request-redaction.js';
import { isPrompt, lastItems } from '../conversation/pairing.js';
import type { TurnResult } from '../turn/turn.js';
import { costOf, readUsage } from '../turn/usage.js';
import { runHooksAt, runBlockingHooks } from './run-hooks-at.js';
import { chatMessages } from './chat-messages.js';

/** Runs the hooks before a turn. `iteration` counts the turns of the run from 1. */
export async function* beforeTurn(
  conversation: Conversation,
  iteration: number,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  const { context } = yield* runHooksAt(conversation, { point: 'turn_start', event: { iteration }, signal });
  conversation.addChangedContext(context);
  const { agent, choice, history, member } = conversation;
  if (agent.hooks.before_llm_call.length === 0) return;
  const [model = agent.model] = choice.candidates();
  const leaving = requestRedaction(agent);
  const messages = chatMessages(
    leaving.text(promptFor(member)),
    leaving.items(lastItems(history.items, agent.numHistoryItems)),
  );
  const event = { iteration, model_id: idOf(model), last_user_message: lastPrompt(history.items), messages };
  yield* runBlockingHooks(conversation, { point: 'before_llm_call', event, signal });
}

/** Runs the hooks after a turn that was answered. */
export async function* afterTurn(
  conversation: Conversation,
  { response, model }: TurnResult & { model: Model },
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  const { usage } = response;
  const used = usage ? readUsage(usage) : undefined;
  const cost = usage ? costOf(usage, model) : undefined;
  const event = {
    model_id: idOf(model),
    stop_response: textOf(response),
    last_user_message: lastPrompt(conversation.history.items),
    ...(used === undefined
      ? {}
      : {
          usage: {
            input_tokens: used.input_tokens - used.cached_tokens,
            output_tokens: used.output_tokens,
            cached_input_tokens: used.cached_tokens,
            cached_write_tokens: 0,
            reasoning_tokens: used.reasoning_tokens,
          },
        }),
    ...(cost === undefined ? {} : { cost }),
  };
  yield* runHooksAt(conversation, { point: 'after_llm_call', event, signal });
}

export interface ModelSwitch {
  from: string;
  to: string;
  kind: 'handoff' | 'transfer_task' | 'transfer_task_return';
}

/** Tells the hooks of an agent that another one goes on. */
export async function* modelSwitched(
  conversation: Conversation,
  { from, to, kind }: ModelSwitch,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  const event = { from_agent: from, to_agent: to, agent_switch_kind: kind };
  yield* runHooksAt(conversation, { point: 'on_agent_switch', event, agent: from, signal });
}

/** Runs the hooks at the end of a turn, whatever has ended it. */
export class TurnEnd {
  reason: 'normal' | 'continue' | 'error' | 'canceled' | 'hook_blocked' | 'loop_detected' = 'canceled';
  /** The warnings of the hooks for the user. */
  warnings: readonly string[] = [];
  readonly #conversation: Conversation;
  readonly #signal: AbortSignal;
  /** The agent whose hooks run: after a handoff, the conversation belongs to another one. */
  readonly #agent: string;

  constructor(conversation: Conversation, signal: AbortSignal) {
    this.#conversation = conversation;
    this.#signal = signal;
    this.#agent = conversation.agent.name;
  }

  failed(error: unknown): void {
    const code = error instanceof AgentError ? error.code : undefined;
    if (this.#signal.aborted) this.reason = 'canceled';
    else if (code === 'hook_blocked') this.reason = 'hook_blocked';
    else this.reason = code === 'repeated_calls' ? 'loop_detected' : 'error';
  }

  /** Runs the hooks. Never rejects, and is bounded by the timeouts of the hooks alone: an abort of the turn does not end them. */
  async emit(): Promise<void> {
    const event = { reason: this.reason };
    const { signal } = new AbortController();
    const { warnings } = await this.#conversation.hook({ point: 'turn_end', event, signal, agent: this.#agent });
    this.warnings = warnings;
  }
}

function idOf({ provider, model }: Model): string {
  return `${provider}/${model}`;
}

function lastPrompt(items: readonly InputItem[]): string {
  const prompt = items.findLast(isPrompt);
  return prompt !== undefined && 'role' in prompt && typeof prompt.content === 'string' ? prompt.content : '';
}
