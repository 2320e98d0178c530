import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ManualClock, startEmulator } from '../../dist/index.js';
import { answerTo, json, post, RawSocket, terminal, until, waitFor, type Json } from '../wire.js';

const BETA = { 'openai-beta': 'responses_websockets=2026-02-06, responses_multi_agent=v1' };
const OUTPUT = [
  { call: { name: 'a' } },
  { call: { name: 'b' } },
  { tool: { type: 'web_search_call' as const, action: { type: 'search' as const, query: 'q' } } },
  { text: 'one two' },
];

/** A response that has made two calls and waits for the test's clock before its last item. */
async function calling(t: TestContext) {
  const clock = new ManualClock();
  const script = { turns: [{ output: OUTPUT, pace: { tokens_per_second: 1 } }, { text: 'Next.' }] };
  const emulator = await startEmulator({ clock, script });
  t.after(() => emulator.close());
  const socket = await RawSocket.open(emulator.url, BETA);
  const inject = (response_id: unknown, input: unknown) =>
    socket.socket.send(JSON.stringify({ type: 'response.inject', response_id, input }));
  socket.create({ model: 'gpt-6', input: 'go', store: false, stream_id: 'l', multi_agent: { enabled: true } });
  const calls: Json[] = [];
  let id: unknown;
  const both = until(socket, ({ type, item, response }) => {
    id ??= response?.id;
    if (type === 'response.output_item.done' && item.type === 'function_call') calls.push(item);
    return calls.length === 2;
  });
  const tick = async () => {
    await waitFor(() => clock.waiting > 0);
    await clock.advance(1000);
  };
  // One delta is sent each second: the arguments of the first call, then those of the second.
  await tick();
  await tick();
  await both;
  return { tick, emulator, socket, inject, id, calls };
}

const isInject = ({ type }: Json) => /^(response\.inject\.|error)/.test(type);

test('P53: outputs are injected into a running response, and follow its output in the context of the next turn', async (t) => {
  const { tick, emulator, socket, inject, id, calls } = await calling(t);
  const outputs = calls.map((call, n) => answerTo(call, `${n}`));
  inject(id, outputs);
  const created = terminal(await until(socket, isInject));
  assert.deepEqual(
    [created['type'], created['response_id'], created['stream_id']],
    ['response.inject.created', id, 'l'],
  );
  assert.ok(Number.isInteger(created['sequence_number']));
  // A call that has an output takes no second one.
  inject(id, outputs.slice(0, 1));
  assert.equal(terminal(await until(socket, isInject))['error'].code, 'response_not_found');
  const ended = socket.turn();
  await tick();
  await tick();
  assert.equal(terminal(await ended)['response'].id, id);
  inject(id, outputs);
  const late = terminal(await until(socket, isInject));
  assert.deepEqual(
    [late['type'], late['error'].code, late['input']],
    ['response.inject.failed', 'response_already_completed', outputs],
  );

  socket.create({ model: 'gpt-6', input: 'next', store: false, stream_id: 'l', previous_response_id: id });
  assert.equal(terminal(await socket.turn())['type'], 'response.completed');
  assert.deepEqual(
    emulator.journal
      .turns()
      .at(-1)
      ?.transcript.map(({ type, role }) => role ?? type),
    [
      'user',
      'function_call',
      'function_call',
      'web_search_call',
      'assistant',
      'function_call_output',
      'function_call_output',
      'user',
    ],
  );
});

test('P53: response.inject takes all outputs or none, and returns those that it did not take', async (t) => {
  const { socket, inject, id, calls } = await calling(t);
  const mixed = [answerTo(calls[0], 'x'), { type: 'function_call_output', call_id: 'call_unknown', output: 'x' }];
  for (const [response_id, input] of [
    [id, mixed],
    ['resp_unknown', [answerTo(calls[0], 'x')]],
  ] as const) {
    inject(response_id, input);
    const failed = terminal(await until(socket, isInject));
    assert.deepEqual(
      [failed['type'], failed['response_id'], failed['error'].code],
      ['response.inject.failed', response_id, 'response_not_found'],
    );
    assert.deepEqual(failed['input'], input);
  }
  for (const input of ['text', [], [{ role: 'user', content: 'x' }]]) {
    inject(id, input);
    const refused = terminal(await until(socket, isInject));
    assert.deepEqual([refused['type'], refused['error'].param], ['error', 'input']);
  }
  inject(id, [answerTo(calls[0], 'x')]);
  assert.equal(terminal(await until(socket, isInject))['type'], 'response.inject.created');
});

test('P4: without the beta header, multi_agent and response.inject are refused', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const body = { model: 'gpt-6', input: 'x', multi_agent: { enabled: true } };
  const socket = await RawSocket.open(emulator.url);
  assert.equal(terminal(await socket.ask(body))['error'].param, 'multi_agent');
  socket.socket.send(JSON.stringify({ type: 'response.inject', response_id: 'r', input: [] }));
  assert.match(json(await socket.frame())['error'].message, /OpenAI-Beta: responses_multi_agent=v1/);
  assert.equal((await post(emulator.url, body)).status, 400);
  assert.equal((await post(emulator.url, body, { headers: BETA })).status, 200);
});
