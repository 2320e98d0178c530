import { randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';

/** The widest range of crypto's random numbers. */
const widest = 2 ** 47;

/** Random numbers, choices and ids, which models cannot make. */
export function randomToolset(): OpenToolset {
  return {
    tools: [
      defineTool({
        name: 'random_number',
        description: 'Returns whole numbers by chance, each as likely as the others, with commas between them.',
        readOnly: true,
        input: z
          .object({
            min: z.int().default(1).describe('The smallest.'),
            max: z.int().default(100).describe('The largest.'),
            count: z.int().min(1).max(1000).default(1).describe('How many.'),
          })
          .refine(({ min, max }) => max >= min && max - min < widest, 'max is at least min'),
        run: ({ min, max, count }) =>
          Promise.resolve(Array.from({ length: count }, () => randomInt(min, max + 1)).join(', ')),
      }),
      defineTool({
        name: 'random_choice',
        description: 'Returns one of several things by chance.',
        readOnly: true,
        input: z.object({ options: z.array(z.string()).min(1).max(1000).describe('What there is to choose from.') }),
        run: ({ options }) => Promise.resolve(options[randomInt(options.length)] ?? ''),
      }),
      defineTool({
        name: 'random_uuid',
        description: 'Returns an id that there is no second of (UUID version 4).',
        readOnly: true,
        input: z.object({}),
        run: () => Promise.resolve(randomUUID()),
      }),
    ],
  };
}
