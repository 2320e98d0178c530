import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Script } from '@turnwire/emulator';
import { answering, calls, ran, shell, skip } from './hooked-run.js';

/** A hook that writes down what it is told. */
const log = '{ type: command, command: "cat >> log.jsonl; echo >> log.jsonl" }';
type Told = Readonly<Record<string, unknown>>;
const toldIn = (text: string): Told[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);

const plain = [
  'session_start',
  'user_prompt_submit',
  'turn_start',
  'before_llm_call',
  'after_llm_call',
  'on_tool_approval_decision',
  'turn_end',
  'stop',
  'session_end',
  'notification',
  'on_error',
  'on_max_iterations',
];
const matched = [
  'tool_input_transform',
  'pre_tool_use',
  'tool_guard',
  'permission_request',
  'tool_response_transform',
  'post_tool_use',
];
const everywhere = [
  ...plain.map((point) => `${point}: ${log}`),
  ...matched.map((point) => `${point}: { hooks: ${log} }`),
].join('\n');

describe('hooks: the points of a run', { skip }, () => {
  test('come in their order, each with its input', async (t) => {
    const { status, file } = await ran(t, { hooks: everywhere, script: shell('echo fine') });
    assert.equal(status, 0);
    const told = toldIn(await file('log.jsonl'));
    assert.deepEqual(
      told.map((each) => each['hook_event_name']),
      [
        'session_start user_prompt_submit',
        'turn_start before_llm_call after_llm_call',
        'tool_input_transform pre_tool_use tool_guard on_tool_approval_decision',
        'tool_response_transform post_tool_use turn_end',
        'turn_start before_llm_call after_llm_call turn_end',
        'stop session_end',
      ].flatMap((line) => line.split(' ')),
    );
    const at = (point: string, index = 0): Told =>
      told.filter((each) => each['hook_event_name'] === point)[index] ?? {};
    assert.equal(at('user_prompt_submit')['prompt'], 'Go.');
    assert.deepEqual([at('before_llm_call')['iteration'], at('before_llm_call', 1)['iteration']], [1, 2]);
    assert.equal(at('before_llm_call')['model_id'], 'mine/any');
    assert.deepEqual(at('before_llm_call', 1)['messages'], [
      { role: 'user', content: 'Go.' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          {
            id: at('pre_tool_use')['tool_use_id'],
            type: 'function',
            function: { name: 'shell', arguments: '{"cmd":"echo fine"}' },
          },
        ],
      },
      { role: 'tool', content: 'fine', tool_call_id: at('pre_tool_use')['tool_use_id'] },
    ]);
    assert.equal(at('after_llm_call', 1)['stop_response'], 'Done.');
    assert.equal(at('after_llm_call', 1)['last_user_message'], 'Go.');
    assert.equal(typeof (at('after_llm_call')['usage'] as Told)['input_tokens'], 'number');
    assert.equal('cost' in at('after_llm_call'), false);
    assert.deepEqual([at('turn_end')['reason'], at('turn_end', 1)['reason']], ['continue', 'normal']);
    const decided = at('on_tool_approval_decision');
    assert.deepEqual([decided['approval_decision'], decided['approval_source']], ['allow', 'yolo']);
    assert.equal(decided['tool_name'], 'shell');
    assert.equal(at('tool_response_transform')['tool_response'], 'fine');
  });

  test('of a run that fails: turn_end says so, then notification and on_error', async (t) => {
    const { status, file } = await ran(t, {
      hooks: everywhere,
      script: { turns: [{ error: { status: 400, code: 'bad_thing', message: 'no use' } }] },
      more: 'fallback: { retries: -1 }',
    });
    assert.equal(status, 1);
    const told = toldIn(await file('log.jsonl')).slice(-4);
    assert.deepEqual(
      told.map((each) => each['hook_event_name']),
      ['turn_end', 'notification', 'on_error', 'session_end'],
    );
    assert.equal(told[0]?.['reason'], 'error');
    assert.equal(told[1]?.['notification_level'], 'error');
    assert.match(String(told[2]?.['notification_message']), /no use/);
  });

  test('of a run that comes to its limit: a warning, and on_max_iterations', async (t) => {
    const { file } = await ran(t, { hooks: everywhere, script: shell('true'), more: 'max_iterations: 1' });
    const told = toldIn(await file('log.jsonl')).slice(-3);
    assert.deepEqual(
      told.map((each) => [each['hook_event_name'], each['notification_level']]),
      [
        ['notification', 'warning'],
        ['on_max_iterations', 'warning'],
        ['session_end', undefined],
      ],
    );
  });
});

