// The AI SDK's provider for Azure with our fetch: `createAzure({ fetch: createFetch() })`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAzure } from '@ai-sdk/azure';
import { streamText } from 'ai';
import { agents, testAnswers } from './ai-sdk-agents.js';
import { loopTurns, parallelCalls, promised, refusals, refusing, toolLoop } from '../conversations.js';
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
import type { Place, Server } from '../three-ways.js';

/** The service, at the name of a resource: the address is that of its v1 API, with a version in the query. */
const azure: Server = { dialect: 'azure', host: 'a-resource.openai.azure.com' };

const providerOf = ({ baseURL, apiKey, fetch }: Place) =>
  createAzure({ baseURL: baseURL.replace(/\/v1$/, ''), apiKey, fetch });

const agentOf = (place: Place, options: OpenAILanguageModelResponsesOptions = {}) => ({
  model: providerOf(place)('gpt-5.4'),
  providerOptions: { azure: options },
});

describe('AI SDK, Azure', () => {
  for (const [name, ask] of Object.entries(agents)) {
    test(`${name}: reasoning and parallel calls give the same result, with Azure’s key and a query`, async () => {
      const server = { ...azure, script: parallelCalls };
      const { text } = await sameThreeWays(server, (place) => ask(agentOf(place)));
      assert.equal(text, '6 files and 4 files.');
      const websocket = await overWebSocket(server, (place) => ask(agentOf(place)));
      const { journal } = websocket.emulator;
      for (const { headers } of journal.connections()) {
        assert.equal(typeof headers['api-key'], 'string');
        assert.equal(headers['authorization'], undefined);
      }
      assert.deepEqual(new Set(journal.requests().map(({ path }) => path)), new Set(['/v1/responses?api-version=v1']));
    });

    for (const [stored, options] of [
      ['', {}],
      [', `store: false`', { store: false, include: ['reasoning.encrypted_content'] }],
    ] as [string, OpenAILanguageModelResponsesOptions][]) {
      const row = `AI SDK, Azure: \`${name}\`${stored}`;
      test(`${row}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
        const server = { ...azure, script: toolLoop };
        const websocket = await overWebSocket(server, (place) => ask(agentOf(place, options)));
        assert.equal(plansOf(websocket.answers).deltas, promised(row));
        assert.equal(promised(row), loopTurns - 1);
        assert.equal(websocket.result.text, 'I have counted 24 times.');
        assert.equal(websocket.contexts.length, loopTurns);
      });
    }

    for (const status of refusals) {
      test(`${name}: a refusal with ${status} is the SDK's own error, after its own retries`, async () => {
        const thrown = await sameThreeWays(azure, (place) =>
          thrownBy(() => ask(agentOf(place, { metadata: refusing(status) }))),
        );
        assert.match(String(thrown['message']), new RegExp(`No: ${status}\\.`));
      });
    }

    for (const [what, fault] of [
      ['before the first event', 'reset'],
      ['in mid-stream', 'reset after=4'],
    ] as const) {
      test(`${name}: a loss ${what} is thrown, and nothing is called twice`, async () => {
        const { websocket, sse } = await bothTransports(azure, (place) =>
          thrownBy(() => ask(agentOf(place, { metadata: { turnwire_fault: fault } }))),
        );
        assert.deepEqual([websocket.calls, sse.calls], [1, 1]);
        assert.deepEqual([websocket.result['isRetryable'], sse.result['isRetryable']], [false, false]);
      });
    }
  }

  testAnswers(azure, (place) => providerOf(place)('gpt-5.4'), 'stop');

  const recordings = findRecordings();

  // The others are read by the same code of the SDK as at api.openai.com.
  test('every recording of Azure gives the same parts', { skip: recordings === undefined }, async () => {
    const { folder = '', names: all = [] } = recordings ?? {};
    const names = all.filter((name) => name.startsWith('azure'));
    const parts = await sameThreeWays({ ...azure, recordings: folder }, async (place) => {
      const seen: unknown[] = [];
      for (const name of names) {
        const model = providerOf(place)(`recording/${name}`);
        const { stream } = streamText({ model, prompt: 'Go.', onError: () => {} });
        for await (const part of stream) seen.push(withoutMadeUp(part));
      }
      return seen;
    });
    assert(names.length > 0 && parts.length > names.length);
  });
});
