import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock, startEmulator, type EmulatorOptions, type Script } from '../../dist/index.js';
import { answerTo, json, RawSocket, terminal, until, userTexts, waitFor, type Json } from '../wire.js';

interface Steered {
  readonly script?: Script;
  readonly limits?: EmulatorOptions['limits'];
  readonly dialect?: EmulatorOptions['dialect'];
}

/** A socket on an emulator with a manual clock, on which each first token takes one second. */
async function open(t: { after(fn: () => Promise<void>): void }, { script = STORY, limits, dialect }: Steered = {}) {
  const clock = new ManualClock();
  const emulator = await startEmulator({ clock, latency: { firstTokenMs: 1000 }, script, limits, dialect });
  t.after(() => emulator.close());
  const socket = await RawSocket.open(emulator.url);
  /** Begins a turn and returns the id of its response once it can be steered, before its first item. */
  const begin = async (body: object = {}): Promise<string> => {
    socket.create({ model: 'gpt-6', input: 'go', store: false, ...body });
    return begun(socket);
  };
  const steer = (previous_response_id: unknown, input: unknown = 'Shorter!', more: object = {}) =>
    socket.socket.send(JSON.stringify({ type: 'response.steer', previous_response_id, input, ...more }));
  const next = async (): Promise<Json> => json(await socket.frame());
  return { clock, emulator, socket, begin, steer, next };
}

async function begun(socket: RawSocket): Promise<string> {
  const events = await until(socket, ({ type }) => type === 'response.in_progress');
  return events.find(({ type }) => type === 'response.created')?.['response'].id;
}

const STORY: Script = {
  turns: [{ reasoning: 'Long thoughts.', text: 'A long story.' }, { text: 'Now: {{ input }}' }, { text: 'End.' }],
};
const CALL: Script = { turns: [{ calls: [{ name: 'look' }] }, { text: 'Seen.' }] };

test('P48: a steered turn ends after its current item, incomplete, and the server begins its successor with the input', async (t) => {
  const { clock, emulator, socket, begin, steer, next } = await open(t);
  const target = await begin({ instructions: 'Be kind.', stream_id: 'a' });
  steer(target);
  const accepted = await next();
  assert.equal(accepted['type'], 'response.steer.accepted');
  assert.match(accepted['steer'].id, /^steer_/);
  assert.deepEqual([accepted['steer'].previous_response_id, accepted['stream_id']], [target, 'a']);

  await clock.advance(1000);
  const events = await socket.turn();
  const { type, response } = terminal(events);
  assert.deepEqual([type, response.incomplete_details], ['response.incomplete', { reason: 'steered' }]);
  assert.deepEqual(
    response.output.map((item: Json) => item.type),
    ['reasoning'],
  );
  assert.equal(response.usage.total_tokens, response.usage.input_tokens + response.usage.output_tokens);
  const numbers = [accepted, ...events].map(({ sequence_number }) => sequence_number);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => numbers[0] + index),
  );

  const successor = await begun(socket);
  await clock.advance(1000);
  const end = terminal(await socket.turn());
  assert.deepEqual([end['response'].id, end['response'].previous_response_id], [successor, target]);
  assert.deepEqual([end['response'].instructions, end['response'].store, end['stream_id']], ['Be kind.', false, 'a']);
  assert.equal(end['response'].output[0].content[0].text, 'Now: Shorter!');
  assert.deepEqual(userTexts(emulator), ['go', 'Shorter!']);
});

test('P48: a turn at its last item completes, and its successor follows', async (t) => {
  const { clock, socket, begin, steer, next } = await open(t, {
    script: { turns: [{ text: 'One.' }, { text: 'Two.' }] },
  });
  const target = await begin();
  steer(target, [{ role: 'user', content: [{ type: 'input_text', text: 'More' }] }]);
  assert.equal((await next())['type'], 'response.steer.accepted');
  await clock.advance(1000);
  assert.equal(terminal(await socket.turn())['type'], 'response.completed');
  await begun(socket);
  await clock.advance(1000);
  assert.equal(terminal(await socket.turn())['response'].output[0].content[0].text, 'Two.');
});

