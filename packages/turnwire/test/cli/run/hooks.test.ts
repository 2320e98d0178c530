import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Script } from '@turnwire/emulator';
import { answering, argumentsIn, calls, ran, shell, skip } from './hooked-run.js';

describe('hooks of pre_tool_use: asked before --yolo and before rules that allow', { skip }, () => {
  const no = answering({ decision: 'block', reason: 'policy' });
  for (const flags of [['--yolo'], []]) {
    test(`a no by JSON blocks the call, with ${flags.join(' ') || 'a rule that allows'}`, async (t) => {
      const { status, made, of } = await ran(t, {
        hooks: `pre_tool_use: { matcher: shell, hooks: ${no} }`,
        script: shell('touch ran'),
        top: 'permissions: { allow: [shell] }',
        flags,
      });
      assert.equal(status, 0);
      assert.equal(made('ran'), false);
      const [answered] = of('tool_call_response');
      assert.equal(answered?.['outcome'], 'declined');
      assert.match(String(answered?.['response']), /^This call was blocked by .*: policy$/s);
    });
  }

  test('a job in the background is asked for as shell is', async (t) => {
    const { made, file } = await ran(t, {
      hooks: 'pre_tool_use: { matcher: shell, hooks: { type: command, command: "cat > asked.json; exit 2" } }',
      script: calls('run_background_job', { cmd: 'touch ran' }),
    });
    assert.equal(made('ran'), false);
    assert.equal((JSON.parse(await file('asked.json')) as Record<string, unknown>)['tool_name'], 'shell');
  });

  test('a hook that wants the user to be asked counts more than whatever would let the call run', async (t) => {
    const ask = { hook_specific_output: { permission_decision: 'ask', permission_decision_reason: 'is it meant?' } };
    const { made, of } = await ran(t, {
      hooks: `pre_tool_use: { matcher: shell, hooks: ${answering(ask)} }`,
      script: shell('touch ran'),
      top: 'permissions: { allow: [shell] }',
    });
    assert.equal(made('ran'), false);
    assert.equal(of('tool_call_confirmation').length, 1);
    assert.match(String(of('tool_call_response')[0]?.['response']), /could not be asked/);
  });

  test('a hook that allows spares no question, and does not overrule a rule that denies', async (t) => {
    const allow = { hook_specific_output: { permission_decision: 'allow' } };
    const hooks = `pre_tool_use: { hooks: ${answering(allow)} }`;
    const unasked = await ran(t, { hooks, script: shell('touch ran'), flags: [] });
    assert.equal(unasked.made('ran'), false);
    const denied = await ran(t, {
      hooks,
      script: shell('touch ran'),
      top: 'permissions: { deny: ["shell:cmd=touch*"] }',
    });
    assert.equal(denied.made('ran'), false);
  });
});

describe('hooks of pre_tool_use: changed arguments', { skip }, () => {
  const to = (input: object) =>
    `pre_tool_use: { matcher: shell, hooks: ${answering({ hook_specific_output: { updated_input: input } })} }`;

  test('changed arguments are run, shown, and told to the model', async (t) => {
    const { made, of, inputs } = await ran(t, { hooks: to({ cmd: 'touch changed' }), script: shell('touch ran') });
    assert.deepEqual([made('ran'), made('changed')], [false, true]);
    const args = JSON.stringify({ cmd: 'touch changed' });
    for (const type of ['tool_call_changed', 'tool_call_response']) assert.equal(argumentsIn(of(type)), args, type);
    const answer = inputs[1]?.find(({ type }) => type === 'function_call_output');
    assert.match(String(answer?.['output']), /changed the arguments of this call to \{"cmd":"touch changed"\}\]$/);
  });

  test('changed arguments are the ones that rules check and that the user is asked about', async (t) => {
    const denied = await ran(t, {
      hooks: to({ cmd: 'touch changed' }),
      script: shell('ls'),
      top: 'permissions: { deny: ["shell:cmd=touch*"] }',
    });
    assert.equal(denied.made('changed'), false);
    const asked = await ran(t, {
      hooks: to({ cmd: 'touch changed' }),
      script: shell('ls'),
      top: 'permissions: { allow: ["shell:cmd=ls"] }',
      flags: [],
    });
    assert.equal(asked.made('changed'), false);
    assert.equal(argumentsIn(asked.of('tool_call_confirmation')), '{"cmd":"touch changed"}');
  });

  for (const input of [{ cmd: 5 }, { command: 'touch changed' }]) {
    test(`changed arguments that the tool refuses run nothing: ${JSON.stringify(input)}`, async (t) => {
      const { made, of } = await ran(t, { hooks: to(input), script: shell('touch ran') });
      assert.equal(made('ran'), false);
      assert.match(
        String(of('tool_call_response')[0]?.['response']),
        /changed the arguments of this call, and they are wrong/,
      );
    });
  }
});

