// The table of docs/continuation.md, row by row, both ways round; and what must never count as the same (D5).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equivalent } from '../../dist/continuation/equivalence.js';
import { signatureOf } from '../../dist/continuation/signature.js';
import type { Json, JsonObject } from '../../dist/json/json.js';

const user: JsonObject = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] };
const answer: JsonObject = {
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'hello', annotations: [], logprobs: [] }],
};
const call: JsonObject = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_1',
  name: 'search',
  arguments: '{"query":"a","limit":5}',
};
const reasoning: JsonObject = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA' };
const result: JsonObject = { type: 'function_call_output', call_id: 'call_1', output: 'found' };
const approval: JsonObject = {
  id: 'mcpr_1',
  type: 'mcp_approval_request',
  name: 'f',
  arguments: '{}',
  server_label: 's',
};
const image: JsonObject = {
  type: 'message',
  role: 'user',
  content: [{ type: 'input_image', image_url: 'data:,a', detail: 'auto' }],
};
const unknown: JsonObject = { id: 'x', type: 'hologram', beams: [], status: 'completed' };
const references: JsonObject = { type: 'item_reference', id: 'msg_1' };

function without(item: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)));
}
function turned(item: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(item).toReversed());
}
const said = (text: string, fields: JsonObject = {}): JsonObject => ({ type: 'output_text', text, ...fields });