test('P52: the successor runs before the queued turns of its lane', async (t) => {
  const { clock, socket, begin, steer, next } = await open(t);
  const target = await begin();
  socket.create({ model: 'gpt-6', input: 'waits', store: false });
  steer(target);
  await next();
  await clock.advance(1000);
  await socket.turn();
  const successor = json(await socket.frame())['response'];
  assert.equal(successor.previous_response_id, target);
  await clock.advance(1000);
  await socket.turn();
  await begun(socket);
  await clock.advance(1000);
  assert.equal(terminal(await socket.turn())['response'].previous_response_id, null);
});

test('P49, P50: while tools are to run, each steer is announced once as pending, and its input precedes the results', async (t) => {
  const { clock, emulator, socket, begin, steer, next } = await open(t, { script: CALL });
  const target = await begin({ instructions: 'old' });
  steer(target, 'first');
  steer(target, 'second');
  const ids = [(await next())['steer'].id, (await next())['steer'].id];
  await clock.advance(1000);
  const end = terminal(await socket.turn());
  assert.equal(end['type'], 'response.completed');
  const call = end['response'].output[0];
  for (const id of ids) {
    const { type, steer, reason, required_input } = await next();
    assert.deepEqual(
      { type, steer, reason, required_input },
      {
        type: 'response.steer.pending',
        steer: { id, previous_response_id: target },
        reason: 'waiting_for_required_input',
        required_input: [{ type: 'function_call_output', call_id: call.call_id, name: 'look' }],
      },
    );
  }
  await begin({ previous_response_id: target, input: [answerTo(call, 'a cat')], instructions: 'new' });
  await clock.advance(1000);
  const seen = terminal(await socket.turn());
  assert.equal(seen['response'].instructions, 'new');
  const { transcript, request } = emulator.journal.turns().at(-1) ?? assert.fail();
  assert.deepEqual(
    transcript.slice(-3).map(({ type, content }) => [type, Object(content)[0]?.text]),
    [
      ['message', 'first'],
      ['message', 'second'],
      ['function_call_output', undefined],
    ],
  );
  assert.deepEqual(Object(request).input, [answerTo(call, 'a cat')]);
});

test('P48: a steered turn that has called a tool is not cut', async (t) => {
  const output = [{ call: { name: 'look' } }, { text: 'While I look.' }];
  const { clock, socket, begin, steer, next } = await open(t, { script: { turns: [{ output }] } });
  steer(await begin());
  await next();
  await clock.advance(1000);
  const { type, response } = terminal(await socket.turn());
  assert.deepEqual([type, response.output.length], ['response.completed', 2]);
  assert.equal((await next())['type'], 'response.steer.pending');
});

test('P49: pending input is returned if the next create of the lane does not continue its parent', async (t) => {
  const { clock, socket, begin, steer, next } = await open(t, { script: CALL });
  const target = await begin();
  steer(target);
  const { id } = (await next())['steer'];
  await clock.advance(1000);
  await socket.turn();
  await next();
  socket.create({ model: 'gpt-6', input: 'something else', store: false });
  const failed = await next();
  assert.deepEqual([failed['type'], failed['error'].code], ['response.steer.failed', 'successor_creation_failed']);
  assert.deepEqual(failed['steer'], { id, previous_response_id: target, input: 'Shorter!' });
});

test('P47, P51: invalid_input names what is wrong and returns the input', async (t) => {
  const { begin, steer, next } = await open(t);
  const target = await begin();
  const message = { role: 'user', content: 'x' };
  const cases: readonly (readonly [unknown, object?])[] = [
    [[]],
    [7],
    [[{ ...message, role: 'assistant' }]],
    [[{ ...message, id: 'msg_1' }]],
    [[{ role: 'user', content: [{ type: 'output_text', text: 'x' }] }]],
    [[{ type: 'function_call_output', call_id: 'c', output: 'x' }]],
    ['x', { stream_id: 'a' }],
  ];
  for (const [input, more] of cases) {
    steer(target, input, more);
    const { type, steer: returned, error } = await next();
    assert.deepEqual(
      [type, error.type, error.code],
      ['response.steer.failed', 'invalid_request_error', 'invalid_input'],
    );
    assert.deepEqual(returned, { previous_response_id: target, input });
  }
});

