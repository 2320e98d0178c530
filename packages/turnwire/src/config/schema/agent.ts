import { z } from 'zod';
import { commandsSchema } from './commands.js';
import { fallbackSchema } from './fallback.js';
import { hooksSchema } from './hooks.js';
import { structuredOutputSchema } from './structured-output.js';
import { toolsetSchema } from './toolset.js';
import { flag, name, text, texts, whole } from './values.js';

const reference = 'a name from "models", or "provider/model"';
const agents = z.array(name, 'a list of agents of this file').default([]);

/** An entry of `agents`. */
export const agentSchema = z.strictObject(
  {
    model: z.string(reference).min(1, reference).describe('A name from "models", or provider/model.'),
    fallback: fallbackSchema.prefault({}).describe('What happens when the model fails.'),
    description: text.default('').describe('What the agent is for: other agents are told. Default: none.'),
    instruction: text.default('').describe('The system prompt. Default: none.'),
    welcome_message: text.default('').describe('Shown before the first prompt. Default: none.'),
    toolsets: z
      .array(toolsetSchema, 'a list, such as [{ type: shell }]')
      .default([])
      .describe('What the agent can do. Default: nothing.'),
    use_toolsets: z
      .array(name, 'a list of names from "toolsets" at the top of the file')
      .default([])
      .describe('Toolsets from the top of the file, after those of its own. Default: none.'),
    readonly: flag
      .default(false)
      .describe('Offer only the tools that change nothing, of all its toolsets. Default: false.'),
    tool_choice: name
      .optional()
      .describe(
        'Whether the first turn on a prompt calls tools: auto, none, required, or the name of a tool. auto and none hold for all turns. Default: not sent, which is auto.',
      ),
    sub_agents: agents.describe('Agents that it may give tasks to (transfer_task). Default: none.'),
    handoffs: agents.describe('Agents that it may give the whole conversation to (handoff). Default: none.'),
    add_date: flag.default(false).describe('Put the date into the prompt. Default: false.'),
    add_environment_info: flag
      .default(false)
      .describe(
        'Put the working directory, the system and whether it is a git repository into the prompt. Default: false.',
      ),
    add_prompt_files: texts.default([]).describe('Files whose text is put into the prompt. Default: none.'),
    max_iterations: whole(0, 'of turns').default(0).describe('Turns of one run at most; 0: no limit. Default: 0.'),
    num_history_items: whole(0, 'of items')
      .default(0)
      .describe('Items of the history that are sent at most; 0: all. Default: 0.'),
    max_consecutive_tool_calls: whole(0, 'of calls')
      .default(5)
      .describe('So many identical calls in a row end the run; 0: as the default. Default: 5.'),
    commands: commandsSchema.default({}).describe('Prompts by name, typed as /name.'),
    structured_output: structuredOutputSchema.optional().describe('Binds its answers to a JSON Schema.'),
    hooks: hooksSchema
      .prefault({})
      .describe('What is done at certain points of a run: commands of yours, and builtins.'),
    redact_secrets: flag
      .default(false)
      .describe(
        'Take out what looks like a secret: of calls, of what tools return, of what the model is sent. Default: false.',
      ),
  },
  'a mapping with "model" and "instruction"',
);

export type AgentDefinition = z.output<typeof agentSchema>;
