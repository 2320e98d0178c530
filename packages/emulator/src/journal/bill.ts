import type { JournalTurn, Outcome } from './journal-turn.js';

/** The sum of the tokens and turns of several turns. */
export interface BillLine {
  /** The tokens of the full context of each turn, however little of it was sent. */
  readonly inputTokens: number;
  /** The part of the input tokens that were cached. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly turns: number;
  /** The number of turns with each outcome, without outcomes that did not occur. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
}

type BilledTurn = Pick<JournalTurn, 'request' | 'outcome' | 'usage'>;

/** The tokens of the turns in the journal, for all turns together and for each `model`. */
export interface Bill extends BillLine {
  readonly models: Readonly<Record<string, BillLine>>;
}

/**
 * Adds up turns. A turn whose response has a usage is charged, also if its client left before the terminal event, or if a fault kept that event
 * back. A turn that was refused, has failed or was aborted before is counted without a charge; whether a provider charges for it is not known
 * (P120).
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

/** The model of a request; `''` for a request that could not be read. */
function modelOf(request: unknown): string {
  const model = typeof request === 'object' && request !== null && 'model' in request ? request.model : undefined;
  return typeof model === 'string' ? model : '';
}
