import { z } from 'zod';
import { defineTool } from './tool.js';
import type { OpenToolset, ToolsetOptions } from './toolset.js';

/** Asks the user. Without a terminal the call fails, and its message tells the model so. */
export function userPromptToolset(askUser: ToolsetOptions['askUser']): OpenToolset {
  return {
    tools: [
      defineTool({
        name: 'user_prompt',
        description:
          'Asks the user a question and returns the answer. For what only the user can decide; it waits as long as the user takes.',
        // The tool changes nothing, but two questions at once would confuse the user.
        readOnly: true,
        alone: true,
        input: z.object({
          message: z.string().min(1).describe('The question.'),
          options: z.array(z.string()).max(20).default([]).describe('Answers to choose from, if there are such.'),
        }),
        async run({ message, options }, { signal }) {
          if (askUser === undefined)
            throw new Error('there is nobody to ask: go on with what you know, and say what you assumed');
          const choices = options.map((option, index) => `\n  ${index + 1}. ${option}`).join('');
          const answer = await askUser(message + choices, { signal });
          signal.throwIfAborted();
          if (answer === undefined || answer.trim() === '') return 'The user gave no answer.';
          return options[Number(answer.trim()) - 1] ?? answer;
        },
      }),
    ],
  };
}
