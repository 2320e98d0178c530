/** An estimate of the most tokens that a turn of the rules reads: its question, and the context of one turn before it. */
const inputTokensPerTurn = 200;

/** The token budget of a run, and what is spent of it. */
export class Spending {
  readonly budget: number;
  readonly outputTokensPerTurn = 400;
  inputTokens = 0;
  outputTokens = 0;
  turns = 0;

  constructor(budget: number) {
    this.budget = budget;
  }

  /** The most tokens that a number of turns can spend. */
  bound(turns: number): number {
    return turns * (inputTokensPerTurn + this.outputTokensPerTurn);
  }

  get spent(): number {
    return this.inputTokens + this.outputTokens;
  }

  /** Counts the usage of a response. A response without usage counts as the most that a turn can spend. */
  spend(response: object): void {
    if (!('object' in response) || response.object !== 'response') return;
    this.turns += 1;
    const usage = 'usage' in response ? response.usage : undefined;
    const { input_tokens: input, output_tokens: output } = (usage ?? {}) as Readonly<Record<string, unknown>>;
    this.inputTokens += typeof input === 'number' ? input : inputTokensPerTurn;
    this.outputTokens += typeof output === 'number' ? output : this.outputTokensPerTurn;
  }
}
