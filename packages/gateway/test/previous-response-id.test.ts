import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withPreviousResponseId, textWithPreviousResponseId } from '../dist/relay/history/previous-response-id.js';

const ids = { named: 'resp_1', sent: undefined };
const event = (type: string, text: string) => ({ type, text, size: text.length });

describe('gateway: the response that a client has named', () => {
  test('replaces a null in an event, and every other byte stays', () => {
    const said =
      '{ "a": "\\"previous_response_id\\":null", "response": {"id":"resp_2", "previous_response_id" : null} }';
    assert.equal(
      textWithPreviousResponseId(said, ids),
      '{ "a": "\\"previous_response_id\\":null", "response": {"id":"resp_2", "previous_response_id" : "resp_1"} }',
    );
  });

  test('replaces the response that the upstream was sent instead', () => {
    const said = '{"response":{"previous_response_id":"resp_0"}}';
    assert.equal(
      textWithPreviousResponseId(said, { named: 'resp_1', sent: 'resp_0' }),
      '{"response":{"previous_response_id":"resp_1"}}',
    );
  });

  for (const [what, said, expected] of [
    [
      'the upstream names none',
      '{ "id":"resp_2", "x":1.0 }',
      '{"previous_response_id":"resp_1", "id":"resp_2", "x":1.0 }',
    ],
    ['a response has no member', '{"response": {} }', '{"response": {"previous_response_id":"resp_1"} }'],
    [
      'a tool has a field of that name',
      '{"response":{"tools":[{"previous_response_id":null},[]], "big":12345678901234567890,"previous_response_id": null ,"t":"}\\"{"}}',
      '{"response":{"tools":[{"previous_response_id":null},[]], "big":12345678901234567890,"previous_response_id": "resp_1" ,"t":"}\\"{"}}',
    ],
    [
      'another member has the name of the response',
      '{"x":{"response":{"previous_response_id":null}},"response":{"a":"response","n":1e-7}}',
      '{"x":{"response":{"previous_response_id":null}},"response":{"previous_response_id":"resp_1","a":"response","n":1e-7}}',
    ],
  ] as const) {
    test(`is added where ${what}, and every other byte stays`, () => {
      assert.equal(textWithPreviousResponseId(said, ids), expected);
    });
  }

  test('is replaced behind an output of many megabytes, such as an image', () => {
    const output = JSON.stringify([{ type: 'image_generation_call', result: `"${'a'.repeat(30_000_000)}` }]);
    const around = (id: string): string => `{"response":{"output":${output},"previous_response_id":${id}}}`;
    assert.ok(textWithPreviousResponseId(around('null'), ids) === around('"resp_1"'));
  });

  test('is replaced where a name has an escape, and where a member stands twice', () => {
    const said = '{"response":{"previous_response_id":"x","a":[1,{"b":2}],"previous_response_\\u0069d":null}}';
    assert.equal(textWithPreviousResponseId(said, ids), said.replace('null', '"resp_1"'));
  });

  test('is not written into a successor of a steered response, another event, or a text that is no JSON', () => {
    for (const said of ['{"response":{"previous_response_id":"resp_9"}}', '{"response":', 'null', '[]'])
      assert.equal(textWithPreviousResponseId(said, ids), said);
    const delta = event('response.output_text.delta', '{"previous_response_id":null}');
    assert.equal(withPreviousResponseId(delta, ids), delta);
    const begun = withPreviousResponseId(event('response.created', '{"response":{"previous_response_id":null}}'), ids);
    assert.equal(begun.text, '{"response":{"previous_response_id":"resp_1"}}');
    assert.equal(begun.size, begun.text.length);
  });
});
