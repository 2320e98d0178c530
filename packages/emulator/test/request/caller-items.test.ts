import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, postJson, RawSocket, terminal, type Json } from '../wire.js';

async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

const TOOLS = [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} } }];
const ADDITIONAL = { type: 'additional_tools', role: 'developer', tools: TOOLS };
const user = (content: string) => ({ role: 'user', content });
const types = ({ output }: Json) => output.map((item: Json) => item.type);

describe('items of the caller that are neither messages nor outputs', () => {
  const script = { turns: [{ text: 'FIRST' }, { text: 'SECOND' }] };
  // The types of openai-node's ResponseInputItem that a caller writes, and a type that no SDK has.
  for (const item of [
    ADDITIONAL,
    { type: 'configuration_update', configuration: {} },
    { type: 'house:note', text: 'x' },
  ]) {
    test(`P128: a first turn that begins with ${item.type} gets the first entry of a script`, async (t) => {
      const { url } = await start(t, { script });
      const { output } = await postJson(url, { model: 'm', input: [item, user('Hello')] });
      assert.equal(output[0].content[0].text, 'FIRST');
    });
  }

  test('P128: the echo repeats the message of the user, not the tools before it', async (t) => {
    const { url } = await start(t);
    const { output } = await postJson(url, { model: 'm', input: [ADDITIONAL, user('Hello')] });
    assert.equal(output[0].content[0].text, 'Hello');
  });

  test('P128: tool_choice can name a tool of an additional_tools item', async (t) => {
    const { url } = await start(t);
    const tool_choice = { type: 'function', name: 'look' };
    const { output } = await postJson(url, { model: 'm', input: [ADDITIONAL, user('Hello')], tool_choice });
    assert.deepEqual([output[0].type, output[0].name], ['function_call', 'look']);
  });

  test('P128: a tool of an additional_tools item is checked like any other', async (t) => {
    const { url } = await start(t);
    const tools = [{ type: 'function', name: 'not a name' }];
    const { httpStatus, error } = await postJson(url, { model: 'm', input: [{ ...ADDITIONAL, tools }, user('Hello')] });
    assert.deepEqual([httpStatus, error.param], [400, 'input[0].tools[0].name']);
  });
});

describe('compaction_trigger', () => {
  const TRIGGER = { type: 'compaction_trigger' };

  test('P126: a trigger as the last item is answered with exactly one compaction item, also if there is a script', async (t) => {
    const { url } = await start(t, { script: { turns: [{ text: 'A word.' }] } });
    const answer = await postJson(url, { model: 'm', store: false, input: [user('Hello'), TRIGGER] });
    assert.deepEqual([answer.status, types(answer)], ['completed', ['compaction']]);
    assert.equal(typeof answer.output[0].encrypted_content, 'string');
  });

  test('P126: the compaction item replaces the context before it, and a script goes on with the next turn', async (t) => {
    const script = { turns: [{ text: 'FIRST' }, { text: 'SECOND {{ input }}' }] };
    const emulator = await start(t, { script });
    const socket = await RawSocket.open(emulator.url);
    const ask = async (body: object): Promise<Json> => {
      socket.create({ model: 'm', store: false, ...body });
      return terminal(await socket.turn()).response;
    };
    const first = await ask({ input: 'one' });
    const compacted = await ask({ previous_response_id: first.id, input: [TRIGGER] });
    assert.deepEqual(types(compacted), ['compaction']);
    const next = await ask({ previous_response_id: compacted.id, input: [user('two')] });
    assert.equal(next.output[0].content[0].text, 'SECOND two');
    assert.deepEqual(
      emulator.journal
        .turns()
        .at(-1)
        ?.transcript.map(({ type }) => type ?? 'message'),
      ['compaction', 'message', 'message'].slice(0, 2),
    );
  });

  test('P126: a trigger is no item of a conversation: it is refused there, and not listed after it was answered', async (t) => {
    const { url } = await start(t);
    const send = async (path: string, body?: object): Promise<Json> => {
      const method = body === undefined ? 'GET' : 'POST';
      const response = await fetch(`${url}${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { ...json(await response.text()), httpStatus: response.status };
    };
    assert.equal((await send('/conversations', { items: [TRIGGER] })).error.param, 'items[0]');
    const { id: conversation } = await send('/conversations', { items: [user('Hello')] });
    const { httpStatus, error } = await send(`/conversations/${conversation}/items`, { items: [user('x'), TRIGGER] });
    assert.deepEqual([httpStatus, error.code, error.param], [400, 'invalid_value', 'items[1]']);
    assert.deepEqual(types(await postJson(url, { model: 'm', conversation, input: [TRIGGER] })), ['compaction']);
    const listed = (await send(`/conversations/${conversation}/items`)).data.map(({ type }: Json) => type);
    assert.deepEqual(listed, ['compaction', 'message']);
    assert.equal((await postJson(url, { model: 'm', conversation, input: 'more' })).output[0].content[0].text, 'more');
  });

  test('P126: a trigger that is not the last item is refused, with its place', async (t) => {
    const { url } = await start(t);
    const { httpStatus, error } = await postJson(url, { model: 'm', input: [user('a'), TRIGGER, user('b')] });
    assert.deepEqual([httpStatus, error.code, error.param], [400, 'invalid_value', 'input[1]']);
  });
});
