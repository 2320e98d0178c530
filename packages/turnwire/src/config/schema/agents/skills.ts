import { z } from 'zod';
import { name, text, texts } from '../values.js';

const listed =
  'true, false, or a list of names of skills, "local", and mappings with "name", "description" and "instructions"';
const called = 'a name of letters, digits, - and _';

/** A skill that is written in the agent file. */
const inlineSkill = z.strictObject(
  {
    name: z
      .string(called)
      .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, called)
      .describe('The name of the skill.'),
    description: text.min(1, 'text, and not empty').describe('Tells the model when to use it.'),
    instructions: text.min(1, 'text, and not empty').describe('The instructions, as in a SKILL.md.'),
    context: z
      .literal('fork', 'fork, or left out')
      .optional()
      .describe('fork: the skill is followed in a conversation of its own. Default: in the conversation itself.'),
    model: name.optional().describe('With fork: the model that follows the skill. Default: that of the agent.'),
    allowed_tools: texts
      .optional()
      .describe('Tools that the skill is written for, which the model is told. Default: none.'),
  },
  'a mapping with "name", "description" and "instructions"',
);

/** `skills` of an agent. */
export const skillsSchema = z.union(
  [z.boolean(listed), z.array(z.union([name, inlineSkill], 'a name, or a mapping with "name"'), listed)],
  listed,
);

export type SkillsDefinition = z.output<typeof skillsSchema>;
