// The Agents SDK: its model classes over both transports, and its Runner, each with the full history.
import { Agent, OpenAIProvider, run as runAgent, setTracingDisabled } from '@openai/agents';
import OpenAI from 'openai';
import { turnwireFetch } from './turnwire-fetch.mjs';

setTracingDisabled(true);

const clientOf = (url, more = {}) => new OpenAI({ baseURL: url, apiKey: 'bench', maxRetries: 0, ...more });

export const openSse = ({ url }) =>
  overModel(() => new OpenAIProvider({ openAIClient: clientOf(url), useResponses: true }));

export const openWebSocket = ({ url }) =>
  // One provider a conversation: a model of this kind has one connection, and its turns wait for each other.
  overModel(() => new OpenAIProvider({ openAIClient: clientOf(url), useResponses: true, useResponsesWebSocket: true }));

export async function openOnFetch({ url, conversations }) {
  const fetch = turnwireFetch({ conversations });
  const driver = overModel(() => new OpenAIProvider({ openAIClient: clientOf(url, { fetch }), useResponses: true }));
  return { ...driver, close: () => fetch.close() };
}

function overModel(providerOf) {
  const providers = [];
  return {
    async conversation() {
      const provider = providerOf();
      providers.push(provider);
      const models = new Map();
      const history = [];
      const run = async (name, input, tools, onEvent) => {
        if (!models.has(name)) models.set(name, await provider.getModel(name));
        let events = 0;
        let output = [];
        const request = {
          input,
          tools,
          modelSettings: {},
          outputType: 'text',
          handoffs: [],
          tracing: false,
        };
        for await (const event of models.get(name).getStreamedResponse(request)) {
          onEvent();
          // The SDK yields each event of the wire unchanged, and some of them a second time, translated.
          if (event.type === 'model') events += 1;
          if (event.type === 'response_done') ({ output } = event.response);
        }
        return { events, output };
      };
      let call;
      return {
        once: async (model, onEvent) => (await run(model, 'Hi', [], onEvent)).events,
        next: async (model, text, onEvent) => {
          history.push(
            call === undefined
              ? { role: 'user', content: text }
              : {
                  type: 'function_call_result',
                  callId: call.callId,
                  name: call.name,
                  status: 'completed',
                  output: { type: 'text', text },
                },
          );
          const { events, output } = await run(model, history, [read], onEvent);
          history.push(...output);
          call = output.find(({ type }) => type === 'function_call');
          return events;
        },
      };
    },
    close: async () => {
      for (const provider of providers) await provider.close?.();
    },
  };
}

const read = {
  type: 'function',
  name: 'read',
  description: 'Reads a file.',
  parameters: {
    type: 'object',
    properties: { path: { type: 'string' } },
    required: ['path'],
    additionalProperties: false,
  },
  strict: true,
};

export const openRunner = ({ url }) => {
  const provider = new OpenAIProvider({ openAIClient: clientOf(url), useResponses: true });
  return {
    async conversation() {
      return {
        once: async (name, onEvent) => {
          const agent = new Agent({ name: 'bench', model: await provider.getModel(name) });
          const result = await runAgent(agent, 'Hi', { stream: true });
          let events = 0;
          for await (const event of result) {
            events += 1;
            onEvent(event);
          }
          await result.completed;
          return events;
        },
        next: () => Promise.reject(new Error('the Runner makes its own turns')),
      };
    },
    close() {},
  };
};