describe('hooks: a refusal', { skip }, () => {
  const no = answering({ decision: 'block', reason: 'policy' });

  test('at user_prompt_submit: nothing of the prompt is sent', async (t) => {
    const { status, inputs, stderr } = await ran(t, { hooks: `user_prompt_submit: ${no}`, script: shell('true') });
    assert.deepEqual([status, inputs.length], [1, 0]);
    assert.match(stderr, /ended the run: policy/);
  });

  test('at before_llm_call: no turn is taken, and turn_end gets the reason', async (t) => {
    const hooks = `before_llm_call: ${no}\nturn_end: ${log}`;
    const { status, inputs, of, file } = await ran(t, { hooks, script: shell('true') });
    assert.deepEqual([status, inputs.length], [1, 0]);
    assert.equal(of('stream_stopped')[0]?.['reason'], 'hook_blocked');
    assert.equal(toldIn(await file('log.jsonl'))[0]?.['reason'], 'hook_blocked');
  });

  test('at before_llm_call: an answer with changed messages, which are not supported, counts as one', async (t) => {
    const other = answering({ hook_specific_output: { updated_messages: [{ role: 'user', content: 'x' }] } });
    const { status, inputs } = await ran(t, { hooks: `before_llm_call: ${other}`, script: shell('true') });
    assert.deepEqual([status, inputs.length], [1, 0]);
  });

  test('by the builtin max_iterations: the run ends before its next turn', async (t) => {
    const hooks = 'before_llm_call: { type: builtin, command: max_iterations, args: ["1"] }';
    const { status, inputs, stderr } = await ran(t, { hooks, script: shell('true') });
    assert.deepEqual([status, inputs.length], [1, 1]);
    assert.match(stderr, /the hook max_iterations ended the run: the run is not done after 1 turns/);
  });

  for (const point of ['tool_guard', 'tool_input_transform']) {
    test(`at ${point}, and any failure there: the call is blocked, also with --yolo`, async (t) => {
      for (const hook of [no, '{ type: command, command: exit 1 }', '{ type: command, command: echo fine }']) {
        const { made, of } = await ran(t, { hooks: `${point}: { hooks: ${hook} }`, script: shell('touch ran') });
        assert.equal(made('ran'), false);
        assert.equal(of('tool_call_response')[0]?.['outcome'], 'declined');
      }
    });
  }

  test('at tool_guard: its hooks see the call with the changes of other hooks', async (t) => {
    const to = answering({ hook_specific_output: { updated_input: { cmd: 'touch changed' } } });
    const refuses = `{ type: command, command: "grep -q changed && exit 2; exit 0" }`;
    for (const point of ['pre_tool_use', 'tool_input_transform']) {
      const hooks = `tool_guard: { hooks: ${refuses} }\n${point}: { hooks: ${to} }`;
      const { made, of } = await ran(t, { hooks, script: shell('touch ran') });
      assert.deepEqual([made('ran'), made('changed')], [false, false]);
      assert.equal(of('tool_call_response')[0]?.['outcome'], 'declined');
    }
  });
});

describe('hooks of permission_request: answer instead of the user', { skip }, () => {
  const decision = (permission_decision: string) =>
    answering({ hook_specific_output: { permission_decision, permission_decision_reason: 'known' } });
  const asked = (hooks: string, top = '') => ({ hooks, script: shell('touch ran'), flags: [], top });

  test('a yes lets the call run without a question', async (t) => {
    const { made, of } = await ran(t, asked(`permission_request: { matcher: shell, hooks: ${decision('allow')} }`));
    assert.equal(made('ran'), true);
    assert.equal(of('tool_call_confirmation').length, 0);
  });

  test('a no declines it, whatever another hook says', async (t) => {
    const hooks = `permission_request: { hooks: [${decision('allow')}, ${decision('deny')}] }`;
    const { made, of } = await ran(t, asked(hooks));
    assert.equal(made('ran'), false);
    assert.match(String(of('tool_call_response')[0]?.['response']), /was blocked by .*: known/s);
  });

  const noYes: Readonly<Record<string, string>> = {
    'nothing said': '{ type: command, command: "true" }',
    'a question': `[${decision('allow')}, ${decision('ask')}]`,
    'a failure of another hook': `[${decision('allow')}, { type: command, command: exit 1 }]`,
    'a text': '{ type: command, command: echo allow }',
    'a changed call, which is not supported here': `[${answering({ hook_specific_output: { permission_decision: 'allow', updated_input: { cmd: 'ls' } } })}]`,
  };
  for (const [name, hook] of Object.entries(noYes)) {
    test(`${name}: the user is asked`, async (t) => {
      const { made, of } = await ran(t, asked(`permission_request: { hooks: ${hook} }`));
      assert.equal(made('ran'), false);
      assert.equal(of('tool_call_confirmation').length, 1);
    });
  }

  test('a yes does not overrule a rule that denies, nor a hook that wants the user to be asked', async (t) => {
    const yes = `permission_request: { hooks: ${decision('allow')} }`;
    const denied = await ran(t, asked(yes, 'permissions: { deny: ["shell:cmd=touch*"] }'));
    assert.equal(denied.made('ran'), false);
    const guarded = await ran(t, asked(`${yes}\npre_tool_use: { hooks: ${decision('ask')} }`));
    assert.equal(guarded.made('ran'), false);
    assert.equal(guarded.of('tool_call_confirmation').length, 1);
  });
});

