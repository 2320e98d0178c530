import { z } from 'zod';
import type { Agent } from '../config/agent.js';
import type { PromptFile } from './conversation/prompt-files.js';
import { callerIn } from './tools/session/background-agents.js';
import { defineTool, type Tool } from './tools/tool.js';

/** An agent with its tools and the parts of its system prompt. */
export interface Member {
  agent: Agent;
  tools: readonly Tool[];
  /** Adds the other parts of the system prompt to the agent's instruction. @default adds nothing */
  instructions?: ((instruction: string) => string) | undefined;
  /** The files whose text is a part of the system prompt. @default none */
  promptFiles?: readonly PromptFile[] | undefined;
}

/** The system prompt of an agent. */
export function promptFor({ agent, instructions }: Member): string {
  return instructions === undefined ? agent.instruction : instructions(agent.instruction);
}

export interface TeamWork {
  /** Gives this conversation to another agent, which goes on from the next turn on. */
  handOff: (to: string) => void;
}

/** The tools by which an agent gives work to other agents; none for an agent that works alone. */
export function teamTools({ subAgents, handoffs }: Agent, { handOff }: TeamWork): Tool[] {
  const tools: Tool[] = [];
  if (subAgents.length > 0) {
    tools.push(
      defineTool({
        name: 'transfer_task',
        description:
          'Gives a task to another agent and returns its answer. It sees nothing of this conversation: say all that it needs.',
        // The calls of the other agent are approved one by one.
        readOnly: true,
        alone: true,
        delegates: true,
        input: z.object({
          agent: z.enum(subAgents).describe('Who is to do it.'),
          task: z.string().min(1).describe('What is to be done, complete.'),
          expected_output: z.string().default('').describe('What the answer should be like.'),
        }),
        run({ agent, task, expected_output: expected }, context) {
          const prompt = expected === '' ? task : `${task}\n\nExpected output: ${expected}`;
          return callerIn(context).delegate({ to: agent, prompt }, { signal: context.signal, emit: context.emit });
        },
      }),
    );
  }
  if (handoffs.length > 0) {
    tools.push(
      defineTool({
        name: 'handoff',
        description: 'Hands the whole conversation over to another agent, who answers from now on.',
        readOnly: true,
        alone: true,
        input: z.object({ agent: z.enum(handoffs).describe('Who goes on.') }),
        run({ agent }) {
          handOff(agent);
          return Promise.resolve(`The conversation is with ${agent} now.`);
        },
      }),
    );
  }
  return tools;
}
