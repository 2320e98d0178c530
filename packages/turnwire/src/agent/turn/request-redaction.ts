import type { InputItem } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import { redactItem, redactText } from './redaction.js';

/** Requests to an agent's model without secrets, where the agent's hooks want that. */
export interface RequestRedaction {
  text: (text: string) => string;
  items: (items: readonly InputItem[]) => readonly InputItem[];
}

export function requestRedaction({ hooks }: Pick<Agent, 'hooks'>): RequestRedaction {
  const redacts = hooks.before_llm_call.some((hook) => hook.type === 'builtin' && hook.command === 'redact_secrets');
  return redacts
    ? { text: redactText, items: (items) => items.map(redactItem) }
    : { text: (text) => text, items: (items) => items };
}
