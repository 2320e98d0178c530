// LangChain over a warm WebSocket: one option.
//
//   node examples/langchain.ts       (keys and addresses as in first-turn.ts)
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { createFetch } from '@turnwire/client/fetch';
import { z } from 'zod';
import type { BaseMessage } from '@langchain/core/messages';

const fetch = createFetch();
const weather = tool(async () => 'raining', { name: 'weather', schema: z.object({ city: z.string() }) });
const model = new ChatOpenAI({
  model: process.env['OPENAI_MODEL'] ?? 'gpt-5.4',
  useResponsesApi: true,
  configuration: { fetch, baseURL: process.env['OPENAI_BASE_URL'] },
}).bindTools([weather]);

const messages: BaseMessage[] = [new HumanMessage('What is the weather in Oslo?')];
for (let turns = 1; turns <= 10; turns += 1) {
  const answer = await model.invoke(messages);
  messages.push(answer);
  for (const { id = '' } of answer.tool_calls ?? [])
    messages.push(new ToolMessage({ content: 'raining', tool_call_id: id }));
  if (answer.tool_calls?.length === 0) console.log(answer.text);
  if (answer.tool_calls?.length === 0) break;
}
const { turns, deltas } = fetch.stats();
console.log(`${deltas} of ${turns} turns sent only what was new`);