describe('hooks of tool_response_transform', { skip }, () => {
  const outputOf = (inputs: readonly Record<string, unknown>[][]): unknown =>
    inputs[1]?.find(({ type }) => type === 'function_call_output')?.['output'];

  test('hooks of tool_response_transform change the output for the model, the user and post_tool_use', async (t) => {
    const other = answering({ hook_specific_output: { updated_tool_response: 'nothing to see' } });
    const hooks = `tool_response_transform: { matcher: shell, hooks: ${other} }\npost_tool_use: { hooks: ${log} }`;
    const { inputs, of, file } = await ran(t, { hooks, script: shell('echo hidden') });
    assert.equal(outputOf(inputs), 'nothing to see');
    assert.equal(of('tool_call_response')[0]?.['response'], 'nothing to see');
    assert.equal(toldIn(await file('log.jsonl'))[0]?.['tool_response'], 'nothing to see');
  });

  for (const hook of ['exit 1', 'exit 2', 'echo text', './missing']) {
    test(`a hook of tool_response_transform that ends with ${hook} withholds the output`, async (t) => {
      const hooks = `tool_response_transform: { hooks: { type: command, command: ${hook}, on_error: ignore } }`;
      const { inputs, stdout } = await ran(t, { hooks, script: shell('printf hid; echo den') });
      assert.match(String(outputOf(inputs)), /^Error: the tool has run, and what it returned is withheld/);
      assert.doesNotMatch(stdout, /hidden/);
    });
  }
});

describe('hooks: context', { skip }, () => {
  test('of turn_start is sent once, and again where it has changed; of user_prompt_submit it follows the prompt', async (t) => {
    const hooks = `turn_start: [{ type: command, command: cat state }, { type: builtin, command: add_prompt_files, args: [RULES.md] }]
user_prompt_submit: { type: command, command: echo hint }`;
    const script: Script = {
      turns: [
        { calls: [{ name: 'shell', arguments: { cmd: 'true' } }] },
        { calls: [{ name: 'shell', arguments: { cmd: 'echo two > state' } }] },
        { text: 'Done.' },
      ],
    };
    const { inputs } = await ran(t, { hooks, script, files: { state: 'one', 'RULES.md': 'be kind' } });
    const said = (inputs.at(-1) ?? []).filter(({ role }) => role !== undefined && role !== 'assistant');
    assert.deepEqual(
      said.map(({ role, content }) => [role, content]),
      [
        ['user', 'Go.'],
        ['developer', 'hint'],
        ['developer', 'one\n\nFrom RULES.md:\n\nbe kind'],
        ['developer', 'two\n\nFrom RULES.md:\n\nbe kind'],
      ],
    );
  });
});

describe('redact_secrets', { skip }, () => {
  test('removes secrets from calls, from results, and from requests to the model', async (t) => {
    const secret = `ghp_${'a1B'.repeat(12)}`;
    const { inputs, file } = await ran(t, {
      hooks: 'stop: []',
      more: `redact_secrets: true\ninstruction: Use ${secret}.`,
      script: calls('shell', { cmd: `printf %s ${secret} > seen; cat token` }),
      files: { token: `the token is ${secret}\n` },
    });
    assert.equal(await file('seen'), '[REDACTED]');
    assert.doesNotMatch(JSON.stringify(inputs), /ghp_/);
    assert.match(JSON.stringify(inputs[1]), /the token is \[REDACTED\]/);
  });
});
