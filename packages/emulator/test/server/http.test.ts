import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { startEmulator, startRecorder } from '../../dist/index.js';
import { json, post, postJson, postSse, type Json } from '../wire.js';

test('P54, P55: a streamed turn has its events in order, numbered from 0', async (t) => {
  const emulator = await startEmulator({
    script: {
      turns: [{ reasoning: 'Hm.', text: 'Hello there', calls: [{ name: 'a' }, { name: 'b', arguments: { x: 1 } }] }],
    },
  });
  t.after(() => emulator.close());
  const events = await postSse(emulator.url, { model: 'm', input: 'hi' });
  const parsed = events.map(({ data }) => json(data));

  assert.deepEqual(
    events.map(({ event }) => event),
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ],
  );
  assert.deepEqual(
    parsed.map((event) => event['type']),
    events.map(({ event }) => event),
  );
  assert.deepEqual(
    parsed.map((event) => event['sequence_number']),
    parsed.map((_, index) => index),
  );
  assert.deepEqual(
    parsed.filter((event) => event['type'] === 'response.output_item.done').map((event) => event['output_index']),
    [0, 1, 2, 3],
  );
  const response = parsed.at(-1)?.['response'];
  assert.deepEqual(
    response?.['output']?.map((item: Json) => item['type']),
    ['reasoning', 'message', 'function_call', 'function_call'],
  );
  assert.equal(response?.['output']?.[3]?.['arguments'], '{"x":1}');
});

test('P115: the response object has the 31 keys and echoes the request', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const fields = {
    model: 'm',
    instructions: 'Be brief.',
    temperature: 0.5,
    top_p: 0.25,
    max_output_tokens: 16,
    metadata: { a: 'b' },
    store: false,
    tools: [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: false }],
    tool_choice: 'none',
    parallel_tool_calls: false,
    truncation: 'auto',
    prompt_cache_key: 'k',
    safety_identifier: 's',
  };
  const response = await postJson(emulator.url, { ...fields, input: 'hi' });
  const keys =
    'id object created_at completed_at status incomplete_details model previous_response_id instructions output error tools tool_choice truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs temperature reasoning usage max_output_tokens max_tool_calls store background service_tier metadata safety_identifier prompt_cache_key';
  assert.deepEqual(
    keys.split(' ').filter((key) => !(key in response)),
    [],
  );
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(response[name], value, name);
  assert.equal(response['output']?.[0]?.['content']?.[0]?.['text'], 'hi');
  assert.equal(response['status'], 'completed');
  assert.equal(
    response['usage']?.['total_tokens'],
    Number(response['usage']?.['input_tokens']) + Number(response['usage']?.['output_tokens']),
  );
});

test('P39: a stored response can be fetched and continued; a response with store: false is not found', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const first = await postJson(emulator.url, { model: 'm', input: 'one' });
  const { httpStatus: _, ...expected } = first;
  const fetched = await fetch(`${emulator.url}/responses/${first['id']}`);
  assert.deepEqual(await fetched.json(), expected);

  await postJson(emulator.url, { model: 'm', input: 'two', previous_response_id: first['id'] });
  const { transcript } = emulator.journal.turns().at(-1) ?? {};
  assert.deepEqual(
    transcript?.map((item) => item['role']),
    ['user', 'assistant', 'user'],
  );

  const secret = await postJson(emulator.url, { model: 'm', input: 'x', store: false });
  const lost = await fetch(`${emulator.url}/responses/${secret['id']}`);
  assert.equal(lost.status, 404);
  const refused = await postJson(emulator.url, { model: 'm', input: 'y', previous_response_id: secret['id'] });
  assert.equal(refused.httpStatus, 400);
  assert.equal(refused['error']?.['code'], 'previous_response_not_found');
  assert.equal(refused['error']?.['param'], 'previous_response_id');
});

test('an item_reference stands for an item of a stored response', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const first = await postJson(emulator.url, { model: 'm', input: 'one' });
  const id = first['output']?.[0]?.['id'];
  await postJson(emulator.url, {
    model: 'm',
    input: [
      { type: 'item_reference', id },
      { role: 'user', content: 'two' },
    ],
  });
  assert.equal(emulator.journal.turns().at(-1)?.transcript[0]?.['role'], 'assistant');
  const unknown = await postJson(emulator.url, { model: 'm', input: [{ type: 'item_reference', id: 'msg_x' }] });
  assert.equal(unknown.httpStatus, 404);
});

