import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { ManualClock, startEmulator, type DialectName, type EmulatorOptions } from '../../dist/index.js';
import { json, post, postJson, postSse, RawSocket, terminal, until, type Json } from '../wire.js';

async function open(t: { after(fn: () => Promise<void>): void }, dialect: DialectName, options: EmulatorOptions = {}) {
  const emulator = await startEmulator({ ...options, dialect });
  t.after(() => emulator.close());
  return { emulator, socket: await RawSocket.open(emulator.url) };
}

const create = (more: object = {}) => ({ model: 'm', input: 'x', store: false, ...more });
const idOf = (events: readonly Json[]): string => terminal(events)['response']['id'];
const codeOf = (events: readonly Json[]) => terminal(events)['error']?.['code'];
/** The next frame of any kind, since the errors of some dialects have no type. */
const next = async (socket: RawSocket): Promise<Json> => json(await socket.frame());

const ONE_LANE = ['azure', 'xai', 'vercel', 'openresponses'] as const;

test('P21, P82, P83: all dialects but openai refuse stream_id and run one turn at a time', async (t) => {
  for (const dialect of ONE_LANE) {
    const { emulator, socket } = await open(t, dialect, { clock: new ManualClock(), latency: { firstTokenMs: 1000 } });
    socket.create(create());
    socket.create(create());
    await until(socket, ({ type }) => type === 'response.in_progress');
    const pong = new Promise((resolve) => socket.socket.once('pong', resolve));
    socket.socket.ping();
    await pong;
    assert.deepEqual([emulator.state().runningTurns, emulator.state().queuedTurns], [1, 1], dialect);

    const other = await RawSocket.open(emulator.url);
    other.create(create({ stream_id: 'a' }));
    const { error } = await next(other);
    assert.deepEqual([error.code, error.param], ['unknown_parameter', 'stream_id'], dialect);
  }
});

test('P72: azure, xai and openresponses evict the latest response after any failed turn; openai only the one that the turn continued', async (t) => {
  for (const [dialect, expected] of [
    ['openai', undefined],
    ['azure', 'previous_response_not_found'],
    ['openresponses', 'previous_response_not_found'],
  ] as const) {
    const { socket } = await open(t, dialect);
    const first = idOf(await socket.ask(create()));
    assert.equal(codeOf(await socket.ask(create({ temperature: 'hot' }))), 'invalid_type');
    assert.equal(codeOf(await socket.ask(create({ previous_response_id: first }))), expected, dialect);
  }
});

test('a reasoning item of xai has a status, as the AI SDK requires; a reasoning item of openai only if it is not finished', async (t) => {
  const script = { turns: [{ reasoning: ['Why?'], text: 'So.' }] };
  for (const [dialect, begun, finished] of [
    ['xai', 'in_progress', 'completed'],
    ['openai', undefined, undefined],
  ] as const) {
    const { socket } = await open(t, dialect, { script });
    const events = await socket.ask(create());
    const statusOf = (type: string) => events.find((event) => event['type'] === type)?.['item']['status'];
    assert.equal(statusOf('response.output_item.added'), begun);
    assert.equal(statusOf('response.output_item.done'), finished);
    assert.equal(terminal(events)['response']['output'][0]['status'], finished);
  }
});

test('P12: xai does not continue unstored responses, refuses instructions with an id, and has errors without a type', async (t) => {
  const { emulator, socket } = await open(t, 'xai');
  const unstored = idOf(await socket.ask(create()));
  socket.create(create({ previous_response_id: unstored }));
  assert.deepEqual(Object.keys(await next(socket)), ['error']);
  const stored = idOf(await socket.ask(create({ store: true })));
  const second = await socket.ask(create({ store: true, previous_response_id: stored }));
  assert.equal(terminal(second)['type'], 'response.completed');
  const both = { model: 'm', input: 'x', instructions: 'Be kind.', previous_response_id: stored };
  socket.create(both);
  assert.equal((await next(socket))['error'].param, 'instructions');
  const overHttp = await postJson(emulator.url, both);
  assert.deepEqual([overHttp.httpStatus, overHttp.error.param], [400, 'instructions']);
});

test('P13: vercel closes after an error, with a close code for its status', async (t) => {
  const script = (status: number) => ({ rules: [{ match: {}, reply: { error: { status } } }] });
  for (const [status, code] of [
    [402, 4402],
    [400, 1008],
    [503, 1011],
  ] as const) {
    const { socket } = await open(t, 'vercel', { script: script(status) });
    socket.create(create());
    assert.equal((await next(socket))['status'], status);
    assert.equal(await socket.closed, code);
  }
});

