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
    welcome_message: text.default('').describe('A text before the first prompt. Default: none.'),
    toolsets: z
      .array(toolsetSchema, 'a list, such as [{ type: shell }]')
      .default([])
      .describe('The toolsets of the agent. Default: none.'),
    use_toolsets: shared('toolsets').describe(
      'Toolsets from the top of the file, added after the agent’s own. Default: none.',
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
        'The levels of folders below the working directory in which files of these names are searched; the model is given their paths. Default: 0.',
      ),
    inject_memories: flag
      .default(false)
      .describe('Put the content of the agent’s memory into the prompt when a session begins. Default: false.'),
    add_description_parameter: flag
      .default(false)
      .describe('Let the model say with each call what it is for. Default: false.'),
    code_mode_tools: flag
      .default(false)
      .describe(
        'Give the model one tool that runs JavaScript, with the tools as its functions, in place of the tools. Default: false.',
      ),
    max_iterations: whole(0, 'of turns').default(0).describe('The most turns of one run; 0: no limit. Default: 0.'),
    num_history_items: whole(0, 'of items')
      .default(0)
      .describe('The most items of the history that are sent; 0: all. Default: 0.'),
    max_consecutive_tool_calls: whole(0, 'of calls')
      .default(5)
      .describe('The number of identical calls in a row that ends the run; 0: the default. Default: 5.'),
    max_tool_result_tokens: z
      .int('a whole number of tokens, or -1')
      .min(-1, 'a whole number of tokens, or -1')
      .default(0)
      .describe(
        'The most tokens, of four bytes each, that the model is given of a result: its beginning and its end. 0 or -1: all of it. Default: 0.',
      ),
    max_old_tool_call_tokens: z
      .int('a whole number of tokens, or -1')
      .min(-1, 'a whole number of tokens, or -1')
      .default(0)
      .describe(
        'The most tokens, of four bytes each, of earlier results that are sent again; a note replaces older results. 0 or -1: all of them. Default: 0.',
      ),
    session_compaction: flag
      .default(true)
      .describe(
        'Whether a history that is too long is summed up without being asked; /compact works in any case. Default: true.',
      ),
    compaction_threshold: threshold
      .optional()
      .describe(
        'The part of the context window at which the history is compacted, where the model does not say. Default: 0.9.',
      ),
    compaction_model: name
      .optional()
      .describe('The model that sums up a history. Default: what the model of the agent says, or itself.'),
    budgets: shared('budgets').describe(
      'Budgets from the top of the file that this agent’s work counts for. Default: none.',
    ),
    cache: cacheSchema.prefault({}).describe('Gives the earlier answer to a question that is asked again.'),
    skills: skillsSchema
      .default(false)
      .describe(
        'Skills, whose instructions the model reads when it needs them: true for all SKILL.md files that are found, or a list of names and of skills. Default: false.',
      ),
    use_skills: shared('skills').describe('Skills from the top of the file. Default: none.'),
    commands: commandsSchema.default({}).describe('Prompts by name, typed as /name.'),
    use_commands: shared('commands').describe('Commands from the top of the file. Default: none.'),
    structured_output: structuredOutputSchema.optional().describe('The JSON Schema of the agent’s answers.'),
    hooks: hooksSchema.prefault({}).describe('Hooks at certain points of a run: commands, builtins and models.'),
    redact_secrets: flag
      .default(false)
      .describe(
        'Remove texts that look like secrets from calls, from results and from requests to the model. Default: false.',
      ),
  },
  'a mapping with "model" and "instruction"',
);

export type AgentDefinition = z.output<typeof agentSchema>;
