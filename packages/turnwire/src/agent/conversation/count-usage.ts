import type { Response } from '@turnwire/client';
import type { Agent } from '../../config/agent.js';
import type { Model } from '../../config/models/model.js';
import type { SessionScope } from './conversation.js';
import type { AgentEvent } from '../events.js';
import { costOf, readUsage } from '../turn/usage.js';

/** Counts the usage of a turn, also of one that writes a summary. Sessions add up the events; budgets count whether or not an event is passed on. */
export function* countUsage(
  { totals, ledger }: SessionScope,
  agent: Agent,
  { usage: raw }: Response,
  model: Model,
): Generator<AgentEvent> {
  if (!raw) return;
  const usage = readUsage(raw);
  const cost = costOf(raw, model);
  ledger.tokens(agent, usage, cost);
  if (!model.trackUsage) return;
  totals.add(usage, cost);
  yield {
    type: 'token_usage',
    usage,
    total: totals.tokens,
    ...(cost === undefined ? {} : { cost }),
    ...(totals.cost === undefined ? {} : { total_cost: totals.cost }),
  };
}
