import { z } from 'zod';
import { agentSchema } from './agents/agent.js';
import { budgetSchema } from './budget.js';
import { sharedCommandsSchema } from './agents/commands.js';
import { modelEntrySchema, providerSchema } from './model.js';
import { permissionsSchema } from './agents/permissions.js';
import { skillsSchema } from './agents/skills.js';
import { mcpSchema, toolsetSchema } from './toolset.js';

/**
 * The shape of an agent file: the part of docker-agent's format that turnwire supports. This one definition checks files, gives their types, and gives the
 * JSON Schema for editors. config.ts, agent.ts and model.ts resolve references between parts.
 */
export const fileSchema = z.strictObject(
  {
    version: z
      .union([z.string(), z.number()], 'a version, such as "8"')
      .optional()
      .describe("The version of docker-agent's format. The keys served here mean the same in all of them."),
    metadata: z
      .record(z.string(), z.unknown(), 'a mapping')
      .optional()
      .describe('Author, license and the like, for readers.'),
    providers: z
      .record(z.string(), providerSchema, 'a mapping from names to providers')
      .optional()
      .describe('Servers of your own, by name.'),
    models: z
      .record(z.string(), modelEntrySchema, 'a mapping from names to models')
      .optional()
      .describe('Models, by name.'),
    mcps: z
      .record(z.string(), mcpSchema, 'a mapping from names to MCP servers')
      .optional()
      .describe('MCP servers that several agents use, by name.'),
    toolsets: z
      .record(z.string(), toolsetSchema, 'a mapping from names to toolsets')
      .optional()
      .describe('Toolsets that several agents use, by name: "use_toolsets".'),
    commands: sharedCommandsSchema
      .optional()
      .describe('Commands that several agents have, by name, one or several under each: "use_commands".'),
    skills: z
      .record(z.string(), skillsSchema, 'a mapping from names to skills')
      .optional()
      .describe('Skills that several agents have, by name: "use_skills".'),
    budget: budgetSchema.optional().describe('The budget of all agents of a session together. Default: no limit.'),
    budgets: z
      .record(z.string(), budgetSchema, 'a mapping from names to budgets')
      .optional()
      .describe('Budgets by name, each for the agents that name it. Default: none.'),
    permissions: permissionsSchema.prefault({}).describe('Which calls run without a question, and which never.'),
    agents: z
      .record(z.string(), agentSchema, 'a mapping with an agent "root"')
      .refine((agents) => Object.keys(agents).length > 0, 'a mapping with at least one agent, "root"')
      .describe('The agents, by name. A run begins with "root", or with the first where there is none of that name.'),
  },
  'a mapping with "agents"',
);
