// The AI SDK with our fetch: `createOpenAI({ fetch: createFetch() })`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { streamText, tool } from 'ai';
import { z } from 'zod';
import { agents, testAnswers } from './ai-sdk-agents.js';
import {
  countFiles,
  fileCount,
  loopTurns,
  parallelCalls,
  promised,
  refusals,
  refusing,
  toolLoop,
} from '../conversations.js';
import {
  bothTransports,
  findRecordings,
  overWebSocket,
  plansOf,
  sameThreeWays,
  thrownBy,
  withoutMadeUp,
} from '../three-ways.js';
import type { OpenAILanguageModelResponsesOptions } from '@ai-sdk/openai';
import type { Place } from '../three-ways.js';

const modelOf = ({ baseURL, apiKey, fetch }: Place) => createOpenAI({ baseURL, apiKey, fetch }).responses('gpt-5.4');

const agentOf = (place: Place, openai: OpenAILanguageModelResponsesOptions = {}) => ({
  model: modelOf(place),
  providerOptions: { openai },
});

describe('AI SDK', () => {
  for (const [name, ask] of Object.entries(agents)) {
    test(`${name}: reasoning and parallel calls give the same result`, async () => {
      const { text } = await sameThreeWays({ script: parallelCalls }, (place) => ask(agentOf(place)));
      assert.equal(text, '6 files and 4 files.');
    });

    const stores: [string, OpenAILanguageModelResponsesOptions][] = [
      ['', {}],
      [', `store: false`', { store: false, include: ['reasoning.encrypted_content'] }],
    ];
    for (const [stored, openai] of stores) {
      const row = `AI SDK: \`${name}\`${stored}`;
      test(`${row}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
        const websocket = await overWebSocket({ script: toolLoop }, (place) => ask(agentOf(place, openai)));
        assert.equal(plansOf(websocket.answers).deltas, promised(row));
        assert.equal(promised(row), loopTurns - 1);
        assert.equal(websocket.result.text, 'I have counted 24 times.');
        assert.equal(websocket.contexts.length, loopTurns);
      });
    }

    for (const status of refusals) {
      test(`${name}: a refusal with ${status} is the SDK's own error, after its own retries`, async () => {
        const openai = { metadata: refusing(status) };
        await sameThreeWays({}, async (place) => {
          const thrown = await thrownBy(() => ask(agentOf(place, openai)));
          assert.match(String(thrown['message']), new RegExp(`No: ${status}\\.`));
          return thrown;
        });
      });
    }

    for (const [what, fault] of [
      ['before the first event', 'reset'],
      ['after the first event', 'reset after=1'],
      ['in mid-stream', 'reset after=4'],
    ] as const) {
      test(`${name}: a loss ${what} is thrown, and nothing is called twice`, async () => {
        const openai = { metadata: { turnwire_fault: fault } };
        const { websocket, sse } = await bothTransports({}, (place) => thrownBy(() => ask(agentOf(place, openai))));
        assert.deepEqual([websocket.calls, sse.calls], [1, 1]);
        assert.deepEqual([websocket.result['isRetryable'], sse.result['isRetryable']], [false, false]);
      });
    }
  }

  for (const [use, change] of Object.entries({
    'a tool whose schema changes its input (`transform`, `default`)': {
      tools: {
        [fileCount.name]: tool({
          inputSchema: z.object({ folder: z.string(), depth: z.number(), hidden: z.boolean().default(false) }),
          execute: async (input) => countFiles(input),
        }),
      },
    },
    '`store: false`, a model it does not know to reason': {
      providerOptions: { openai: { store: false } },
      modelId: 'of-my-own',
    },
  })) {
    test(`${use}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
      const websocket = await overWebSocket({ script: toolLoop }, (place) => {
        const { modelId = 'gpt-5.4', ...options } = change as { modelId?: string };
        return agents.generateText({ ...options, model: createOpenAI(place).responses(modelId) });
      });
      assert.equal(plansOf(websocket.answers).deltas, promised(`AI SDK: ${use}`));
    });
  }

  testAnswers({}, modelOf, 'content-filter');

  const recordings = findRecordings();

  test('every recording gives the same parts', { skip: recordings === undefined }, async () => {
    const { folder = '', names = [] } = recordings ?? {};
    const all = await sameThreeWays({ recordings: folder }, async ({ baseURL, apiKey, fetch }) => {
      const openai = createOpenAI({ baseURL, apiKey, fetch });
      const seen: unknown[] = [];
      for (const name of names) {
        const model = openai.responses(`recording/${name}`);
        const { stream } = streamText({ model, prompt: 'Go.', onError: () => {} });
        for await (const part of stream) seen.push(withoutMadeUp(part));
      }
      return seen;
    });
    assert(all.length > names.length);
  });
});