test('P51: a steer of an unknown, an incomplete or a completed response fails with the code for its case', async (t) => {
  const { clock, socket, begin, steer, next } = await open(t);
  const codeFor = async (id: string) => {
    steer(id);
    const { type, error, steer: returned } = await next();
    assert.equal(type, 'response.steer.failed');
    assert.equal('id' in returned, false);
    return error.code;
  };
  assert.equal(await codeFor('resp_none'), 'response_not_found');
  const first = await begin();
  steer(first);
  await next();
  await clock.advance(1000);
  await socket.turn();
  const second = await begun(socket);
  assert.equal(await codeFor(first), 'response_not_active');
  await clock.advance(1000);
  await socket.turn();
  assert.equal(await codeFor(second), 'response_already_completed');
  const stranger = await open(t);
  const elsewhere = await stranger.begin();
  // A running response of another connection is not found on this one.
  assert.equal(await codeFor(`${elsewhere}x`), 'response_not_found');
});

test('P51: a steer fails with steering_not_supported for older models, and with too_many_pending_steers over the limit', async (t) => {
  const { begin, steer, next } = await open(t, { limits: { pendingSteers: 2 } });
  steer(await begin({ model: 'gpt-5.4', stream_id: 'old' }));
  const { error, stream_id } = await next();
  assert.deepEqual([error.code, stream_id], ['steering_not_supported', 'old']);
  const target = await begin({ stream_id: 'new' });
  const said = [];
  for (let n = 0; n < 3; n += 1) {
    steer(target);
    const event = await next();
    said.push(event['error']?.code ?? event['type']);
  }
  assert.deepEqual(said, ['response.steer.accepted', 'response.steer.accepted', 'too_many_pending_steers']);
});

test('P51: steering input is returned when its successor is refused, and its parent can still be continued', async (t) => {
  const { clock, emulator, socket, begin, steer, next } = await open(t, { script: { turns: [{ text: 'Only one.' }] } });
  const target = await begin();
  steer(target);
  const { id } = (await next())['steer'];
  await clock.advance(1000);
  await socket.turn();
  const failed = await next();
  assert.deepEqual([failed['type'], failed['error'].code], ['response.steer.failed', 'successor_creation_failed']);
  assert.deepEqual(failed['steer'], { id, previous_response_id: target, input: 'Shorter!' });
  socket.create({ model: 'gpt-6', input: 'Shorter!', store: false, previous_response_id: target });
  // The successor was refused because the script is at its end, and its parent can still be found.
  assert.equal(terminal(await socket.turn())['error'].code, 'script_exhausted');
  assert.equal(emulator.journal.turns().at(-1)?.transcript.length, 3);
});

test('P51: accepted input is returned when its target fails', async (t) => {
  const script = { turns: [{ text: 'Half', fail: { code: 'server_error', message: 'no' } }] };
  const { clock, socket, begin, steer, next } = await open(t, { script });
  steer(await begin());
  await next();
  await clock.advance(1000);
  assert.equal(terminal(await socket.turn())['type'], 'response.failed');
  assert.equal((await next())['error'].code, 'successor_creation_failed');
});

test('P51: queued steers are dropped when their socket closes', async (t) => {
  const { emulator, socket, begin, steer, next } = await open(t);
  steer(await begin());
  await next();
  socket.close();
  await waitFor(() => emulator.state().webSockets === 0 && emulator.journal.turns()[0]?.outcome === 'aborted');
  assert.equal(emulator.journal.turns().length, 1);
});

