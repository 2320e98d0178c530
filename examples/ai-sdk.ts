// The AI SDK over a warm WebSocket: one option. `node examples/ai-sdk.ts`, keys and addresses as in first-turn.ts.
import { createOpenAI } from '@ai-sdk/openai';
import { createFetch } from '@turnwire/client/fetch';
import { streamText, tool } from 'ai';
import { z } from 'zod';

const fetch = createFetch();
const openai = createOpenAI({ fetch });
const description = 'The weather of a city.';
const inputSchema = z.object({ city: z.string() });
const { textStream } = streamText({
  model: openai.responses(process.env['OPENAI_MODEL'] ?? 'gpt-5.4'),
  prompt: 'What is the weather in Oslo?',
  tools: { weather: tool({ description, inputSchema, execute: async () => 'raining' }) },
  stopWhen: ({ steps }) => steps.length === 10, // `ai` 6 and 7
});
for await (const text of textStream) process.stdout.write(text);
const { turns, deltas } = fetch.stats();
console.log(`\n${deltas} of ${turns} turns sent only what was new`);
