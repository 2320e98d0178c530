// What the files of the AI SDK's providers have in common: an agent that counts files, run in both ways the SDK has.
import { generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import { countFiles, fileCount, loopTurns } from './conversations.js';
import type { JSONValue, LanguageModel, ToolSet } from 'ai';

/** The model is any provider's, and its options are named by it. */
export interface Agent {
  model: LanguageModel;
  instructions?: string;
  tools?: ToolSet;
  providerOptions?: Record<string, object>;
}

const counting: ToolSet = {
  [fileCount.name]: tool({
    description: fileCount.description,
    inputSchema: jsonSchema<{ folder: string; depth: number }>({
      ...fileCount.parameters,
      required: ['folder', 'depth'],
    }),
    execute: async (input) => countFiles(input),
  }),
};

const ask = ({ model, instructions, tools = counting, providerOptions }: Agent) => ({
  model,
  tools,
  ...(instructions === undefined ? {} : { instructions }),
  providerOptions: providerOptions as Record<string, Record<string, JSONValue>>,
  stopWhen: isStepCount(loopTurns + 1),
  maxRetries: 1,
  prompt: 'How many files are there?',
});

/** By the function of the SDK, to the text it came to and what each step has said. */
export const agents = {
  generateText: async (agent: Agent) => {
    const { text, steps } = await generateText(ask(agent));
    return { text, said: steps.map((step) => step.content) };
  },
  streamText: async (agent: Agent) => {
    let failure: unknown;
    const result = streamText({
      ...ask(agent),
      onError: ({ error }) => void (failure ??= error),
    });
    await result.consumeStream();
    if (failure !== undefined) throw failure;
    return { text: await result.text, said: (await result.steps).map((step) => step.content) };
  },
} as const;
