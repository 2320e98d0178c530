// The Agents SDK over a warm WebSocket: one option of its client. `node examples/agents-sdk.ts`, keys as in first-turn.ts.
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool } from '@openai/agents';
import { createFetch } from '@turnwire/client/fetch';
import OpenAI from 'openai';
import { z } from 'zod';

const fetch = createFetch();
setDefaultOpenAIClient(new OpenAI({ fetch }));
setTracingDisabled(true); // The SDK sends traces to OpenAI otherwise.
const weather = tool({
  name: 'weather',
  description: 'The weather of a city.',
  parameters: z.object({ city: z.string() }),
  execute: async () => 'raining',
});
const model = process.env['OPENAI_MODEL'] ?? 'gpt-5.4';
const agent = new Agent({ name: 'Forecaster', instructions: 'Use the tool.', model, tools: [weather] });
const { finalOutput } = await run(agent, 'What is the weather in Oslo?');
const { turns, deltas } = fetch.stats();
console.log(`${finalOutput}\n${deltas} of ${turns} turns sent only what was new`);
