import type { JournalTurn, Outcome } from './journal-turn.js';

/** Tokens and turns, added up. */
export interface BillLine {
  /** Of the full context of each turn, however little of it was sent (P79). */
  readonly inputTokens: number;
  /** Of these, the ones that were cached. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly turns: number;
  /** How many of the turns ended how; an outcome that did not occur is left out. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
}

type BilledTurn = Pick<JournalTurn, 'request' | 'outcome' | 'usage'>;

/** What the turns in the journal cost: all together, and by the `model` they asked for. */
export interface Bill extends BillLine {
  readonly models: Readonly<Record<string, BillLine>>;
}

/**
 * Adds up turns. A turn counts its usage if its response got that far: also when its client left before it had read the
 * terminal event, or a fault kept that back. A turn that was refused, failed, or broken off before costs nothing here but is
 * counted; whether a provider charges for it is not known (P120).
 */
export function billFor(turns: readonly BilledTurn[]): Bill {
  const byModel = new Map<string, BilledTurn[]>();
  for (const turn of turns) {
    const model = modelOf(turn.request);
    const known = byModel.get(model);
    if (known === undefined) byModel.set(model, [turn]);
    else known.push(turn);
  }
  const models = Object.fromEntries([...byModel].map(([model, own]) => [model, lineFor(own)]));
  return { ...lineFor(turns), models };
}

function lineFor(turns: readonly BilledTurn[]): BillLine {
  const outcomes: Partial<Record<Outcome, number>> = {};
  let [inputTokens, cachedTokens, outputTokens] = [0, 0, 0];
  for (const { outcome, usage } of turns) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (usage === undefined) continue;
    inputTokens += usage.input_tokens;
    cachedTokens += usage.input_tokens_details?.cached_tokens ?? 0;
    outputTokens += usage.output_tokens;
  }
  return { inputTokens, cachedTokens, outputTokens, turns: turns.length, outcomes };
}

/** A request that could not be read has no model; it is billed under ''. */
function modelOf(request: unknown): string {
  const model = typeof request === 'object' && request !== null && 'model' in request ? request.model : undefined;
  return typeof model === 'string' ? model : '';
}
