// The `openai` SDK with our fetch: `new OpenAI({ fetch: createFetch() })`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AzureOpenAI } from 'openai';
import { loopTurns, parallelCalls, promised, refusals, refusing, toolLoop } from './conversations.js';
import { bothTransports, findRecordings, overWebSocket, plansOf, sameThreeWays, thrownBy } from './three-ways.js';
import { openaiClient, openaiLoop, openaiMethods } from './tool-loops.js';

const model = 'gpt-5.4';

/** As they are called in docs/fetch.md. */
const rows: Readonly<Record<string, string>> = {
  create: '`create`',
  'create with stream: true': '`create` with `stream: true`',
  'stream()': '`stream()`',
};

describe('openai SDK', () => {
  for (const [name, ask] of Object.entries(openaiMethods)) {
    test(`${name}: reasoning and parallel calls give the same result`, async () => {
      const response = await sameThreeWays({ script: parallelCalls }, (place) => openaiLoop(ask, openaiClient(place)));
      assert.equal(response.output.flatMap((item) => (item.type === 'message' ? item.content : [])).length, 1);
      assert.match(JSON.stringify(response.output), /6 files and 4 files\./);
    });

    for (const store of [true, false]) {
      test(`${name}, store: ${store}: of ${loopTurns} turns the ones that docs/fetch.md promises are sent as deltas`, async () => {
        const params = { store, ...(store ? {} : { include: ['reasoning.encrypted_content' as const] }) };
        const websocket = await overWebSocket({ script: toolLoop }, (place) =>
          openaiLoop(ask, openaiClient(place), params),
        );
        const row = `\`openai\`: ${rows[name]}${store ? '' : ', `store: false`'}`;
        assert.equal(plansOf(websocket.answers).deltas, promised(row));
        assert.equal(promised(row), loopTurns - 1);
        assert.match(JSON.stringify(websocket.result.output), /I have counted 24 times\./);
        assert.equal(websocket.contexts.length, loopTurns);
      });
    }

    for (const status of refusals) {
      test(`${name}: a refusal with ${status} is the SDK's own error, after its own retries`, async () => {
        const thrown = await sameThreeWays({}, (place) =>
          thrownBy(() =>
            ask(openaiClient(place), { model, metadata: refusing(status) }, [{ role: 'user', content: 'Hi.' }]),
          ),
        );
        assert.equal(thrown['status'], status);
        assert.equal(thrown['code'], `code_${status}`);
      });
    }
  }

  test('text comes event by event', async () => {
    const events = await sameThreeWays({ script: { turns: [{ text: 'One, two, three.' }] } }, async (place) => {
      const all: unknown[] = [];
      const stream = await openaiClient(place).responses.create({ model, input: 'Count.', stream: true });
      for await (const event of stream) all.push(event);
      return all;
    });
    assert.equal((events.at(-1) as { type: string }).type, 'response.completed');
  });

  test('structured output is parsed', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'number' } },
      required: ['city', 'degrees'],
      additionalProperties: false,
    };
    const format = { type: 'json_schema', name: 'weather', strict: true, schema } as const;
    const parsed = await sameThreeWays(
      { script: { turns: [{ text: '{"city":"Oslo","degrees":4.5}' }], after: 'repeat' } },
      async (place) => {
        const client = openaiClient(place);
        const params = { model, input: 'The weather?', text: { format } };
        const created = await client.responses.parse(params);
        const streamed = await client.responses.stream(params).finalResponse();
        return [created.output_parsed, streamed.output_parsed];
      },
    );
    assert.deepEqual(parsed, [
      { city: 'Oslo', degrees: 4.5 },
      { city: 'Oslo', degrees: 4.5 },
    ]);
  });

  test('a refusal by the model and an image as input work', async () => {
    const response = await sameThreeWays({ script: { turns: [{ refusal: 'I do not look at that.' }] } }, (place) =>
      openaiClient(place).responses.create({
        model,
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is it?' },
              { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${'iVBORw0KGgo'.repeat(9)}=` },
            ],
          },
        ],
      }),
    );
    assert.match(JSON.stringify(response.output), /I do not look at that\./);
  });

  test('an incomplete and a failed response have their status', async () => {
    const script = { turns: [{ text: 'Half of it', incomplete: 'max_output_tokens' as const }] };
    const early = await sameThreeWays({ script }, (place) => openaiMethods.create(openaiClient(place), { model }, []));
    assert.deepEqual(early.incomplete_details, { reason: 'max_output_tokens' });
    const failing = { turns: [{ text: 'Half', fail: { code: 'server_error', message: 'Broken.', times: 9 } }] };
    const types = await sameThreeWays({ script: failing }, async (place) => {
      const all: string[] = [];
      for await (const event of await openaiClient(place).responses.create({ model, input: 'x', stream: true }))
        all.push(event.type);
      return all;
    });
    assert.equal(types.at(-1), 'response.failed');
  });

  for (const [what, fault] of [
    ['an error event', 'error after=3 shape=flat code=server_error message="Half way."'],
    ['a drop', 'reset after=3'],
  ] as const) {
    test(`${what} in mid-stream is thrown, and nothing is called twice`, async () => {
      const thrown = await sameThreeWays({}, async (place) => {
        const client = openaiClient(place);
        const types: string[] = [];
        const error = await thrownBy(async () => {
          const params = { model, input: 'One two three four five.', metadata: { turnwire_fault: fault } };
          for await (const event of await client.responses.create({ ...params, stream: true })) types.push(event.type);
        });
        return { types, error };
      });
      assert(thrown.types.length > 0);
    });
  }

  test('a turn that may have run is not retried', async () => {
    for (const stream of [false, true]) {
      const { websocket, sse } = await bothTransports({}, (place) =>
        thrownBy(async () => {
          const params = { model, input: 'Hi.', metadata: { turnwire_fault: 'reset' } };
          const events = await openaiClient(place).responses.create({ ...params, stream });
          if (Symbol.asyncIterator in events) for await (const _ of events) assert.fail();
        }),
      );
      for (const { calls, result } of [websocket, sse]) {
        assert.equal(calls, 1);
        if (!stream) assert.equal(result['code'], 'turn_outcome_unknown');
      }
    }
  });

  test('AzureOpenAI sends its key, and its address with a query', async () => {
    const text = await sameThreeWays(
      { script: { turns: [{ text: 'From Azure.' }] } },
      async ({ baseURL, apiKey, fetch }) => {
        const client = new AzureOpenAI({ baseURL, apiKey, fetch, apiVersion: 'preview' });
        return (await client.responses.create({ model, input: 'Where are you?' })).output_text;
      },
    );
    assert.equal(text, 'From Azure.');
  });

  test('requests that are no turns go unchanged', async () => {
    const { ids, error } = await sameThreeWays({}, async (place) => {
      const client = openaiClient(place);
      const { id } = await client.responses.create({ model, input: 'Keep this.' });
      const found = await client.responses.retrieve(id);
      const items = await client.responses.inputItems.list(id);
      const error = await thrownBy(() => client.responses.retrieve('resp_nowhere'));
      return { ids: [id === found.id, items.data.length], error };
    });
    assert.deepEqual(ids, [true, 1]);
    assert.equal(error['status'], 404);
  });

  const recordings = findRecordings();

  test('every recording gives the same events and the same end', { skip: recordings === undefined }, async () => {
    const { folder = '', names = [] } = recordings ?? {};
    const all = await sameThreeWays({ recordings: folder }, async (place) => {
      const client = openaiClient(place);
      const seen: unknown[] = [];
      for (const name of names) {
        try {
          const events = await client.responses.create({ model: `recording/${name}`, input: 'Go.', stream: true });
          for await (const event of events) seen.push(event);
        } catch (error) {
          seen.push((error as Error).message);
        }
      }
      return seen;
    });
    assert(all.length > 10 * names.length);
  });
});
