// One tool loop for each SDK that leaves the loop to its user or runs it itself: `toolLoop` of conversations.ts, to its end. The AI SDK's is in
// ai-sdk-agents.ts.
import assert from 'node:assert/strict';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import OpenAI from 'openai';
import { countFiles, fileCount, loopTurns } from './conversations.js';
import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';
import type { ChatOpenAIFields } from '@langchain/openai';
import type { ModelSettings } from '@openai/agents';
import type { Place } from './three-ways.js';

/** Where an SDK is pointed at, as far as its client needs it. */
type Endpoint = Omit<Place, 'answers'>;

const model = 'gpt-5.4';
const question = 'How many files are there?';

type Input = OpenAI.Responses.ResponseInputItem[];
type Params = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'input' | 'stream'>;
type OpenAIMethod = (client: OpenAI, params: Params, input: Input) => Promise<OpenAI.Responses.Response>;

export function openaiClient({ baseURL, apiKey, fetch }: Endpoint): OpenAI {
  return new OpenAI({ baseURL, apiKey, fetch, maxRetries: 1 });
}

/** Three ways of the `openai` SDK to ask for the same. */
export const openaiMethods: Readonly<Record<'create' | 'create with stream: true' | 'stream()', OpenAIMethod>> = {
  create: (client, params, input) => client.responses.create({ ...params, input }),
  'create with stream: true': async (client, params, input) => {
    let last: OpenAI.Responses.Response | undefined;
    for await (const event of await client.responses.create({ ...params, input, stream: true }))
      if (event.type === 'response.completed') last = event.response;
    assert(last !== undefined);
    return last;
  },
  'stream()': (client, params, input) => client.responses.stream({ ...params, input }).finalResponse(),
};

export async function openaiLoop(
  ask: OpenAIMethod,
  client: OpenAI,
  params: Partial<Params> = {},
): Promise<OpenAI.Responses.Response> {
  const tools = [{ type: 'function', strict: true, ...fileCount }] satisfies OpenAI.Responses.Tool[];
  const input: Input = [{ role: 'user', content: question }];
  for (;;) {
    const response = await ask(client, { model, tools, ...params }, input);
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0) return response;
    input.push(...(response.output as Input));
    for (const { call_id, arguments: text } of calls)
      input.push({ type: 'function_call_output', call_id, output: countFiles(JSON.parse(text)) });
  }
}

const counting = tool({
  name: fileCount.name,
  description: fileCount.description,
  parameters: { ...fileCount.parameters, required: ['folder', 'depth'] },
  strict: true,
  execute: (input) => countFiles(input as { folder: string; depth: number }),
});

export function agentsSdkRunner(place: Endpoint, modelSettings: ModelSettings = {}): { runner: Runner; agent: Agent } {
  const modelProvider = new OpenAIProvider({ openAIClient: openaiClient(place), useResponses: true });
  return {
    runner: new Runner({ modelProvider, tracingDisabled: true }),
    agent: new Agent({ name: 'Counter', instructions: 'Count.', model, tools: [counting], modelSettings }),
  };
}

type AgentsSdkMethod = (place: Endpoint, settings?: ModelSettings) => Promise<unknown>;

/** Both ways of the Agents SDK to run an agent, to its last words. */
export const agentsSdkMethods: Readonly<Record<'run' | 'run with stream: true', AgentsSdkMethod>> = {
  run: async (place, settings) => {
    const { runner, agent } = agentsSdkRunner(place, settings);
    return (await runner.run(agent, question, { maxTurns: loopTurns + 1 })).finalOutput;
  },
  'run with stream: true': async (place, settings) => {
    const { runner, agent } = agentsSdkRunner(place, settings);
    const result = await runner.run(agent, question, { maxTurns: loopTurns + 1, stream: true });
    await result.completed;
    return result.finalOutput;
  },
};

export function langchainModel({ baseURL, apiKey, fetch }: Endpoint, fields: ChatOpenAIFields = {}): ChatOpenAI {
  return new ChatOpenAI({
    model,
    useResponsesApi: true,
    apiKey,
    maxRetries: 1,
    configuration: { baseURL, fetch },
    ...fields,
  });
}

type LangchainMethod = (model: ReturnType<ChatOpenAI['bindTools']>, messages: BaseMessage[]) => Promise<AIMessageChunk>;

/** Both ways of LangChain to ask. */
export const langchainMethods: Readonly<Record<'invoke' | 'stream', LangchainMethod>> = {
  invoke: (bound, messages) => bound.invoke(messages),
  stream: async (bound, messages) => {
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await bound.stream(messages)) whole = whole === undefined ? chunk : whole.concat(chunk);
    assert(whole !== undefined);
    return whole;
  },
};

export async function langchainLoop(ask: LangchainMethod, chat: ChatOpenAI): Promise<AIMessageChunk> {
  const bound = chat.bindTools([{ type: 'function', function: { ...fileCount, strict: true } }]);
  const messages: BaseMessage[] = [new HumanMessage(question)];
  for (;;) {
    const message = await ask(bound, messages);
    messages.push(message);
    if ((message.tool_calls ?? []).length === 0) return message;
    for (const { id, args } of message.tool_calls ?? [])
      messages.push(
        new ToolMessage({ tool_call_id: id ?? '', content: countFiles(args as { folder: string; depth: number }) }),
      );
  }
}
