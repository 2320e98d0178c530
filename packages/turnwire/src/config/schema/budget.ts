import { z } from 'zod';
import { duration, milliseconds, whole } from './values.js';

const dollars = 'an amount in US dollars above 0';

/** A limit on what agents use in a session: `budget` for all agents, `budgets.NAME` for those that name it. */
export const budgetSchema = z.strictObject(
  {
    max_cost: z.number(dollars).gt(0, dollars).optional().describe('In US dollars. Each model needs a "cost".'),
    max_tokens: whole(1, 'of tokens').optional().describe('Tokens of input and output together.'),
    max_time: duration
      .transform(milliseconds)
      .optional()
      .describe('The time that the agents work, such as 10m; waiting for the user does not count.'),
  },
  'a mapping with "max_cost", "max_tokens" and "max_time"',
);

export type BudgetDefinition = z.output<typeof budgetSchema>;
