// The AI SDK: streamText, the messages of all turns each time.
import { createOpenAI } from '@ai-sdk/openai';
import { jsonSchema, streamText, tool } from 'ai';
import { turnwireFetch } from './turnwire-fetch.mjs';

export const openSse = ({ url }) => open(createOpenAI({ baseURL: url, apiKey: 'bench' }));

export async function openOnFetch({ url, conversations }) {
  const fetch = turnwireFetch({ conversations });
  return { ...open(createOpenAI({ baseURL: url, apiKey: 'bench', fetch })), close: () => fetch.close() };
}

const tools = {
  read: tool({
    description: 'Reads a file.',
    inputSchema: jsonSchema({ type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }),
  }),
};

function open(provider) {
  const run = async (request, onEvent) => {
    const result = streamText({
      ...request,
      model: provider.responses(request.model),
      maxRetries: 0,
      onError: ({ error }) => {
        throw error;
      },
    });
    let events = 0;
    for await (const _part of result.fullStream) {
      events += 1;
      onEvent();
    }
    return { events, messages: (await result.response).messages };
  };
  return {
    async conversation() {
      const messages = [];
      let call;
      return {
        once: async (model, onEvent) => (await run({ model, prompt: 'Hi' }, onEvent)).events,
        next: async (model, text, onEvent) => {
          messages.push(
            call === undefined
              ? { role: 'user', content: text }
              : {
                  role: 'tool',
                  content: [
                    {
                      type: 'tool-result',
                      toolCallId: call.toolCallId,
                      toolName: call.toolName,
                      output: { type: 'text', value: text },
                    },
                  ],
                },
          );
          const { events, messages: more } = await run({ model, messages, tools }, onEvent);
          messages.push(...more);
          call = more.flatMap(({ content }) => content).find(({ type }) => type === 'tool-call');
          return events;
        },
      };
    },
    close() {},
  };
}
