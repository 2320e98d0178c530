import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readHookAnswer } from '../../../dist/agent/hooks/hook-answer.js';

const read = (output: unknown) => {
  const text = typeof output === 'string' ? output : JSON.stringify(output);
  return readHookAnswer({ text, whole: true });
};
const fields = (output: unknown) => {
  const answer = read(output);
  assert.equal(answer.kind, 'fields');
  return answer.kind === 'fields' ? answer : assert.fail();
};

describe('answers of hooks: docker-agent’s fields', () => {
  const noes: readonly (readonly [string, unknown, string])[] = [
    ['decision', { decision: 'block', reason: 'policy' }, 'policy'],
    ['decision without a reason', { decision: 'block' }, ''],
    ['continue', { continue: false, stop_reason: 'enough' }, 'enough'],
    [
      'permission_decision',
      { hook_specific_output: { permission_decision: 'deny', permission_decision_reason: 'no rm' } },
      'no rm',
    ],
    ['two at once', { continue: false, stop_reason: 'a', decision: 'block', reason: 'b' }, 'a; b'],
    ['a deny beside a continue', { continue: true, hook_specific_output: { permission_decision: 'deny' } }, ''],
  ];
  for (const [name, output, reason] of noes) {
    test(`a no by ${name}`, () => assert.equal(fields(output).fields.blocked, reason));
  }

  const silences: readonly unknown[] = [
    {},
    { continue: true },
    { continue: null, decision: null, hook_specific_output: null },
    { decision: '', hook_specific_output: { permission_decision: '' } },
    { suppress_output: true },
    { decision: 'allow' },
    { continue: true, decision: 'allow', reason: 'harmless' },
    { hook_specific_output: { hook_event_name: 'pre_tool_use', permission_decision: 'allow' } },
  ];
  for (const output of silences) {
    test(`neither a no nor a question: ${JSON.stringify(output)}`, () => {
      const answer = fields(output);
      assert.deepEqual([answer.fields.blocked, answer.fields.ask, answer.unsupported], [undefined, undefined, []]);
    });
  }

  test('the metadata of a hook are part of the question about the call', () => {
    const asked = (more: object) => fields({ hook_specific_output: { permission_decision: 'ask', ...more } });
    const metadata = { policy: 'project', risk: 'high' };
    const { fields: said, unsupported } = asked({ permission_decision_reason: 'Look at it', metadata });
    assert.deepEqual([said.ask, unsupported], ['Look at it (policy: project, risk: high)', []]);
    assert.equal(asked({ metadata: {} }).fields.ask, '');
  });

  test('a question, changed arguments, words for the user and for the model', () => {
    const { fields: said } = fields({
      system_message: 'careful',
      hook_specific_output: {
        permission_decision: 'ask',
        permission_decision_reason: 'is it meant?',
        updated_input: { cmd: 'ls -h' },
        additional_context: 'the branch is main',
      },
    });
    assert.deepEqual(said, {
      blocked: undefined,
      ask: 'is it meant?',
      allowed: false,
      approved: false,
      systemMessage: 'careful',
      context: 'the branch is main',
      updatedInput: { cmd: 'ls -h' },
      updatedToolResponse: undefined,
      summary: undefined,
    });
  });

  test('a yes, a summary, and another result, which may be empty', () => {
    const { fields: said } = fields({
      hook_specific_output: { permission_decision: 'allow', summary: ' short ', updated_tool_response: '' },
    });
    assert.deepEqual([said.allowed, said.summary, said.updatedToolResponse], [true, 'short', '']);
  });
});

describe('answers of hooks: outputs that are none', () => {
  for (const output of [
    '{"decision":"blo',
    '{"decision":"block"',
    '{} {}',
    '{"a":1}\nand a remark',
    '{"decision":"block",}',
    '{',
  ]) {
    test(`incomplete JSON, and several objects: ${JSON.stringify(output)}`, () =>
      assert.equal(read(output).kind, 'unreadable'));
  }

  const wrong: readonly unknown[] = [
    { decision: 'deny' },
    { decision: 'approve' },
    { decision: true },
    { continue: 'false' },
    { continue: 0 },
    { hook_specific_output: 'deny' },
    { hook_specific_output: [] },
    { hook_specific_output: { permission_decision: 'denied' } },
    { hook_specific_output: { permission_decision: 'DENY' } },
    { hook_specific_output: { updated_input: 'ls' } },
    { hook_specific_output: { updated_input: ['ls'] } },
    { reason: 5 },
  ];
  for (const output of wrong) {
    test(`a value of the wrong kind: ${JSON.stringify(output)}`, () => assert.equal(read(output).kind, 'unreadable'));
  }

  const unsupported: readonly (readonly [unknown, readonly string[]])[] = [
    [{ Decision: 'block' }, ['Decision']],
    [{ hookSpecificOutput: { permissionDecision: 'deny' } }, ['hookSpecificOutput']],
    [
      { hook_specific_output: { updated_messages: [], colour: {} } },
      ['hook_specific_output.updated_messages', 'hook_specific_output.colour'],
    ],
  ];
  for (const [output, names] of unsupported) {
    test(`unsupported fields are named: ${names.join(', ')}`, () =>
      assert.deepEqual(fields(output).unsupported, names));
  }

  test('a text, a list or a single value is no answer', () => {
    for (const output of ['on main', '[1]', '"deny"', 'true', 'null', 'debug {"decision":"block"}'])
      assert.equal(read(output).kind, 'text', output);
  });

  test('an output that was cut is not read, even if it is JSON', () => {
    assert.equal(readHookAnswer({ text: '{}', whole: false }).kind, 'unreadable');
  });

  test('with strict_output a text is no answer', () => {
    for (const [text, kind] of [
      ['on main', 'unreadable'],
      ['[1]', 'unreadable'],
      ['{}', 'fields'],
      ['', 'nothing'],
    ] as const)
      assert.equal(readHookAnswer({ text, whole: true, strict: true }).kind, kind, text);
  });

  test('an empty output is no answer', () => {
    for (const output of ['', ' \n', '\uFEFF']) assert.equal(read(output).kind, 'nothing');
  });
});
