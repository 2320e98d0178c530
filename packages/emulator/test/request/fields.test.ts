import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { openResponsesSchema } from '../foreign/openresponses-schema.js';
import { json, post, postJson, postSse, RawSocket, terminal, type Json } from '../wire.js';

async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

const deltasOf = async (url: string, body: object): Promise<readonly Json[]> =>
  (await postSse(url, { model: 'm', input: 'a bc def', ...body }))
    .map(({ data }) => json(data))
    .filter(({ type }) => type === 'response.output_text.delta');

test('P28: deltas are padded to one length if the option or the request says so; the request takes precedence', async (t) => {
  const { url } = await start(t, { obfuscation: true });
  const lengths = (await deltasOf(url, {})).map(({ delta, obfuscation }) => delta.length + obfuscation.length);
  assert.deepEqual(new Set(lengths).size, 1);
  for (const event of await deltasOf(url, { stream_options: { include_obfuscation: false } }))
    assert.equal('obfuscation' in event, false);
  const plain = await start(t);
  for (const event of await deltasOf(plain.url, {})) assert.equal('obfuscation' in event, false);
});

test('max_tool_calls: calls of built-in tools beyond the limit are left out, calls of functions are not', async (t) => {
  const search = { tool: { type: 'web_search_call' as const, action: { type: 'search' as const, query: 'q' } } };
  const output = [search, search, { call: { name: 'f' } }, search, { text: 'Done.' }];
  const { url } = await start(t, { script: { turns: [{ output }], after: 'repeat' } });
  const types = async (body: object) =>
    (await postJson(url, { model: 'm', input: 'x', ...body }))['output'].map(({ type }: Json) => type);
  assert.deepEqual(await types({ max_tool_calls: 1 }), ['web_search_call', 'function_call', 'message']);
  assert.equal((await types({})).length, 5);
});

test('a request with moderation is answered with results that flag nothing', async (t) => {
  const { url } = await start(t);
  const { moderation } = await postJson(url, { model: 'm', input: 'x', moderation: { model: 'omni' } });
  for (const side of ['input', 'output']) {
    assert.deepEqual(
      [moderation[side].type, moderation[side].model, moderation[side].flagged],
      ['moderation_result', 'omni', false],
    );
  }
  assert.equal('moderation' in (await postJson(url, { model: 'm', input: 'x' })), false);
});

test('P11, P34: fields nested under response close the socket with 1011 at azure, and are refused elsewhere', async (t) => {
  const nested = { response: { model: 'm', input: 'x' } };
  const azure = await RawSocket.open((await start(t, { dialect: 'azure' })).url);
  azure.create(nested);
  assert.equal(await azure.closed, 1011);
  await assert.rejects(azure.frame(), /closed before/);
  const openai = await RawSocket.open((await start(t)).url);
  const { error } = terminal(await openai.ask(nested));
  assert.deepEqual([error.code, error.param], ['missing_required_parameter', 'model']);
  assert.equal(terminal(await openai.ask({ model: 'm', input: 'x' }))['type'], 'response.completed');
});

test('the events of the reasoning text have the type that the document of the dialect gives them', async (t) => {
  const script = { turns: [{ output: [{ reasoning: 's', reasoning_text: 'long thoughts' }, { text: 'a' }] }] };
  const schema = openResponsesSchema();
  for (const [dialect, name] of [
    ['openai', 'response.reasoning_text'],
    ['openresponses', 'response.reasoning'],
  ] as const) {
    const { url } = await start(t, { dialect, script });
    const response = await post(url, { model: 'm', input: 'x', stream: true });
    const events = [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => json(data));
    const types = events.map(({ type }) => type);
    assert.ok(types.includes(`${name}.delta`) && types.includes(`${name}.done`), types.join());
    if (dialect !== 'openresponses' || schema === undefined) continue;
    for (const event of events) {
      assert.ok(schema.setContext(event['type']), event['type']);
      assert.equal(schema.event(event), undefined);
    }
  }
});

test('outputs of a local shell and of a tool search need their call, and their calls an output', async (t) => {
  const { url } = await start(t);
  const ask = (input: readonly object[]) => postJson(url, { model: 'm', input });
  const shell = { type: 'local_shell_call', id: 'lsh_1', call_id: 'call_1', action: { type: 'exec', command: ['ls'] } };
  const search = { type: 'tool_search_call', id: 'tsc_1', call_id: 'call_2', execution: 'client', arguments: {} };
  const found = { type: 'tool_search_output', call_id: 'call_2', execution: 'client', tools: [] };
  for (const output of [
    { type: 'local_shell_call_output', id: 'lsh_1', output: 'x' },
    { type: 'local_shell_call_output', call_id: 'call_1', output: 'x' },
  ]) {
    assert.match(
      (await ask([output]))['error'].message,
      /^No tool call found for local shell call output with call_id/,
    );
    assert.equal((await ask([shell, output])).httpStatus, 200);
  }
  assert.match(
    (await ask([found]))['error'].message,
    /^No tool call found for tool search call output with call_id call_2/,
  );
  assert.equal((await ask([search, found])).httpStatus, 200);
  assert.match((await ask([shell]))['error'].message, /^No tool output found for local shell call call_1/);
  assert.match((await ask([search]))['error'].message, /^No tool output found for tool search call call_2/);
  // The server answers a search that it runs itself, so the client sends no output.
  const own = [
    { ...search, execution: 'server' },
    { ...found, execution: 'server' },
    { role: 'user', content: 'hi' },
  ];
  assert.equal((await ask(own)).httpStatus, 200);
});

test('no-pong over HTTP is refused, in a header, in metadata and in a rule', async (t) => {
  const { url } = await start(t);
  const body = { model: 'm', input: 'x' };
  for (const response of [
    await post(url, body, { headers: { 'x-turnwire-fault': 'no-pong' } }),
    await post(url, { ...body, metadata: { turnwire_fault: 'no-pong after=1' } }),
  ]) {
    const { error } = json(await response.text());
    assert.deepEqual([response.status, error.code], [400, 'invalid_fault']);
    assert.match(error.message, /"no-pong" leaves pings unanswered, and HTTP has none/);
  }
  await assert.rejects(
    startEmulator({ faults: [{ on: { transport: 'sse' }, do: 'no-pong' }] }),
    /HTTP has none; leave out "on.transport"/,
  );
});

test('background: above limits.storedBytes of events, jobs that have ended are forgotten', async (t) => {
  const script = { turns: [{ text: 'x'.repeat(2000), fail: { code: 'server_error', message: 'no', times: 99 } }] };
  const { url } = await start(t, { limits: { storedBytes: 60_000 }, script });
  const ids: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    const { id } = await postJson(url, { model: 'm', input: `${n}`, background: true });
    ids.push(id);
    const ended = await fetch(`${url}/responses/${id}?stream=true`);
    assert.match(await ended.text(), /response\.failed/);
  }
  const statuses = await Promise.all(ids.map(async (id) => (await fetch(`${url}/responses/${id}`)).status));
  assert.equal(statuses[0], 404);
  assert.equal(statuses.at(-1), 200);
});
