import { z } from 'zod';
import type { Toolset } from '../../../config/toolset.js';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { callerIn } from './background-agents.js';

/** Lets the model change to another model of a list, and back. */
export function modelPickerToolset({ links }: Extract<Toolset, { type: 'model_picker' }>): OpenToolset {
  const choices = links?.choices ?? new Map();
  const names = [...choices.keys()];
  return {
    instructions: `You can change to another model with change_model, for work that it does better, and back with revert_model. There are: ${names.join(', ')}.`,
    tools: [
      defineTool({
        name: 'change_model',
        description: 'Changes to another model, which goes on from the next turn on.',
        readOnly: true,
        alone: true,
        input: z.object({ model: z.enum(names).describe('Which one.') }),
        run({ model }, context) {
          callerIn(context).pickModel(choices.get(model));
          return Promise.resolve(`${model} goes on.`);
        },
      }),
      defineTool({
        name: 'revert_model',
        description: 'Changes back to the model that you began with.',
        readOnly: true,
        alone: true,
        input: z.object({}),
        run(_given, context) {
          callerIn(context).pickModel(undefined);
          return Promise.resolve('The model that you began with goes on.');
        },
      }),
    ],
  };
}
