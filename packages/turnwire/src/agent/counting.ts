import type { Response } from '@turnwire/client';
import type { Model } from '../config/model.js';
import type { AgentEvent } from './events.js';
import { costOf, readUsage, type Totals } from './usage.js';

/** Counts what a turn has used, that of a summary too: sessions add up what they are told. */
export function* count(totals: Totals, { usage: raw }: Response, model: Model): Generator<AgentEvent> {
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
