// The `openai` SDK over a warm WebSocket: one option. `node examples/openai-sdk.ts`, keys and addresses as in first-turn.ts.
import { createFetch } from '@turnwire/client/fetch';
import OpenAI from 'openai';

const fetch = createFetch();
const openai = new OpenAI({ fetch });
const model = process.env['OPENAI_MODEL'] ?? 'gpt-5.4';
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools: OpenAI.Responses.Tool[] = [{ type: 'function', name: 'weather', parameters, strict: false }];
const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'What is the weather in Oslo?' }];
let answer: OpenAI.Responses.Response;
do {
  answer = await openai.responses.create({ model, tools, input });
  input.push(...(answer.output as typeof input));
  for (const item of answer.output)
    if (item.type === 'function_call')
      input.push({ type: 'function_call_output', call_id: item.call_id, output: 'raining' });
} while (input.at(-1)?.type === 'function_call_output' && fetch.stats().turns < 10);
const { turns, deltas } = fetch.stats();
console.log(`${answer.output_text}\n${deltas} of ${turns} turns sent only what was new`);