const REFUSED: readonly (readonly [string, unknown, string | null, string | null])[] = [
  ['not JSON', '{', 'invalid_json', null],
  ['an array', [], 'invalid_type', null],
  ['no model', { input: 'x' }, 'missing_required_parameter', 'model'],
  ['no input', { model: 'm' }, 'missing_required_parameter', 'input'],
  ['a model that is a number', { model: 1, input: 'x' }, 'invalid_type', 'model'],
  ['an input that is an object', { model: 'm', input: {} }, 'invalid_type', 'input'],
  ['an item that is a text', { model: 'm', input: ['x'] }, 'invalid_type', 'input[0]'],
  ['an item of no kind', { model: 'm', input: [{}] }, 'missing_required_parameter', 'input[0].type'],
  ['an unknown role', { model: 'm', input: [{ role: 'x', content: '' }] }, 'invalid_value', 'input[0].role'],
  ['a temperature as text', { model: 'm', input: 'x', temperature: '1' }, 'invalid_type', 'temperature'],
  [
    'an orphan output',
    { model: 'm', input: [{ type: 'function_call_output', call_id: 'c', output: '' }] },
    null,
    'input',
  ],
  [
    'a dangling call',
    { model: 'm', input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }] },
    null,
    'input',
  ],
  [
    'an unknown previous id',
    { model: 'm', input: 'x', previous_response_id: 'resp_x' },
    'previous_response_not_found',
    'previous_response_id',
  ],
  [
    'two histories',
    { model: 'm', input: 'x', previous_response_id: 'a', conversation: 'b' },
    'mutually_exclusive_parameters',
    'previous_response_id',
  ],
  ['P30: generate over HTTP', { model: 'm', input: 'x', generate: false }, 'unknown_parameter', 'generate'],
  ['P30: type over HTTP', { model: 'm', input: 'x', type: 'response.create' }, 'unknown_parameter', 'type'],
  ['a recording without a folder', { model: 'recording/x', input: 'x' }, 'model_not_found', 'model'],
];

test('P27: requests that the API refuses are refused with status, code and param', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  for (const [name, body, code, param] of REFUSED) {
    for (const stream of [false, true]) {
      const sent = typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body, stream } : body;
      const refused = await postJson(emulator.url, sent);
      assert.equal(refused.httpStatus, 400, name);
      assert.deepEqual(Object.keys(refused['error'] ?? {}).sort(), ['code', 'message', 'param', 'type'], name);
      assert.equal(refused['error']?.['type'], 'invalid_request_error', name);
      assert.equal(refused['error']?.['code'], code, name);
      assert.equal(refused['error']?.['param'], param, name);
    }
  }
  assert.deepEqual(new Set(emulator.journal.turns().map((turn) => turn.outcome)), new Set(['refused']));
});

test('GET models lists the models; a wrong method is a 405 and an unknown path a 404', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const models = json(await (await fetch(`${emulator.url}/models?limit=1`)).text());
  assert.equal(models['object'], 'list');
  const statuses = await Promise.all(
    [
      fetch(`${emulator.url}/responses`),
      fetch(`${emulator.url}/models`, { method: 'DELETE' }),
      fetch(`${emulator.url}/nothing`),
      fetch(`${emulator.url}/responses/%E0%A4%A`),
    ].map(async (sent) => {
      const response = await sent;
      assert.equal(typeof json(await response.text())['error']?.['message'], 'string');
      return response.status;
    }),
  );
  assert.deepEqual(statuses, [426, 405, 404, 404]);
  assert.deepEqual(
    emulator.journal
      .requests()
      .map(({ status }) => status)
      .sort((a, b) => a - b),
    [200, 404, 404, 405, 426],
  );
});

test('a body over the limit is refused with 413', async (t) => {
  const emulator = await startEmulator({ limits: { bodyBytes: 1000 } });
  t.after(() => emulator.close());
  for (const size of [1500, 100_000]) {
    const refused = await post(emulator.url, { model: 'm', input: 'x'.repeat(size) });
    assert.equal(refused.status, 413, String(size));
    assert.equal(json(await refused.text())['error']?.['code'], 'request_too_large');
  }
  assert.equal((await postJson(emulator.url, { model: 'm', input: 'x' })).httpStatus, 200);
});

test('HTTP: a client that leaves during a turn aborts the turn, and no response is stored', async (t) => {
  const emulator = await startEmulator({ latency: { firstTokenMs: 600_000 } });
  t.after(() => emulator.close());
  const controller = new AbortController();
  const response = await post(emulator.url, { model: 'm', input: 'x', stream: true }, { signal: controller.signal });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  const id = /"id":"(resp_[0-9a-f]+)"/.exec(Buffer.from(first?.value ?? []).toString())?.[1];
  assert.equal(emulator.journal.turns()[0]?.outcome, 'running');
  controller.abort();
  while (emulator.journal.turns()[0]?.outcome === 'running') await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');
  assert.equal((await fetch(`${emulator.url}/responses/${id}`)).status, 404);
});

