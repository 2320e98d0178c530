import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { sliceResponse, responseText } from '../../../dist/fetch/response/response-text.js';
import { Frame } from '../../../dist/protocol/frame.js';

describe('response as text', () => {
  for (const [what, json, expected] of [
    ['the response last', '{"type":"response.completed","response":{"a":{"b":1.0}}}', '{"a":{"b":1.0}}'],
    ['in the middle', '{"type":"x","response":{"m":{}},"sequence_number":12,"stream_id":"s"}', '{"m":{}}'],
    ['first', '{"response":{},"sequence_number":-1e3,"a":null,"b":true,"c":false}', '{}'],
    ['with white space', ' {\n "type" : "x", "response" : { "a" : 1 } , "n" : 5 }\n', '{ "a" : 1 }'],
    ['with braces in a text', '{"type":"x","response":{"t":"}\\"},\\"k\\":1}"},"n":"}"}', '{"t":"}\\"},\\"k\\":1}"}'],
  ] as const) {
    test(`the text of a response, ${what}, is as it came`, () =>
      assert.equal(sliceResponse(Frame.parse(json)), expected));
  }

  for (const [what, json] of [
    ['behind a member that is no plain value', '{"type":"x","sizes":[1],"response":{}}'],
    ['before a member that is no plain value', '{"type":"x","response":{},"more":{"a":1}}'],
    ['beside a text with escapes', '{"type":"x\\"","response":{}}'],
  ] as const) {
    test(`a response ${what} is not cut out`, () => assert.equal(sliceResponse(Frame.parse(json)), undefined));
  }

  test('whatever the response and its neighbours are: what is cut out is the response', () => {
    const plain = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
    );
    const rare = { arbitrary: fc.jsonValue(), weight: 1 };
    const value = fc.oneof({ arbitrary: fc.oneof(plain, fc.constant(null)), weight: 5 }, rare);
    const neighbours = fc.dictionary(fc.string(), value, { maxKeys: 3 });
    let cuts = 0;
    fc.assert(
      fc.property(
        neighbours,
        fc.dictionary(fc.string(), fc.jsonValue()),
        neighbours,
        fc.nat(2),
        (a, response, b, gap) => {
          const event = { ...a, response, ...b };
          if (event.response !== response) return;
          const cut = sliceResponse(Frame.parse(JSON.stringify(event, undefined, gap)));
          if (cut === undefined) return;
          cuts += 1;
          assert.deepEqual(JSON.parse(cut), JSON.parse(JSON.stringify(response)));
        },
      ),
      { numRuns: 2000 },
    );
    assert(cuts > 500, `${cuts} were cut out`);
  });

  test('a response that is not what the frame said is written', () => {
    const frame = Frame.parse('{"type":"response.completed","response":{"output":[],"n":1.0}}');
    assert.equal(responseText({ output: [1] }, frame), '{"output":[1]}');
    assert.equal(responseText({ output: [1] }, undefined), '{"output":[1]}');
    assert.equal(responseText((frame.event as { response: object }).response, frame), '{"output":[],"n":1.0}');
  });
});