test('P21: dialects without steering refuse response.steer like any unknown event', async (t) => {
  for (const dialect of ['azure', 'openresponses', 'vercel'] as const) {
    const { steer, next } = await open(t, { dialect });
    steer('resp_x');
    const { type, error } = await next();
    assert.deepEqual([type, error.code, error.param], ['error', 'invalid_value', 'type'], dialect);
  }
});

test('a successor inherits the metadata of its parent, but not the fault in it', async (t) => {
  const { clock, emulator, socket, begin, steer } = await open(t);
  const target = await begin({ metadata: { turnwire_fault: 'repeat event=2', kept: 'yes' } });
  steer(target);
  await until(socket, ({ type }) => type === 'response.steer.accepted');
  await clock.advance(1000);
  await socket.turn();
  await begun(socket);
  await clock.advance(1000);
  assert.deepEqual(terminal(await socket.turn())['response'].metadata, { kept: 'yes' });
  assert.deepEqual(
    emulator.journal.turns().map(({ faults }) => faults),
    [['repeat event=2 times=1'], []],
  );
});

describe('response.interrupt', () => {
  const interrupt = ({ socket }: RawSocket, response_id: unknown, more: object = { mode: 'discard_partial_items' }) =>
    socket.send(JSON.stringify({ type: 'response.interrupt', response_id, ...more }));

  test('P127: ends the running response at once, incomplete, without waiting for its next token', async (t) => {
    const { socket, begin } = await open(t);
    const target = await begin();
    // The clock never moves: only the interrupt can end the wait for the first token.
    interrupt(socket, target);
    const { type, response } = terminal(await socket.turn());
    assert.deepEqual(
      [type, response.id, response.status, response.incomplete_details],
      ['response.incomplete', target, 'incomplete', { reason: 'interrupted' }],
    );
  });

  test('P127: keeps the items that were finished and discards the one that was not', async (t) => {
    const { clock, socket, begin } = await open(t, {
      script: {
        pace: { first_token_ms: 0, tokens_per_second: 1 },
        turns: [{ reasoning: 'Hm.', text: 'one two three' }],
      },
    });
    const target = await begin();
    // The one word of the reasoning takes one second, and the first word of the text another.
    await clock.advance(2000);
    await until(socket, ({ type }) => type === 'response.output_text.delta');
    interrupt(socket, target);
    const { response } = terminal(await socket.turn());
    assert.deepEqual(
      response.output.map((item: Json) => item.type),
      ['reasoning'],
    );
  });

  test('P127: leaves the response as a parent that the next create can continue', async (t) => {
    const { clock, emulator, socket, begin } = await open(t);
    const target = await begin();
    interrupt(socket, target);
    await socket.turn();
    socket.create({ model: 'gpt-6', input: 'and now', store: false, previous_response_id: target });
    await begun(socket);
    await clock.advance(1000);
    assert.equal(terminal(await socket.turn()).type, 'response.completed');
    assert.deepEqual(userTexts(emulator), ['go', 'and now']);
  });

  test('ignores an interrupt of a response that has ended, or that the connection never had', async (t) => {
    const { clock, socket, begin } = await open(t);
    const target = await begin();
    await clock.advance(1000);
    await socket.turn();
    interrupt(socket, target);
    interrupt(socket, 'resp_unknown');
    const next = await begin();
    await clock.advance(1000);
    assert.deepEqual([terminal(await socket.turn()).type, next === target], ['response.completed', false]);
  });

  for (const [what, body, param] of [
    ['without an id', { mode: 'discard_partial_items' }, 'response_id'],
    ['with a mode that is not known', { response_id: 'resp_1', mode: 'keep' }, 'mode'],
  ] as const) {
    test(`refuses an interrupt ${what}`, async (t) => {
      const { socket, next } = await open(t);
      socket.socket.send(JSON.stringify({ type: 'response.interrupt', ...body }));
      const { type, error } = await next();
      assert.deepEqual([type, error.code, error.param], ['error', 'invalid_value', param]);
    });
  }
});
