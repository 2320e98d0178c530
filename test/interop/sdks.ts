import { createOpenAI } from '@ai-sdk/openai';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, OpenAIProvider, Runner, assistant, user } from '@openai/agents';
import { streamText } from 'ai';
import OpenAI from 'openai';

export type Fetch = typeof globalThis.fetch;

/** What was said before, by the user first, and then by turns; the last is what is asked. */
export type Said = readonly string[];

/** Asks once, and says each piece of the answer as it comes. */
export type Ask = (said: Said, signal?: AbortSignal) => AsyncIterable<string>;

/** Each SDK in its shortest form: one client of it, for all that is asked. */
export const sdks: Readonly<Record<string, (baseURL: string, fetch: Fetch) => Ask>> = {
  openai: (baseURL, fetch) => {
    const client = new OpenAI({ baseURL, apiKey: 'k', fetch, maxRetries: 1 });
    return async function* ask(said, signal) {
      const input = said.map((content, index) => ({ role: roleOf(index), content }));
      const events = await client.responses.create({ model: 'm', input, stream: true }, { signal });
      for await (const event of events) if (event.type === 'response.output_text.delta') yield event.delta;
      // This one ends its loop without a word when it is aborted.
      signal?.throwIfAborted();
    };
  },
  'AI SDK': (baseURL, fetch) => {
    const model = createOpenAI({ baseURL, apiKey: 'k', fetch }).responses('m');
    return async function* ask(said, signal) {
      const { stream } = streamText({
        model,
        messages: said.map((content, index) => ({ role: roleOf(index), content })),
        maxRetries: 1,
        onError: () => {},
        ...(signal && { abortSignal: signal }),
      });
      for await (const part of stream) {
        if (part.type === 'text-delta') yield part.text;
        if (part.type === 'error') throw part.error;
      }
      signal?.throwIfAborted();
    };
  },
  'Agents SDK': (baseURL, fetch) => {
    const openAIClient = new OpenAI({ baseURL, apiKey: 'k', fetch, maxRetries: 1 });
    const modelProvider = new OpenAIProvider({ openAIClient, useResponses: true });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    const agent = new Agent({ name: 'a', model: 'm' });
    return async function* ask(said, signal) {
      const input = said.map((text, index) => (index % 2 === 0 ? user(text) : assistant(text)));
      const result = await runner.run(agent, input, { stream: true, ...(signal && { signal }) });
      for await (const event of result)
        if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') yield event.data.delta;
      signal?.throwIfAborted();
    };
  },
  LangChain: (baseURL, fetch) => {
    const model = new ChatOpenAI({
      model: 'm',
      useResponsesApi: true,
      apiKey: 'k',
      maxRetries: 1,
      configuration: { baseURL, fetch },
    });
    return async function* ask(said, signal) {
      const messages = said.map((text, index) => (index % 2 === 0 ? new HumanMessage(text) : new AIMessage(text)));
      for await (const { text } of await model.stream(messages, signal && { signal })) yield text;
    };
  },
};

function roleOf(index: number): 'user' | 'assistant' {
  return index % 2 === 0 ? 'user' : 'assistant';
}

/** The answer, whole. */
export async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
