// The Agents SDK with our fetch, through its OpenAI client: `setDefaultOpenAIClient(new OpenAI({ fetch: createFetch() }))`, or a provider.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Agent, OpenAIProvider } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { loopTurns, parallelCalls, promised, refusals, refusing, toolLoop } from './conversations.js';
import { bothTransports, findRecordings, overWebSocket, plansOf, sameThreeWays, thrownBy } from './three-ways.js';
import { agentsSdkMethods, agentsSdkRunner } from './tool-loops.js';

/** As they are called in docs/fetch.md. */
const rows: Readonly<Record<string, string>> = { run: '`run`', 'run with stream: true': '`run` with `stream: true`' };

describe('Agents SDK', () => {
  for (const [name, ask] of Object.entries(agentsSdkMethods)) {
    test(`${name}: reasoning and parallel calls give the same result`, async () => {
      assert.equal(await sameThreeWays({ script: parallelCalls }, (place) => ask(place)), '6 files and 4 files.');
    });

    for (const store of [true, false]) {
      test(`${name}, store: ${store}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
        const settings = { store, ...(store ? {} : { providerData: { include: ['reasoning.encrypted_content'] } }) };
        const websocket = await overWebSocket({ script: toolLoop }, (place) => ask(place, settings));
        const row = `Agents SDK: ${rows[name]}${store ? '' : ', `store: false`'}`;
        assert.equal(plansOf(websocket.answers).deltas, promised(row));
        assert.equal(promised(row), loopTurns - 1);
        assert.equal(websocket.result, 'I have counted 24 times.');
        assert.equal(websocket.contexts.length, loopTurns);
      });
    }

    for (const status of refusals) {
      test(`${name}: a refusal with ${status} is the SDK's own error, after its own retries`, async () => {
        const thrown = await sameThreeWays({}, (place) =>
          thrownBy(() => ask(place, { providerData: { metadata: refusing(status) } })),
        );
        assert.equal(thrown['status'], status);
      });
    }

    for (const [what, fault] of [
      ['before the first event', 'reset'],
      ['in mid-stream', 'reset after=4'],
    ] as const) {
      test(`${name}: a loss ${what} is thrown, and nothing is called twice`, async () => {
        const { websocket, sse } = await bothTransports({}, (place) =>
          thrownBy(() => ask(place, { providerData: { metadata: { turnwire_fault: fault } } })),
        );
        assert.deepEqual([websocket.calls, sse.calls], [1, 1]);
        assert.equal(websocket.result['class'], sse.result['class']);
      });
    }
  }

  const png = `data:image/png;base64,${'iVBORw0KGgo'.repeat(9)}=`;

  for (const stream of [false, true]) {
    test(`structured output and an image as input work, stream: ${stream}`, async () => {
      const outputType = z.object({ city: z.string() });
      const found = await sameThreeWays({ script: { turns: [{ text: '{"city":"Oslo"}' }] } }, async (place) => {
        const { runner } = agentsSdkRunner(place);
        const agent = new Agent({ name: 'Geographer', model: 'gpt-5.4', outputType });
        const content = [
          { type: 'input_text' as const, text: 'Where is it?' },
          { type: 'input_image' as const, image: png },
        ];
        const input = [{ role: 'user' as const, content }];
        if (!stream) return (await runner.run(agent, input)).finalOutput;
        const result = await runner.run(agent, input, { stream: true });
        await result.completed;
        return result.finalOutput;
      });
      assert.deepEqual(found, { city: 'Oslo' });
    });
  }

  for (const [what, turn, thrown] of [
    ['a refusal by the model', { refusal: 'I do not count that.' }, 'ModelRefusalError'],
    ['an answer that ends early', { text: 'Half of', incomplete: 'max_output_tokens' }, 'ModelBehaviorError'],
    [
      'an answer that fails',
      { text: 'Half', fail: { code: 'server_error', message: 'Broken.', times: 9 } },
      'ModelBehaviorError',
    ],
  ] as const) {
    for (const [name, ask] of Object.entries(agentsSdkMethods)) {
      test(`${name}: ${what} is the SDK's own error`, async () => {
        const script = { turns: [turn], after: 'repeat' as const };
        assert.equal((await sameThreeWays({ script }, (place) => thrownBy(() => ask(place))))['class'], thrown);
      });
    }
  }

  const recordings = findRecordings();

  test('every recording gives the same events of the model', { skip: recordings === undefined }, async () => {
    const { folder = '', names = [] } = recordings ?? {};
    const all = await sameThreeWays({ recordings: folder }, async ({ baseURL, apiKey, fetch }) => {
      const openAIClient = new OpenAI({ baseURL, apiKey, fetch, maxRetries: 1 });
      const provider = new OpenAIProvider({ openAIClient, useResponses: true });
      const request = {
        input: 'Go.',
        tools: [],
        modelSettings: {},
        outputType: 'text',
        handoffs: [],
        tracing: false,
      } as const;
      const seen: unknown[] = [];
      for (const name of names) {
        try {
          const model = await provider.getModel(`recording/${name}`);
          for await (const event of model.getStreamedResponse({ ...request, tools: [], handoffs: [] }))
            seen.push(event);
        } catch (error) {
          seen.push((error as Error).message);
        }
      }
      return seen;
    });
    assert(all.length > 10 * names.length);
  });
});
