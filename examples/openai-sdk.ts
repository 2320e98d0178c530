// The `openai` SDK over a warm WebSocket: one option.
//
//   node examples/openai-sdk.ts      (keys and addresses as in first-turn.ts)
import { createFetch } from '@turnwire/client/fetch';
import OpenAI from 'openai';

const fetch = createFetch();
const openai = new OpenAI({ fetch });

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'What is the weather in Oslo?' }];
for (let turns = 1; turns <= 10; turns += 1) {
  const response = await openai.responses.create({
    model: process.env['OPENAI_MODEL'] ?? 'gpt-5.4',
    tools: [{ type: 'function', name: 'weather', parameters, strict: false }],
    input,
  });
  input.push(...(response.output as OpenAI.Responses.ResponseInputItem[]));
  const calls = response.output.filter((item) => item.type === 'function_call');
  for (const { call_id } of calls) input.push({ type: 'function_call_output', call_id, output: 'raining' });
  if (calls.length === 0) console.log(response.output_text);
  if (calls.length === 0) break;
}
const { turns, deltas } = fetch.stats();
console.log(`${deltas} of ${turns} turns sent only what was new`);
