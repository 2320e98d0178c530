import { z } from 'zod';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { calculate } from './arithmetic.js';

/** Calculates, which models do badly. */
export function calculatorToolset(): OpenToolset {
  return {
    tools: [
      defineTool({
        name: 'calculate',
        description:
          'Returns the value of an expression: numbers, + - * / % ^, parentheses, pi, e, abs, ceil, cos, exp, floor, ln, log, log2, max, min, round, sin, sqrt, tan.',
        readOnly: true,
        input: z.object({ expression: z.string().min(1).describe('Such as (3 + 4) * sqrt(2).') }),
        run: ({ expression }) => Promise.resolve(String(calculate(expression))),
      }),
    ],
  };
}
