import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEmulator, type Script } from '../../dist/index.js';
import { postJson } from '../wire.js';

async function start(t: { after(fn: () => Promise<void>): void }, script?: Script) {
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  return emulator;
}

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    kind: { enum: ['b', 'a'] },
    count: { type: 'integer', minimum: 3 },
    tags: { type: 'array', items: { $ref: '#/$defs/tag' }, minItems: 2 },
    note: { anyOf: [{ type: 'null' }, { type: 'string' }] },
    optional: { type: 'string' },
  },
  required: ['name', 'kind', 'count', 'tags', 'note'],
  additionalProperties: false,
  $defs: { tag: { type: 'object', properties: { on: { type: 'boolean' } }, required: ['on'] } },
};
const format = (of: object) => ({ text: { format: of } });
const bySchema = format({ type: 'json_schema', name: 'thing', schema });

test('an echo is JSON that fits the schema of the request', async (t) => {
  const { url } = await start(t);
  const response = await postJson(url, { model: 'm', input: 'hi', ...bySchema });
  assert.deepEqual(JSON.parse(response['output'][0]['content'][0]['text']), {
    name: 'hi',
    kind: 'b',
    count: 3,
    tags: [{ on: true }, { on: true }],
    note: null,
  });
  assert.deepEqual(response['text']['format'], {
    type: 'json_schema',
    name: 'thing',
    schema,
    description: null,
    strict: false,
  });
  const object = await postJson(url, { model: 'm', input: 'as JSON', ...format({ type: 'json_object' }) });
  assert.deepEqual(JSON.parse(object['output'][0]['content'][0]['text']), { echo: 'as JSON' });
});

test('json_object needs the word JSON in the context', async (t) => {
  const { url } = await start(t);
  const body = { model: 'm', input: 'hi', ...format({ type: 'json_object' }) };
  const refused = await postJson(url, body);
  assert.deepEqual([refused.httpStatus, refused['error']['param']], [400, 'input']);
  assert.equal((await postJson(url, { ...body, instructions: 'Answer in json.' })).httpStatus, 200);
});

test('a text of a script is refused with the reason if it does not have the format of the request', async (t) => {
  const { url } = await start(t, {
    rules: [
      { match: { input: 'prose' }, reply: { text: 'Hello.' } },
      { match: { input: 'misses' }, reply: { text: '{"name":"x","kind":"a","count":1,"tags":[],"note":null}' } },
      { match: { input: 'list' }, reply: { text: '[1]' } },
      { match: { input: 'refuses' }, reply: { refusal: 'No.' } },
      { match: { input: 'cut' }, reply: { text: '{"na', incomplete: 'max_output_tokens' } },
      {
        match: { input: 'fits' },
        reply: { text: '{"name":"x","kind":"a","count":5,"tags":[{"on":true},{"on":false}],"note":null}' },
      },
    ],
  });
  const ask = (input: string, asked: object = bySchema) => postJson(url, { model: 'm', input, ...asked });
  for (const [input, reason] of [
    ['prose', /not JSON/],
    ['misses', /count|tags/],
  ] as const) {
    const refused = await ask(input);
    assert.deepEqual([refused.httpStatus, refused['error']['code']], [400, 'script_format']);
    assert.match(refused['error']['message'], reason);
  }
  const list = await ask('list as JSON', format({ type: 'json_object' }));
  assert.equal(list['error']['code'], 'script_format');
  for (const input of ['refuses', 'cut', 'fits']) assert.equal((await ask(input)).httpStatus, 200, input);
  assert.equal((await ask('prose', {})).httpStatus, 200);
});
