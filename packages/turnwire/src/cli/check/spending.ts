/** Tokens that a turn of the checks may read at most, roughly: its question, and the context of a turn before it. */
const inputTokensPerTurn = 200;

/** What a run may spend, and what it has. */
export class Spending {
  readonly budget: number;
  readonly outputTokensPerTurn = 400;
  inputTokens = 0;
  outputTokens = 0;
  turns = 0;

  constructor(budget: number) {
    this.budget = budget;
  }

  /** The most that so many turns come to. */
  bound(turns: number): number {
    return turns * (inputTokensPerTurn + this.outputTokensPerTurn);
  }

  get spent(): number {
    return this.inputTokens + this.outputTokens;
  }

  /** Counts the usage of a response; one that tells none counts as the bound of a turn. */
  spend(response: object): void {
    if (!('object' in response) || response.object !== 'response') return;
    this.turns += 1;
    const usage = 'usage' in response ? response.usage : undefined;
    const { input_tokens: input, output_tokens: output } = (usage ?? {}) as Readonly<Record<string, unknown>>;
    this.inputTokens += typeof input === 'number' ? input : inputTokensPerTurn;
    this.outputTokens += typeof output === 'number' ? output : this.outputTokensPerTurn;
  }
}
