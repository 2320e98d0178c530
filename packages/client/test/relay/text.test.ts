import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withStreamId, withoutStreamId } from '../../dist/relay/text.js';

describe('relay text: withoutStreamId', () => {
  const rows: readonly [name: string, text: string, expected: string][] = [
    ['the last member', '{"type":"a","x":1,"stream_id":"lane-1"}', '{"type":"a","x":1}'],
    ['the second member', '{"type":"a","stream_id":"lane-1","x":1.0}', '{"type":"a","x":1.0}'],
    ['the first member', '{"stream_id":"lane-1","type":"a"}', '{"type":"a"}'],
    ['the only member', '{"stream_id":"lane-1"}', '{}'],
    ['another spelling', '{ "type": "a", "stream_id" : "lane-1" , "x": 2 }', '{ "type": "a" , "x": 2 }'],
    [
      'a nested member of the same name, which stays',
      '{"type":"a","response":{"metadata":{"stream_id":"lane-1"}},"stream_id":"lane-1"}',
      '{"type":"a","response":{"metadata":{"stream_id":"lane-1"}}}',
    ],
    [
      'a nested member alone, which stays',
      '{"type":"a","response":{"metadata":{"stream_id":"lane-1"}}}',
      '{"type":"a","response":{"metadata":{"stream_id":"lane-1"}}}',
    ],
    [
      'text that reads like the member, which stays',
      String.raw`{"type":"a","delta":"\"stream_id\":\"lane-1\"","stream_id":"lane-1"}`,
      String.raw`{"type":"a","delta":"\"stream_id\":\"lane-1\""}`,
    ],
    ['no such member', '{"type":"a"}', '{"type":"a"}'],
  ];
  for (const [name, text, expected] of rows) {
    test(`cuts out, or leaves: ${name}`, () => {
      assert.equal(withoutStreamId(text, 'lane-1'), expected);
    });
  }
});

describe('relay text: withStreamId', () => {
  test('adds the name as the last member', () => {
    assert.equal(withStreamId('{"type":"a","x":1.0}', 'mine'), '{"type":"a","x":1.0,"stream_id":"mine"}');
    assert.equal(withStreamId('{}', 'mine'), '{"stream_id":"mine"}');
  });

  test('leaves the text as it is where there is no name', () => {
    assert.equal(withStreamId('{ "type":"a" }', undefined), '{ "type":"a" }');
  });
});
