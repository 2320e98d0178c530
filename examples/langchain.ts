// LangChain over a warm WebSocket: one option. `node examples/langchain.ts`, keys and addresses as in first-turn.ts.
import { HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { createFetch } from '@turnwire/client/fetch';

const fetch = createFetch();
const configuration = { fetch, baseURL: process.env['OPENAI_BASE_URL'] };
const model = process.env['OPENAI_MODEL'] ?? 'gpt-5.4';
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function', function: { name: 'weather', parameters } }];
const chat = new ChatOpenAI({ model, useResponsesApi: true, configuration }).bindTools(tools);
const messages: BaseMessage[] = [new HumanMessage('What is the weather in Oslo?')];
do {
  const answer = await chat.invoke(messages);
  messages.push(answer);
  for (const { id = '' } of answer.tool_calls ?? [])
    messages.push(new ToolMessage({ content: 'raining', tool_call_id: id }));
} while (messages.at(-1) instanceof ToolMessage && fetch.stats().turns < 10);
const { turns, deltas } = fetch.stats();
console.log(`${messages.at(-1)?.text}\n${deltas} of ${turns} turns sent only what was new`);