test('P13: vercel allows one model for each connection', async (t) => {
  const { socket } = await open(t, 'vercel');
  await socket.ask(create({ model: 'openai/a' }));
  await socket.ask(create({ model: 'openai/a' }));
  assert.equal(codeOf(await socket.ask(create({ model: 'openai/b' }))), 'model_mismatch');
  assert.equal(await socket.closed, 1008);
});

test('P72: after response.failed, vercel forgets the whole chain, stored responses included; openai keeps stored responses', async (t) => {
  const turns = [{ text: 'a' }, { text: 'b' }, { fail: { code: 'server_error', message: 'no', times: 9 } }];
  for (const [dialect, status] of [
    ['vercel', 400],
    ['openai', 200],
  ] as const) {
    const { emulator, socket } = await open(t, dialect, { script: { turns, after: 'echo' } });
    const first = idOf(await socket.ask({ model: 'm', input: '1' }));
    const second = idOf(await socket.ask({ model: 'm', input: '2', previous_response_id: first }));
    const failed = await socket.ask({ model: 'm', input: '3', previous_response_id: second });
    assert.equal(terminal(failed)['type'], 'response.failed');
    const again = await postJson(emulator.url, { model: 'm', input: '4', previous_response_id: first });
    assert.equal(again.httpStatus, status, dialect);
  }
});

test('P88: vercel refuses frames of 4 MiB', async (t) => {
  const { socket } = await open(t, 'vercel');
  socket.create(create({ input: 'x'.repeat(4 * 1024 * 1024) }));
  assert.equal(await socket.closed, 1009);
  const { socket: larger } = await open(t, 'openai');
  const events = await larger.ask(create({ input: 'x'.repeat(4 * 1024 * 1024), instructions: '', generate: false }));
  assert.equal(terminal(events)['type'], 'response.completed');
});

test('P23: an SSE body ends with [DONE] only in the dialect openresponses, and a socket never has it', async (t) => {
  for (const dialect of ['openai', 'openresponses', ...ONE_LANE] as const) {
    const { emulator, socket } = await open(t, dialect);
    const body = await (await post(emulator.url, { model: 'm', input: 'x', stream: true })).text();
    assert.equal(body.endsWith('\n\ndata: [DONE]\n\n'), dialect === 'openresponses', dialect);
    await socket.ask(create());
    // A `[DONE]` would arrive before this event.
    assert.equal(
      json(await socket.ask(create({ input: 'y' })).then(([first]) => JSON.stringify(first)))['type'],
      'response.created',
    );
  }
});

test('P36, P37, P112: openresponses refuses stream, stream_options, background and generate on a socket', async (t) => {
  const { socket } = await open(t, 'openresponses');
  for (const [param, value] of [
    ['stream', true],
    ['stream_options', {}],
    ['background', false],
    ['generate', false],
  ] as const) {
    const { status, error } = terminal(await socket.ask(create({ [param]: value })));
    assert.deepEqual([status, error.param], [400, param]);
  }
  const { socket: openai } = await open(t, 'openai');
  assert.equal(terminal(await openai.ask(create({ stream: true })))['type'], 'response.completed');
});

test('an unknown dialect is refused', async () => {
  const dialect: string = 'openapi';
  await assert.rejects(startEmulator({ dialect: dialect as DialectName }), /option "dialect"/);
});

test('D12: reasoning of another provider is refused by its ciphertext or its id; reasoning that no emulator made passes', async (t) => {
  const script = { turns: [{ reasoning: 'Hm.', text: 'x' }], after: 'repeat' as const };
  const first = await open(t, 'openai', { script });
  const second = await open(t, 'xai', { script });
  const question = { role: 'user', content: 'And?' };
  for (const include of [['reasoning.encrypted_content'], []]) {
    const { output } = JSON.parse(await (await post(first.emulator.url, create({ include }))).text()) as {
      output: Json[];
    };
    const body = create({ input: [...output, question] });
    assert.equal((await post(first.emulator.url, body)).status, 200);
    const refused = await post(second.emulator.url, body);
    const { error } = json(await refused.text());
    const sealed = include.length > 0;
    assert.deepEqual([refused.status, error.code], sealed ? [400, 'invalid_encrypted_content'] : [404, null]);
    assert.match(
      error.message,
      sealed ? /^The encrypted content gAAA\.\.\..{4} could not be verified\.$/ : /^Item with id 'rs_/,
    );
    second.socket.create(body);
    assert.match(JSON.stringify(await next(second.socket)), sealed ? /could not be verified/ : /not found/);
  }
  const unknown = { type: 'reasoning', id: 'rs_0123456789', summary: [], encrypted_content: 'gAAAAABelsewhere' };
  const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] };
  for (const { url } of [first.emulator, second.emulator])
    assert.equal((await post(url, create({ input: [unknown, message, question] }))).status, 200);
});

