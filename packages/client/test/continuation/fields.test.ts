// D6, P40: which fields of a request shape what the model is shown of the past.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { itemsOf } from '../../dist/protocol/request.js';
import { changedField, shapingFields, unchainableField } from '../../dist/continuation/fields.js';

const request = {
  model: 'm',
  input: 'x',
  instructions: 'i',
  tools: [{ type: 'function', name: 'f', parameters: { type: 'object', properties: {} } }],
  reasoning: { effort: 'low' },
  text: { format: { type: 'text' } },
  truncation: 'auto',
  context_management: [{ type: 'compaction', compact_threshold: 1000 }],
};

describe('fields that shape the context', () => {
  test('each field of the list may change, each other one may not', () => {
    const free = {
      tool_choice: 'required',
      parallel_tool_calls: false,
      max_output_tokens: 9,
      max_tool_calls: 9,
      metadata: { a: 'b' },
      temperature: 1,
      top_p: 1,
      top_logprobs: 3,
      service_tier: 'flex',
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
      prompt_cache_options: {},
      prompt_cache_retention: '24h',
      include: ['reasoning.encrypted_content'],
      stream: true,
      stream_options: { include_obfuscation: false },
      background: true,
      generate: false,
      client_metadata: {},
      type: 'response.create',
      stream_id: 'a',
      previous_response_id: 'r',
      input: ['other'],
    };
    assert.equal(changedField(shapingFields(request), shapingFields({ ...request, ...free })), undefined);
    const shaping = {
      model: 'n',
      instructions: 'j',
      tools: [],
      reasoning: { effort: 'high' },
      text: { format: { type: 'json_object' } },
      truncation: 'disabled',
      context_management: [],
      store: false,
      conversation: 'c',
      prompt: { id: 'p' },
      never_heard_of: 1,
      ['constructor']: 1,
    };
    for (const [name, value] of Object.entries(shaping)) {
      const [before, after] = [shapingFields(request), shapingFields({ ...request, [name]: value })];
      assert.equal(changedField(before, after), name);
      assert.equal(changedField(after, before), name);
    }
  });

  test('null is absent, and to store is the default', () => {
    const before = shapingFields({ model: 'm' });
    assert.equal(changedField(before, shapingFields({ model: 'm', instructions: null, store: true })), undefined);
    assert.equal(changedField(before, shapingFields({ model: 'm', store: null })), undefined);
    assert.equal(changedField(shapingFields({ store: false }), before), 'store');
  });

  test('within a field the order of keys does not count, and everything else does', () => {
    const tools = [{ name: 'f', type: 'function', parameters: { properties: {}, type: 'object' } }];
    assert.equal(changedField(shapingFields(request), shapingFields({ ...request, tools })), undefined);
    const described = [{ ...tools[0], description: '' }];
    assert.equal(changedField(shapingFields(request), shapingFields({ ...request, tools: described })), 'tools');
    const summary = { effort: 'low', summary: null };
    assert.equal(changedField(shapingFields(request), shapingFields({ ...request, reasoning: summary })), 'reasoning');
  });

  test('a field named __proto__ is a field', () => {
    const odd = JSON.parse('{"model":"m","__proto__":{"store":false}}') as Record<string, never>;
    assert.equal(changedField(shapingFields({ model: 'm' }), shapingFields(odd)), '__proto__');
  });

  test('P39: a conversation, or a prompt, is never continued by id', () => {
    assert.equal(unchainableField(shapingFields({ model: 'm', conversation: 'c' })), 'conversation');
    assert.equal(unchainableField(shapingFields({ model: 'm', prompt: { id: 'p' } })), 'prompt');
    assert.equal(unchainableField(shapingFields({ model: 'm', prompt: null, conversation: null })), undefined);
  });

  test('an input is its items; a string is one message', () => {
    assert.deepEqual(itemsOf('hi'), [{ type: 'message', role: 'user', content: 'hi' }]);
    const items = [{ role: 'user', content: 'hi' }];
    assert.equal(itemsOf(items), items);
    for (const input of [null, 5, true, { role: 'user' }]) assert.equal(itemsOf(input), undefined);
  });
});
