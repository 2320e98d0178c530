import { z } from 'zod';
import type { ToolHost } from '../tool-host.js';
import { defineTool, type ToolContext, ToolFailure } from '../tool.js';
import type { OpenToolset } from '../toolset.js';

/** The time that `wait_background_agents` waits unless the model says otherwise, and the longest that it may say, in seconds. */
const usualWait = 300;
const longestWait = 3600;
/** The most tasks that one call waits for. */
const mostTasks = 100;

/** Gives tasks to other agents, which work on them while this agent goes on. */
export function backgroundAgentsToolset(agents: readonly string[]): OpenToolset {
  const task = z.object({ task_id: z.string().describe('As run_background_agent gave it.') });
  return {
    tools: [
      defineTool({
        name: 'run_background_agent',
        description:
          'Gives a task to another agent and returns its id at once; it works in the background. It sees nothing of this conversation: say all that it needs.',
        // The calls of the other agent are approved one by one.
        readOnly: true,
        delegates: true,
        input: z.object({
          agent: z.enum(agents).describe('Who is to do it.'),
          task: z.string().min(1).describe('What is to be done, complete.'),
          expected_output: z.string().default('').describe('What the answer should be like.'),
        }),
        run({ agent, task: what, expected_output: expected }, context) {
          const caller = callerIn(context);
          const prompt = expected === '' ? what : `${what}\n\nExpected output: ${expected}`;
          const id = caller.background.start(agent, prompt, (options) =>
            caller.delegate({ to: agent, prompt }, options),
          );
          return Promise.resolve(`Started ${id}.`);
        },
      }),
      defineTool({
        name: 'list_background_agents',
        description: 'Lists the tasks in the background, a line each: id, agent, state, seconds, task.',
        readOnly: true,
        input: z.object({}),
        run: (_given, context) => Promise.resolve(callerIn(context).background.list()),
      }),
      defineTool({
        name: 'view_background_agent',
        description:
          'Returns the state of a task in the background and its answer, or what has been said of it so far.',
        readOnly: true,
        input: task,
        run: ({ task_id: id }, context) => Promise.resolve(callerIn(context).background.view(id)),
      }),
      defineTool({
        name: 'stop_background_agent',
        description: 'Ends a task in the background.',
        readOnly: true,
        input: task,
        run: ({ task_id: id }, context) => callerIn(context).background.stop(id),
      }),
      defineTool({
        name: 'wait_background_agents',
        description:
          'Waits until all the named tasks have ended, and returns the state and the answer of each as JSON. When the time is over they go on: wait again. "all_done" does not say that they succeeded: look at each "status".',
        readOnly: true,
        input: z.object({
          task_ids: z
            .array(z.string())
            .min(1)
            .max(mostTasks)
            .refine((ids) => new Set(ids).size === ids.length, 'name each task once')
            .describe('As run_background_agent gave them.'),
          timeout: z
            .number()
            .int()
            .min(0)
            .max(longestWait)
            .default(usualWait)
            .describe(`The seconds to wait for all of them; 0 is ${usualWait}.`),
        }),
        async run({ task_ids: ids, timeout }, context) {
          const until = AbortSignal.timeout((timeout === 0 ? usualWait : timeout) * 1000);
          const { answer, unknown } = await callerIn(context).background.wait(ids, { signal: context.signal, until });
          if (unknown) throw new ToolFailure(answer);
          return answer;
        },
      }),
    ],
  };
}

/** @throws Error where the tool is called outside of a conversation. */
export function callerIn({ caller }: ToolContext): ToolHost {
  if (caller === undefined) throw new Error('this tool needs a conversation, and there is none here');
  return caller;
}