describe('chatgpt: the backend that Codex and pi use with a login', () => {
  const CREATE = { model: 'gpt-6', input: 'Hello', store: false };

  test('P18: the base path is /backend-api/codex, and /v1 is served too', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt' });
    t.after(() => emulator.close());
    assert.equal(emulator.url, `http://127.0.0.1:${emulator.port}/backend-api/codex`);
    for (const base of [emulator.url, `http://127.0.0.1:${emulator.port}/v1`]) {
      assert.equal((await postSse(base, CREATE)).at(-1)?.event, 'response.completed');
      const socket = await RawSocket.open(base);
      assert.equal(terminal(await socket.ask(CREATE)).type, 'response.completed');
    }
  });

  test('P18: a create without store: false is refused', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt' });
    t.after(() => emulator.close());
    for (const store of [undefined, true]) {
      const { httpStatus, error } = await postJson(emulator.url, { ...CREATE, store });
      assert.deepEqual([httpStatus, error.param], [400, 'store']);
    }
  });

  test('P10: an answer has x-codex-turn-state, which is the one of the request if it has one', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt' });
    t.after(() => emulator.close());
    const first = await post(emulator.url, CREATE);
    const state = first.headers.get('x-codex-turn-state') ?? assert.fail();
    const second = await post(emulator.url, CREATE, { headers: { 'x-codex-turn-state': state } });
    assert.equal(second.headers.get('x-codex-turn-state'), state);
    const other = await post(emulator.url, { ...CREATE, stream: true });
    assert.notEqual(other.headers.get('x-codex-turn-state') ?? state, state);

    const socket = new RawSocket(emulator.url, { 'x-codex-turn-state': state });
    const [answer] = (await once(socket.socket, 'upgrade')) as [IncomingMessage];
    assert.equal(answer.headers['x-codex-turn-state'], state);
    socket.close();
  });

  test('P60: rate limits come on a socket as an event before each response, and over HTTP as headers', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt', clock: new ManualClock() });
    t.after(() => emulator.close());
    const socket = await RawSocket.open(emulator.url);
    for (let turn = 0; turn < 2; turn += 1) {
      const [limits, created] = await socket.ask(CREATE);
      assert.deepEqual([limits.type, limits.sequence_number], ['codex.rate_limits', undefined]);
      const { primary, limit_reached: reached } = limits.rate_limits;
      assert.deepEqual(
        [primary.used_percent, primary.window_minutes, typeof primary.reset_at, reached],
        [0, 300, 'number', false],
      );
      assert.deepEqual([created.type, created.sequence_number], ['response.created', 0]);
    }
    const { headers } = await post(emulator.url, { ...CREATE, stream: true });
    assert.equal(headers.get('x-codex-primary-used-percent'), '0');
    assert.equal(headers.get('x-codex-secondary-window-minutes'), '10080');
  });

  test('P60: a refused turn has no rate limits before its error', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt' });
    t.after(() => emulator.close());
    const socket = await RawSocket.open(emulator.url);
    assert.equal((await socket.ask({ ...CREATE, store: true }))[0].type, 'error');
  });

  test('P18: the path of accounts has the account that Codex asks for before its first turn', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt' });
    t.after(() => emulator.close());
    const url = new URL('/backend-api/wham/accounts/check', emulator.url);
    const answer = await fetch(url, { headers: { 'ChatGPT-Account-ID': 'acc-1' } });
    const { accounts, default_account_id: id } = json(await answer.text());
    assert.deepEqual([answer.status, accounts[0].id, id], [200, 'acc-1', 'acc-1']);
    assert.equal((await fetch(new URL('/backend-api/wham/usage', emulator.url))).status, 404);
  });

  test('P18, P58: the terminal event has an empty output, and its response can still be continued', async (t) => {
    const emulator = await startEmulator({ dialect: 'chatgpt' });
    t.after(() => emulator.close());
    const socket = await RawSocket.open(emulator.url);
    const events = await socket.ask(CREATE);
    const { response } = terminal(events);
    assert.deepEqual([response.status, response.output], ['completed', []]);
    assert.equal(events.find(({ type }) => type === 'response.output_item.done')?.item.content[0].text, 'Hello');
    await socket.ask({ ...CREATE, input: 'and', previous_response_id: response.id });
    assert.deepEqual(
      emulator.journal.turns()[1]?.transcript.map((item) => item['role']),
      ['user', 'assistant', 'user'],
    );
  });
});

test('HEAD /v1/responses, with which Codex probes a server, is answered with 405', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const answer = await fetch(`${emulator.url}/responses`, { method: 'HEAD' });
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, POST']);
});