describe('hooks: their input and their output', { skip }, () => {
  test('the two ends of a call have its id, its session and its agent', async (t) => {
    const save = (name: string) => `{ type: command, command: "cat > ${name}.json" }`;
    const { file } = await ran(t, {
      hooks: `pre_tool_use: { hooks: ${save('before')} }
post_tool_use: { hooks: ${save('after')} }
session_start: ${save('start')}
session_end: ${save('end')}
stop: ${save('stop')}`,
      script: shell('echo fine; exit 3'),
    });
    const told: Record<string, Record<string, unknown>> = {};
    for (const name of ['before', 'after', 'start', 'end', 'stop'])
      told[name] = JSON.parse(await file(`${name}.json`)) as Record<string, unknown>;
    const { before = {}, after = {}, start = {}, end = {}, stop = {} } = told;
    const ids = Object.values(told).map((each) => each['session_id']);
    assert.equal(new Set(ids).size, 1);
    assert.match(String(ids[0]), /^[\w-]{8,}$/);
    assert.ok(Object.values(told).every((each) => each['agent_name'] === 'root'));
    assert.equal(typeof before['tool_use_id'], 'string');
    assert.equal(before['tool_use_id'], after['tool_use_id']);
    assert.deepEqual(
      [before['tool_input'], after['tool_input']],
      [{ cmd: 'echo fine; exit 3' }, { cmd: 'echo fine; exit 3' }],
    );
    assert.match(String(after['tool_response']), /^fine\n/);
    assert.equal(typeof after['tool_error'], 'boolean');
    assert.deepEqual([start['source'], end['reason']], ['startup', 'other']);
    assert.deepEqual([stop['stop_response'], stop['last_user_message']], ['Done.', 'Go.']);
  });

  test('output of session_start comes before the prompt, that of post_tool_use after the answers', async (t) => {
    const { inputs } = await ran(t, {
      hooks: `session_start: [{ type: command, command: echo on main }]
post_tool_use: { hooks: ${answering({ hook_specific_output: { additional_context: 'formatted' } })} }`,
      script: shell('true'),
    });
    const [first = [], second = []] = inputs;
    assert.deepEqual(
      first.map(({ role, content }) => [role, content]),
      [
        ['developer', 'on main'],
        ['user', 'Go.'],
      ],
    );
    const last = second.at(-1);
    assert.deepEqual([last?.['role'], last?.['content']], ['developer', 'formatted']);
    assert.equal(second.at(-2)?.['type'], 'function_call_output');
  });

  test('the user sees system_message, and a failure at a point that blocks nothing', async (t) => {
    const { of, stderr } = await ran(t, {
      hooks: `session_start: { type: command, command: exit 7, name: setup }
pre_tool_use: { hooks: ${answering({ system_message: 'look out' })} }
stop: { type: command, command: exit 3, name: last }`,
      script: shell('true'),
    });
    assert.match(stderr, /^turnwire: the hook setup failed: it ended with status 7$/m);
    assert.deepEqual(
      of('warning').map(({ message }) => message),
      ['look out', 'the hook last failed: it ended with status 3'],
    );
  });

  test('a no of post_tool_use ends the run, when all calls of the turn are answered', async (t) => {
    const script: Script = {
      turns: [
        {
          calls: [
            { name: 'shell', arguments: { cmd: 'touch one' } },
            { name: 'shell', arguments: { cmd: 'touch two' } },
          ],
        },
      ],
    };
    const hooks = `post_tool_use: { hooks: ${answering({ continue: false, stop_reason: 'enough' })} }`;
    const { status, made, of, stderr } = await ran(t, { hooks, script });
    assert.deepEqual([status, made('one'), made('two')], [1, true, true]);
    assert.equal(of('tool_call_response').length, 2);
    assert.equal(of('stream_stopped')[0]?.['reason'], 'hook_blocked');
    assert.match(stderr, /ended the run: enough/);
  });

  test('a hook sees no key, but for the one that the file gives to it by name', async (t) => {
    const { file } = await ran(t, {
      hooks:
        'session_start: { type: command, command: "echo \\"[$XAI_API_KEY] [$MINE]\\" > seen", env: { MINE: "${env.OPENAI_API_KEY}" } }',
      script: { turns: [{ text: 'Done.' }] },
      env: { XAI_API_KEY: 'x', OPENAI_API_KEY: 'o' },
    });
    assert.equal(await file('seen'), '[] [o]\n');
  });
});
