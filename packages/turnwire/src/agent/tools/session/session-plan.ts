import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readText } from '../files/text-file.js';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { callerIn } from './background-agents.js';

/** The longest plan, in characters. */
const longestPlan = 200_000;
/** The largest file of a plan, in bytes. */
const fileLimit = 1024 * 1024;

/**
 * One plan for each session, in a file of its own: one agent writes it, others read it.
 *
 * @param folder the folder of plans; undefined: plans cannot be kept
 */
export function sessionPlanToolset(folder: string | undefined): OpenToolset {
  if (folder === undefined) throw new Error('there is no place for plans; set TURNWIRE_HOME to a folder');
  const placeOf = (sessionId: string): string => join(folder, `${sessionId.replace(/[^\w-]/g, '_')}.md`);
  const read = async (sessionId: string): Promise<string | undefined> => {
    try {
      return (await readText(placeOf(sessionId), 'the plan', fileLimit)).text;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  };
  return {
    tools: [
      defineTool({
        name: 'write_session_plan',
        description: 'Writes the plan of this session, in Markdown, in place of the one before.',
        // The plan belongs to the agents, like a list of things to do.
        readOnly: true,
        alone: true,
        input: z.object({ content: z.string().min(1).max(longestPlan).describe('The whole plan.') }),
        async run({ content }, context) {
          const place = placeOf(callerIn(context).sessionId);
          await mkdir(folder, { recursive: true, mode: 0o700 });
          const draft = `${place}.${process.pid}.tmp`;
          await writeFile(draft, content, { mode: 0o600 });
          await rename(draft, place);
          return `The plan is in ${place}.`;
        },
      }),
      defineTool({
        name: 'read_session_plan',
        description: 'Returns the plan of this session.',
        readOnly: true,
        input: z.object({}),
        run: async (_given, context) => (await read(callerIn(context).sessionId)) ?? 'There is no plan yet.',
      }),
      defineTool({
        name: 'exit_plan_mode',
        description: 'Says that the plan is final, for the user to look at.',
        readOnly: true,
        alone: true,
        input: z.object({}),
        async run(_given, context) {
          const plan = await read(callerIn(context).sessionId);
          if (plan === undefined) throw new Error('there is no plan yet; write it with write_session_plan');
          await context.emit?.({ type: 'plan_ready', plan, path: placeOf(callerIn(context).sessionId) });
          return 'The user has been shown the plan. Wait for what they say.';
        },
      }),
    ],
  };
}
