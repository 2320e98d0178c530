import { z } from 'zod';
import { cacheSchema } from './cache.js';
import { commandsSchema } from './commands.js';
import { fallbackSchema } from './fallback.js';
import { hooksSchema } from './hooks.js';
import { skillsSchema } from './skills.js';
import { structuredOutputSchema } from './structured-output.js';
import { toolsetSchema } from '../toolset.js';
import { flag, name, paragraphs, text, texts, threshold, whole } from '../values.js';

const reference = 'a name from "models", or "provider/model"';
const shared = (what: string) => z.array(name, `a list of names from "${what}" at the top of the file`).default([]);
const agents = z.array(name, 'a list of agents of this file').default([]);

/** An entry of `agents`. */
export const agentSchema = z.strictObject(
  {
    model: z
      .string(reference)
      .min(1, reference)
      .describe(
        'A name from "models", or provider/model; auto for the first built-in provider whose key is there; several with commas between them take turns.',
      ),
    fallback: fallbackSchema.prefault({}).describe('What happens when the model fails.'),
    description: text.default('').describe('What the agent is for: other agents are told. Default: none.'),
    instruction: paragraphs.default('').describe('The system prompt, or its paragraphs. Default: none.'),
    instruction_file: z
      .union([name, z.array(name, 'a file, or a list of files')], 'a file, or a list of files')
      .optional()
      .describe('A file with the system prompt, or several, relative to the agent file, instead of "instruction".'),
    welcome_message: text.default('').describe('Shown before the first prompt. Default: none.'),
    toolsets: z
      .array(toolsetSchema, 'a list, such as [{ type: shell }]')
      .default([])
      .describe('What the agent can do. Default: nothing.'),
    use_toolsets: shared('toolsets').describe(
      'Toolsets from the top of the file, after those of its own. Default: none.',
    ),
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
    force_handoff: name
      .optional()
      .describe('The agent that goes on with the conversation whenever this one has answered. Default: none.'),
    add_date: flag.default(false).describe('Put the date into the prompt. Default: false.'),
    add_environment_info: flag
      .default(false)
      .describe(
        'Put the working directory, the system and whether it is a git repository into the prompt. Default: false.',
      ),
    add_prompt_files: texts.default([]).describe('Files whose text is put into the prompt. Default: none.'),
    add_prompt_files_depth: whole(0, 'of folders')
      .max(20, 'at most 20')
      .default(0)
      .describe(
        'So many folders below the working directory are looked through for files of these names, whose paths the model is told. Default: 0.',
      ),
    inject_memories: flag
      .default(false)
      .describe('Put what its memory holds into the prompt when a session begins. Default: false.'),
    add_description_parameter: flag
      .default(false)
      .describe('Let the model say with each call what it is for. Default: false.'),
    code_mode_tools: flag
      .default(false)
      .describe(
        'Give the model one tool that runs JavaScript, with the tools as its functions, in place of the tools. Default: false.',
      ),
    max_iterations: whole(0, 'of turns').default(0).describe('Turns of one run at most; 0: no limit. Default: 0.'),
    num_history_items: whole(0, 'of items')
      .default(0)
      .describe('Items of the history that are sent at most; 0: all. Default: 0.'),
    max_consecutive_tool_calls: whole(0, 'of calls')
      .default(5)
      .describe('So many identical calls in a row end the run; 0: as the default. Default: 5.'),
    max_tool_result_tokens: z
      .int('a whole number of tokens, or -1')
      .min(-1, 'a whole number of tokens, or -1')
      .default(0)
      .describe(
        'What of a result the model is told at most, in tokens of four bytes: its beginning and its end. 0 or -1: all of it. Default: 0.',
      ),
    max_old_tool_call_tokens: z
      .int('a whole number of tokens, or -1')
      .min(-1, 'a whole number of tokens, or -1')
      .default(0)
      .describe(
        'Results of tools that are sent again at most, in tokens of four bytes; of older ones the model is told no more than that they were there. 0 or -1: all of them. Default: 0.',
      ),
    session_compaction: flag
      .default(true)
      .describe(
        'Whether a history that is too long is summed up by itself; /compact does it all the same. Default: true.',
      ),
    compaction_threshold: threshold
      .optional()
      .describe(
        'The part of the context window at which the history is compacted, where the model does not say. Default: 0.9.',
      ),
    compaction_model: name
      .optional()
      .describe('The model that sums up a history. Default: what the model of the agent says, or itself.'),
    budgets: shared('budgets').describe('Budgets from the top of the file that its work counts for. Default: none.'),
    cache: cacheSchema.prefault({}).describe('Answers questions that were asked before as they were answered then.'),
    skills: skillsSchema
      .default(false)
      .describe(
        'Instructions that the model reads when they are needed: true for all that are found (SKILL.md), or a list of names and of skills. Default: false.',
      ),
    use_skills: shared('skills').describe('Skills from the top of the file. Default: none.'),
    commands: commandsSchema.default({}).describe('Prompts by name, typed as /name.'),
    use_commands: shared('commands').describe('Commands from the top of the file. Default: none.'),
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
