// SDKs as they are, with nothing changed but their base URL: what reaches the upstream, and what comes back.
import { describe, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { agents } from '../../interop/ai-sdk/ai-sdk-agents.js';
import { loopTurns } from '../../interop/conversations.js';
import {
  agentsSdkMethods,
  langchainLoop,
  langchainMethods,
  langchainModel,
  openaiClient,
  openaiLoop,
  openaiMethods,
} from '../../interop/tool-loops.js';
import { assertLoop, assertUndisturbed, type Loop } from './tool-loop.js';

const apiKey = 'sk-of-a-test';
const include = ['reasoning.encrypted_content' as const];

const openai =
  (method: keyof typeof openaiMethods, store: boolean): Loop =>
  async (baseURL) => {
    const client = openaiClient({ baseURL, apiKey, fetch });
    const params = { store, ...(store ? {} : { include }) };
    const { output } = await openaiLoop(openaiMethods[method], client, params);
    const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
    return parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  };

const aiSdk =
  (method: keyof typeof agents, store: boolean): Loop =>
  async (baseURL) => {
    const model = createOpenAI({ baseURL, apiKey }).responses('gpt-5.4');
    const providerOptions = { openai: store ? {} : { store, include } };
    return (await agents[method]({ model, providerOptions })).text;
  };

const agentsSdk =
  (method: keyof typeof agentsSdkMethods, store: boolean): Loop =>
  (baseURL) =>
    agentsSdkMethods[method]({ baseURL, apiKey, fetch }, { store, ...(store ? {} : { providerData: { include } }) });

const langchain =
  (method: keyof typeof langchainMethods, zdrEnabled: boolean): Loop =>
  async (baseURL) =>
    (await langchainLoop(langchainMethods[method], langchainModel({ baseURL, apiKey, fetch }, { zdrEnabled }))).text;

/** By their rows in docs/gateway.md. */
const loops = {
  '`openai`: `create`': openai('create', true),
  '`openai`: `create` with `stream: true`, `store: false`': openai('create with stream: true', false),
  '`openai`: `stream()`': openai('stream()', true),
  'AI SDK: `generateText`': aiSdk('generateText', true),
  'AI SDK: `streamText`, `store: false`': aiSdk('streamText', false),
  'Agents SDK: `run`': agentsSdk('run', true),
  'Agents SDK: `run` with `stream: true`, `store: false`': agentsSdk('run with stream: true', false),
  'LangChain: `invoke`': langchain('invoke', false),
  'LangChain: `stream`, `zdrEnabled`': langchain('stream', true),
} satisfies Record<string, Loop>;

describe('gateway: SDKs, unmodified', () => {
  for (const [row, loop] of Object.entries(loops))
    test(`${row}: of ${loopTurns} turns the ones that docs/gateway.md promises are sent as deltas`, (t) =>
      assertLoop(t, row, loop));

  for (const row of [
    '`openai`: `create` with `stream: true`, `store: false`',
    'AI SDK: `streamText`, `store: false`',
    'Agents SDK: `run` with `stream: true`, `store: false`',
    'LangChain: `stream`, `zdrEnabled`',
  ] as const)
    test(`${row}: does not notice chains and sockets that the upstream loses`, (t) => assertUndisturbed(t, loops[row]));
});
