// LangChain with our fetch: `new ChatOpenAI({ configuration: { fetch: createFetch() } })`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HumanMessage } from '@langchain/core/messages';
import { loopTurns, parallelCalls, promised, refusals, refusing, toolLoop } from './conversations.js';
import { bothTransports, findRecordings, overWebSocket, plansOf, sameThreeWays, thrownBy } from './three-ways.js';
import { langchainLoop, langchainMethods, langchainModel } from './tool-loops.js';
import type { ChatOpenAIFields } from '@langchain/openai';

describe('LangChain', () => {
  for (const [name, ask] of Object.entries(langchainMethods)) {
    test(`${name}: reasoning and parallel calls give the same result`, async () => {
      const text = await sameThreeWays(
        { script: parallelCalls },
        async (place) => (await langchainLoop(ask, langchainModel(place))).text,
      );
      assert.equal(text, '6 files and 4 files.');
    });

    const uses: [string, ChatOpenAIFields][] = [[`\`${name}\``, {}]];
    if (name === 'invoke')
      uses.push(
        ['`invoke`, `zdrEnabled`', { zdrEnabled: true }],
        ["`invoke`, `outputVersion: 'v1'`", { outputVersion: 'v1' }],
      );
    for (const [use, fields] of uses) {
      test(`${use}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
        const websocket = await overWebSocket(
          { script: toolLoop },
          async (place) => (await langchainLoop(ask, langchainModel(place, fields))).text,
        );
        assert.equal(plansOf(websocket.answers).deltas, promised(`LangChain: ${use}`));
        assert.equal(websocket.result, 'I have counted 24 times.');
        assert.equal(websocket.contexts.length, loopTurns);
      });
    }

    for (const status of refusals) {
      test(`${name}: a refusal with ${status} is the SDK's own error, after its own retries`, async () => {
        const thrown = await sameThreeWays({}, (place) =>
          thrownBy(() =>
            ask(langchainModel(place, { modelKwargs: { metadata: refusing(status) } }).bindTools([]), [
              new HumanMessage('Hi.'),
            ]),
          ),
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
          thrownBy(() =>
            ask(langchainModel(place, { modelKwargs: { metadata: { turnwire_fault: fault } } }).bindTools([]), [
              new HumanMessage('Hi.'),
            ]),
          ),
        );
        assert.deepEqual([websocket.calls, sse.calls], [1, 1]);
        assert.equal(websocket.result['class'], sse.result['class']);
      });
    }
  }

  test('structured output and an image as input work', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const found = await sameThreeWays({ script: { turns: [{ text: '{"city":"Oslo"}' }] } }, (place) =>
      langchainModel(place)
        .withStructuredOutput(schema, { name: 'place', method: 'jsonSchema', strict: true })
        .invoke([
          new HumanMessage({
            content: [
              { type: 'text', text: 'Where is it?' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${'iVBORw0KGgo'.repeat(9)}=` } },
            ],
          }),
        ]),
    );
    assert.deepEqual(found, { city: 'Oslo' });
  });

  for (const [what, turn, told] of [
    ['a refusal by the model', { refusal: 'I do not look at that.' }, /I do not look at that\./],
    ['an answer that ends early', { text: 'Half of', incomplete: 'max_output_tokens' }, /max_output_tokens/],
    [
      'an answer that fails',
      { text: 'Half', fail: { code: 'server_error', message: 'Broken.', times: 9 } },
      /Half|Broken\./,
    ],
  ] as const) {
    for (const [name, ask] of Object.entries(langchainMethods)) {
      test(`${name}: ${what} gives the same result`, async () => {
        const script = { turns: [turn], after: 'repeat' as const };
        const come = await sameThreeWays({ script }, (place) =>
          ask(langchainModel(place).bindTools([]), [new HumanMessage('Go on.')]).then(
            (message) => message.toDict(),
            (error: unknown) => thrownBy(() => Promise.reject(error)),
          ),
        );
        assert.match(JSON.stringify(come), told);
      });
    }
  }

  const recordings = findRecordings();

  test('every recording gives the same chunks', { skip: recordings === undefined }, async () => {
    const { folder = '', names = [] } = recordings ?? {};
    const all = await sameThreeWays({ recordings: folder }, async (place) => {
      const seen: unknown[] = [];
      for (const name of names) {
        try {
          const model = langchainModel(place, { model: `recording/${name}` });
          for await (const chunk of await model.stream([new HumanMessage('Go.')])) seen.push(chunk);
        } catch (error) {
          seen.push((error as Error).message);
        }
      }
      return seen;
    });
    assert(all.length > names.length);
  });
});