test('HTTP: a turn waits for a client that does not read, and does not fill the memory', async (t) => {
  const words = 'word '.repeat(2_000_000);
  const emulator = await startEmulator({ script: { turns: [{ text: words }] } });
  t.after(() => emulator.close());
  const socket = connect(emulator.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const body = JSON.stringify({ model: 'm', input: 'x', stream: true });
  socket.write(
    `POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  const held = () => emulator.journal.turns().find(({ transport }) => transport === 'sse');
  while (held() === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  // While another request is answered, a turn that did not wait for its client would have run to its end.
  await postJson(emulator.url, { model: 'm', input: 'y' });
  assert.equal(held()?.outcome, 'running');
  let received = 0;
  let tail = '';
  for await (const chunk of socket) {
    const text = String(chunk);
    received += text.length;
    tail = (tail.slice(-2000) + text).slice(-2000);
  }
  assert.ok(received > words.length);
  assert.match(tail, /0\r\n\r\n$/);
  assert.equal(held()?.outcome, 'completed');
});

test('the journal has no credentials', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  await post(
    emulator.url,
    { model: 'm', input: 'x' },
    { headers: { authorization: 'Bearer sk-secret', 'api-key': 'sk-secret' } },
  );
  assert.doesNotMatch(JSON.stringify(emulator.journal.connections()), /sk-secret/);
  assert.equal(emulator.journal.connections()[0]?.headers['authorization'], '[redacted]');
});

test('the journal and the log have no credentials of other names, in a subprotocol or in a query', async (t) => {
  const lines: string[] = [];
  const emulator = await startEmulator({ log: (line) => lines.push(line) });
  t.after(() => emulator.close());
  const key = 'sk-secret';
  const names = ['x-goog-api-key', 'x-auth-token', 'ocp-apim-subscription-key', 'cf-aig-authorization', 'set-cookie'];
  const headers = {
    'x-mine': 'seen',
    'idempotency-key': 'seen-too',
    ...Object.fromEntries(names.map((name) => [name, key])),
  };
  await fetch(`${emulator.url}/models?api-key=${key}&limit=2&access_token=${key}`, { headers });
  const socket = new WebSocket(`${emulator.url.replace('http', 'ws')}/responses`, [
    'realtime',
    `openai-insecure-api-key.${key}`,
  ]);
  await once(socket, 'open');
  socket.terminate();
  const { journal } = emulator;
  assert.doesNotMatch(JSON.stringify([journal.connections(), journal.requests(), lines]), /sk-secret/);
  assert.equal(journal.requests()[0]?.path, '/v1/models?api-key=[redacted]&limit=2&access_token=[redacted]');
  const [first] = journal.connections();
  assert.deepEqual([first?.headers['x-mine'], first?.headers['idempotency-key']], ['seen', 'seen-too']);
});

for (const name of ['emulator', 'recorder']) {
  test(`${name}: a request that offers h2c, as curl and Java do, is served without it`, async (t) => {
    const emulator = await startEmulator();
    t.after(() => emulator.close());
    const folder = await mkdtemp(join(tmpdir(), 'offer-'));
    t.after(() => rm(folder, { recursive: true }));
    const recorder = await startRecorder({ upstream: emulator.url, file: join(folder, 'run.jsonl') });
    t.after(() => recorder.close());
    const { port } = name === 'recorder' ? recorder : emulator;
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
    const text = 'long '.repeat(50_000);
    const sent = request({ port, host: '127.0.0.1', path: '/v1/responses', method: 'POST', headers });
    sent.end(JSON.stringify({ model: 'm', input: text }));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    assert.equal(answer.statusCode, 200, body);
    assert.equal(json(body).output[0].content[0].text, text);
    assert.equal(emulator.journal.connections().length, 1);
  });
}

test('HEAD is answered as GET is, without the body', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  for (const [path, status] of [
    ['/v1/models', 200],
    ['/v1/responses/resp_unknown', 404],
    ['/emulator/health', 200],
  ] as const) {
    const answer = await fetch(new URL(path, emulator.url), { method: 'HEAD' });
    assert.deepEqual([answer.status, await answer.text()], [status, ''], path);
  }
});

test('a request may have 30 kB of headers, as Codex sends with its metadata', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const headers = { 'x-codex-turn-metadata': 'm'.repeat(30_000) };
  assert.equal((await post(emulator.url, { model: 'm', input: 'x' }, { headers })).status, 200);
});

test('an upgrade at another path, and a broken handshake, are refused with a JSON body', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  for (const [path, upgrade, status] of [
    ['/v1/responses', 'websocket', 400],
    ['/other', 'websocket', 404],
  ] as const) {
    const answer = await new Promise<{ status: number | undefined; body: string; connection: string | undefined }>(
      (resolve, reject) => {
        const sent = request({ port: emulator.port, path, headers: { connection: 'upgrade', upgrade } }, (response) => {
          let body = '';
          response.on('data', (chunk) => (body += String(chunk)));
          response.on('end', () =>
            resolve({ status: response.statusCode, body, connection: response.headers.connection }),
          );
        });
        sent.on('error', reject);
        sent.end();
      },
    );
    assert.equal(answer.status, status, path);
    assert.equal(answer.connection, 'close');
    assert.equal(typeof json(answer.body)['error']?.['message'], 'string');
  }
});

test('a request to a path of another API is refused with the path of this one', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const response = await fetch(`${emulator.url}/chat/completions`, { method: 'POST', body: '{}' });
  assert.equal(response.status, 404);
  assert.match(await response.text(), /Responses API \(POST \/v1\/responses\)/);
});
