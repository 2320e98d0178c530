// A tool loop of the Agents SDK: `node agents-sdk.js BASE_URL FOLDER websocket|sse`. Prints the final output.
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** As much of the package as is used here: it is not a dependency of this workspace. */
interface Sdk {
  readonly Agent: new (options: object) => object;
  readonly OpenAIProvider: new (options: object) => { close?: () => Promise<void> };
  readonly Runner: new (options: object) => {
    run(agent: object, input: string, options: object): Promise<{ completed: Promise<void>; finalOutput: unknown }>;
  };
  readonly tool: (options: object) => object;
}

const [baseURL = '', folder = '', transport] = process.argv.slice(2);
const { Agent, OpenAIProvider, Runner, tool } = createRequire(join(folder, 'package.json'))('@openai/agents') as Sdk;
const modelProvider = new OpenAIProvider({
  apiKey: 'any',
  baseURL,
  useResponses: true,
  useResponsesWebSocket: transport === 'websocket',
});
const weather = tool({
  name: 'weather',
  description: 'The weather of a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
  execute: ({ city }: { readonly city: string }) => `grey in ${city}`,
});
const agent = new Agent({ name: 'Forecaster', instructions: 'Look it up.', model: 'gpt-6', tools: [weather] });
const run = await new Runner({ modelProvider, tracingDisabled: true }).run(agent, 'How is the weather?', {
  stream: true,
});
await run.completed;
console.log(JSON.stringify(run.finalOutput));
await modelProvider.close?.();
process.exit(0);
