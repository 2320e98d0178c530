// The AI SDK's provider for xAI with our fetch: `createXai({ fetch: createFetch() })`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createXai } from '@ai-sdk/xai';
import { streamText } from 'ai';
import { agents, testAnswers } from './ai-sdk-agents.js';
import { loopTurns, parallelCalls, plainToolLoop, promised, refusals, refusing, toolLoop } from '../conversations.js';
import {
  bothTransports,
  findRecordings,
  overWebSocket,
  plansOf,
  sameThreeWays,
  thrownBy,
  withoutMadeUp,
} from '../three-ways.js';
import type { XaiLanguageModelResponsesOptions } from '@ai-sdk/xai';
import type { Place, Server } from '../three-ways.js';

/** The service, by its name: what is known of its limits goes by that. */
const xai: Server = { dialect: 'xai', host: 'api.x.ai' };

const providerOf = ({ baseURL, apiKey, fetch }: Place) => createXai({ baseURL, apiKey, fetch });

const agentOf = (place: Place, options: XaiLanguageModelResponsesOptions = {}) => ({
  model: providerOf(place)('grok-4.5'),
  instructions: 'You count files.',
  providerOptions: { xai: options },
});

describe('AI SDK, xAI', () => {
  for (const [name, ask] of Object.entries(agents)) {
    test(`${name}: reasoning and parallel calls give the same result`, async () => {
      const server = { ...xai, script: parallelCalls };
      const { text } = await sameThreeWays(server, (place) => ask(agentOf(place)));
      assert.equal(text, '6 files and 4 files.');
    });

    const uses: [string, Server['script'], XaiLanguageModelResponsesOptions][] = [
      ['', plainToolLoop, {}],
      [', summaries of several parts', toolLoop, {}],
      [', `store: false`', plainToolLoop, { store: false }],
    ];
    for (const [use, script, options] of uses) {
      const row = `AI SDK, xAI: \`${name}\`${use}`;
      test(`${row}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
        const websocket = await overWebSocket({ ...xai, script }, (place) => ask(agentOf(place, options)));
        assert.equal(websocket.result.text, 'I have counted 24 times.');
        assert.equal(websocket.contexts.length, loopTurns);
        assert.equal(plansOf(websocket.answers).deltas, promised(row));
      });
    }

    for (const status of refusals) {
      test(`${name}: a refusal with ${status} is the SDK's own error, after its own retries`, async () => {
        const server = { ...xai, faults: [{ do: refusing(status).turnwire_fault }] };
        const thrown = await sameThreeWays(server, (place) => thrownBy(() => ask(agentOf(place))));
        assert.match(String(thrown['message']), new RegExp(`No: ${status}\\.`));
      });
    }

    for (const [what, fault] of [
      ['before the first event', 'reset'],
      ['in mid-stream', 'reset after=4'],
    ] as const) {
      test(`${name}: a loss ${what} is thrown, and nothing is called twice`, async () => {
        const server = { ...xai, faults: [{ do: fault }] };
        const { websocket, sse } = await bothTransports(server, (place) => thrownBy(() => ask(agentOf(place))));
        assert.deepEqual([websocket.calls, sse.calls], [1, 1]);
        assert.deepEqual([websocket.result['isRetryable'], sse.result['isRetryable']], [false, false]);
      });
    }
  }

  testAnswers(xai, (place) => providerOf(place)('grok-4.5'), 'stop');

  const recordings = findRecordings();

  test('every recording gives the same parts', { skip: recordings === undefined }, async () => {
    const { folder = '', names = [] } = recordings ?? {};
    const all = await sameThreeWays({ ...xai, recordings: folder }, async (place) => {
      const seen: unknown[] = [];
      for (const name of names) {
        const model = providerOf(place)(`recording/${name}`);
        const { stream } = streamText({ model, prompt: 'Go.', onError: () => {} });
        for await (const part of stream) seen.push(withoutMadeUp(part));
      }
      return seen;
    });
    assert(all.length > names.length);
  });
});
