import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Context } from '../../dist/memory/context.js';
import { TokenCounter } from '../../dist/memory/usage.js';

const megabytes = 4;
const long = 'ä"x'.repeat((megabytes * 1024 * 1024) / 4);

/** Items with a long text, by the field that has it. */
const items = {
  'the text of a message': { type: 'message', role: 'user', content: [{ type: 'input_text', text: long }] },
  'the encrypted content of a reasoning': { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: long },
  'the output of a function': { type: 'function_call_output', call_id: 'call_1', output: long },
};

describe('token counter', () => {
  for (const [name, item] of Object.entries(items))
    test(`${name} of megabytes is counted in many steps, and as a whole`, () => {
      const work = new TokenCounter().count(
        { request: { model: 'm', instructions: undefined }, context: Context.of([item]), tenant: '' },
        [],
      );
      let steps = 0;
      let step = work.next();
      for (; step.done !== true; step = work.next()) steps += 1;
      assert.ok(steps > megabytes * 8, `${steps} steps`);
      const text = JSON.stringify(['m', null, []]) + JSON.stringify(item);
      assert.equal(step.value.usage.input_tokens, Math.ceil(Buffer.byteLength(text) / 4));
    });
});
