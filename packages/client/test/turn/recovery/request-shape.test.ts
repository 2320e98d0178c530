import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shapeOf } from '../../../dist/turn/recovery/request-shape.js';

describe('shape of a request', () => {
  test('C11: a shape has the names and kinds of fields, and none of their values', () => {
    const body = {
      model: 'secret-model',
      input: [{ role: 'user', content: 'secret' }],
      temperature: 0.7,
      top_p: 1,
      store: false,
      user: null,
      reasoning: { effort: 'secret', summary: null, nested: { deep: 'secret' } },
      left_out: undefined,
    };
    assert.equal(
      shapeOf(body),
      'input:list,model:string,reasoning:{effort:string,nested:object,summary:null},store:boolean,temperature:decimal,top_p:integer,user:null',
    );
  });

  test('a shape stays the same while the history grows and whatever the order of the fields', () => {
    assert.equal(shapeOf({ input: [1], model: 'a' }), shapeOf({ model: 'b', input: [1, 2, 3] }));
    assert.notEqual(shapeOf({ temperature: 1 }), shapeOf({ temperature: 1.5 }));
    assert.notEqual(shapeOf({ input: 'hi' }), shapeOf({ input: ['hi'] }));
  });

  test('a shape is short, whatever the body is', () => {
    const wide = (width: number, value: unknown): object =>
      Object.fromEntries(Array.from({ length: width }, (_, at) => [`${at}`.repeat(1000), value]));
    assert.ok(shapeOf(wide(500, wide(500, 1))).length < 400_000);
  });
});
