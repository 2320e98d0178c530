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
      '{ "a": "\\"previous_response_id\\":null", "response": {"id":"resp_2", "previous_response_id":"resp_1"} }',
    );
  });

  test('replaces the response that the upstream was sent instead', () => {
    const said = '{"response":{"previous_response_id":"resp_0"}}';
    assert.equal(
      textWithPreviousResponseId(said, { named: 'resp_1', sent: 'resp_0' }),
      '{"response":{"previous_response_id":"resp_1"}}',
    );
  });

  test('is added where the upstream names none, also where a tool has a field of that name', () => {
    assert.deepEqual(JSON.parse(textWithPreviousResponseId('{"id":"resp_2"}', ids)), {
      id: 'resp_2',
      previous_response_id: 'resp_1',
    });
    const tool = { parameters: { previous_response_id: null } };
    const said = JSON.stringify({ response: { tools: [tool], previous_response_id: null } });
    assert.deepEqual(JSON.parse(textWithPreviousResponseId(said, ids)), {
      response: { tools: [tool], previous_response_id: 'resp_1' },
    });
  });

  test('is not written into a successor of a steered response, another event, or a text that is no JSON', () => {
    for (const said of ['{"response":{"previous_response_id":"resp_9"}}', '{"response":'])
      assert.equal(textWithPreviousResponseId(said, ids), said);
    const delta = event('response.output_text.delta', '{"previous_response_id":null}');
    assert.equal(withPreviousResponseId(delta, ids), delta);
    const begun = withPreviousResponseId(event('response.created', '{"response":{"previous_response_id":null}}'), ids);
    assert.equal(begun.text, '{"response":{"previous_response_id":"resp_1"}}');
    assert.equal(begun.size, begun.text.length);
  });
});