const same: readonly (readonly [string, Json, Json])[] = [
  ['the order of keys', answer, turned(answer)],
  [
    'the order of keys further in',
    answer,
    { ...answer, content: [turned((answer['content'] as JsonObject[])[0] ?? {})] },
  ],
  ['no id', answer, without(answer, 'id')],
  ['an id of null', answer, { ...answer, id: null }],
  ['no status', call, without(call, 'status')],
  ['no annotations and logprobs', answer, { ...answer, content: [said('hello')] }],
  ['annotations of null', answer, { ...answer, content: [said('hello', { annotations: null })] }],
  ['parsed', answer, { ...answer, content: [said('hello', { parsed: null })] }],
  ['parsed, with something in it', answer, { ...answer, content: [said('hello', { parsed: { a: 1 } })] }],
  ['parsed_arguments', call, { ...call, parsed_arguments: { query: 'a', limit: 5 } }],
  ['a string for one text, of the user', user, { role: 'user', content: 'hi' }],
  ['a string for one text, of the model', answer, { role: 'assistant', content: 'hello' }],
  ['a message without type', user, without(user, 'type')],
  ['a phase that was dropped', { ...answer, phase: 'commentary' }, answer],
  ['no summary', reasoning, without(reasoning, 'summary')],
  ['an empty content', reasoning, { ...reasoning, content: [] }],
  ['encrypted content of null', without(reasoning, 'encrypted_content'), { ...reasoning, encrypted_content: null }],
  ['arguments written anew', call, { ...call, arguments: '{ "limit": 5.0, "query": "a" }' }],
  ['arguments that are no JSON', { ...call, arguments: '{"a' }, { ...call, arguments: '{"a' }],
  ['a call without id and status', call, without(call, 'id', 'status')],
  ['a call whose id is its call_id', call, { ...call, id: 'call_1' }],
  ['a namespace of null', call, { ...call, namespace: null }],
  ['an unknown item', unknown, turned(unknown)],
  ['a reference, and the same again', references, turned(references)],
  ['the id of a search', { type: 'web_search_call', id: 'ws_1', status: 'completed' }, { type: 'web_search_call' }],
  ['what is no item', 'x', 'x'],
];
describe('equivalence of items', () => {
  for (const [name, a, b] of same) {
    test(`the same item: ${name}`, () => {
      assert(equivalent(a, b));
      assert(equivalent(b, a));
      assert.equal(signatureOf(a), signatureOf(b));
    });
  }

  const different: readonly (readonly [string, Json, Json])[] = [
    ['text', user, { ...user, content: [{ type: 'input_text', text: 'ho' }] }],
    ['text as a string', user, { role: 'user', content: 'hi ' }],
    ['a role', user, { ...user, role: 'developer' }],
    ['a string, of a part of another kind', user, { role: 'assistant', content: 'hi' }],
    [
      'a string, of a role that is not known',
      { role: 'critic', content: 'x' },
      { role: 'critic', content: [{ type: 'input_text', text: 'x' }] },
    ],
    ['a string for two texts', { ...answer, content: [said('a'), said('b')] }, { ...answer, content: 'ab' }],
    ['the kind of a part', answer, { ...answer, content: [{ type: 'refusal', text: 'hello' }] }],
    ['two ids', answer, { ...answer, id: 'msg_2' }],
    ['two statuses', answer, { ...answer, status: 'incomplete' }],
    ['two phases', { ...answer, phase: 'commentary' }, { ...answer, phase: 'final_answer' }],
    [
      'annotations with something in them',
      answer,
      { ...answer, content: [said('hello', { annotations: [{ type: 'url_citation' }] })] },
    ],
    ['a part more', user, { ...user, content: [...(user['content'] as Json[]), { type: 'input_text', text: '' }] }],
    ['a field that is not known', answer, { ...answer, mood: 'good' }],
    ['a summary', reasoning, { ...reasoning, summary: [{ type: 'summary_text', text: 'x' }] }],
    ['encrypted content', reasoning, { ...reasoning, encrypted_content: 'gAAB' }],
    ['encrypted content that is gone', reasoning, without(reasoning, 'encrypted_content')],
    ['a call id', call, { ...call, call_id: 'call_2' }],
    ['a call without call id', call, without(call, 'call_id')],
    ['a name', call, { ...call, name: 'fetch' }],
    ['a namespace', call, { ...call, namespace: 'n' }],
    ['arguments', call, { ...call, arguments: '{"query":"b","limit":5}' }],
    [
      'arguments beyond a double',
      { ...call, arguments: '[12345678901234567890]' },
      { ...call, arguments: '[12345678901234567000]' },
    ],
    ['output', result, { ...result, output: 'not found' }],
    ['the id of an approval request', approval, without(approval, 'id')],
    [
      'the id of a local shell call, in its output',
      { type: 'local_shell_call_output', id: 'c', output: '' },
      { type: 'local_shell_call_output', output: '' },
    ],
    ['an image', image, { ...image, content: [{ type: 'input_image', image_url: 'data:,b', detail: 'auto' }] }],
    [
      'the detail of an image',
      image,
      { ...image, content: [{ type: 'input_image', image_url: 'data:,a', detail: 'low' }] },
    ],
    ['the id of an unknown item', unknown, without(unknown, 'id')],
    ['an empty array of an unknown item', unknown, without(unknown, 'beams')],
    ['null in an unknown item', unknown, { ...unknown, more: null }],
    ['types', call, { ...call, type: 'custom_tool_call' }],
    ['a type of the prototype', { type: 'constructor' }, { type: 'toString' }],
    ['references', references, { ...references, id: 'msg_2' }],
    ['an item and an array', answer, [answer]],
    ['an item and null', answer, null],
    ['numbers', { ...unknown, beams: [1] }, { ...unknown, beams: [1.5] }],
  ];
  for (const [name, a, b] of different) {
    test(`not the same item: ${name}`, () => {
      assert.equal(equivalent(a, b), false);
      assert.equal(equivalent(b, a), false);
    });
  }

  test('a reference is whatever is held under its id, and nothing is known of what a held one refers to', () => {
    for (const held of [answer, { ...unknown, id: 'msg_1' }]) {
      assert(equivalent(held, references));
      assert.equal(equivalent(references, held), false);
    }
    assert.equal(equivalent(call, references), false);
    assert.equal(equivalent(user, references), false);
    assert.equal(equivalent(answer, { ...references, more: 1 }), false);
  });

  test('nesting deeper than can be looked into is not the same', () => {
    const nested = (depth: number): Json => {
      let value: Json = 1;
      for (let level = 0; level < depth; level += 1) value = [value];
      return { type: 'message', role: 'user', content: value };
    };
    assert(equivalent(nested(500), nested(500)));
    assert.equal(equivalent(nested(100_000), nested(100_000)), false);
  });
});
