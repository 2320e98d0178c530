import { z } from 'zod';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';

/** A tool for thoughts. Its use is that the model writes them down, so it does nothing with them. */
export function thinkToolset(): OpenToolset {
  return {
    tools: [
      defineTool({
        name: 'think',
        description:
          'A place to think before you act: what is asked for, what is known, what is missing, what comes next. It does nothing and finds nothing out.',
        readOnly: true,
        input: z.object({ thought: z.string().min(1).describe('What you think.') }),
        run: () => Promise.resolve('Noted.'),
      }),
    ],
  };
}
