import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, parseSse, postJson, postSse, RawSocket, terminal, waitFor, type Json } from '../wire.js';

type Context = { after(fn: () => Promise<void>): void };

interface Api {
  readonly url: string;
  /** The JSON of the answer, and its status as `httpStatus`. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<Json>;
}

async function start(t: Context, options: EmulatorOptions = {}): Promise<Api> {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return {
    url: emulator.url,
    async call(method, path, body) {
      const response = await fetch(`${emulator.url}/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return Object.assign(json(await response.text()), { httpStatus: response.status });
    },
  };
}

const ids = (list: Json) => list['data'].map((item: Json) => item['id']);

test('DELETE /responses/{id}: the response is no longer found, and turns that continued it go on', async (t) => {
  const { url, call } = await start(t);
  const first = await postJson(url, { model: 'm', input: 'one' });
  const second = await postJson(url, { model: 'm', input: 'two', previous_response_id: first['id'] });
  const deleted = await call('DELETE', `responses/${first['id']}`);
  assert.deepEqual([deleted['id'], deleted['object'], deleted['deleted']], [first['id'], 'response', true]);
  assert.equal((await call('GET', `responses/${first['id']}`)).httpStatus, 404);
  assert.equal((await call('DELETE', `responses/${first['id']}`)).httpStatus, 404);
  const lost = await postJson(url, { model: 'm', input: 'x', previous_response_id: first['id'] });
  assert.equal(lost['error']['code'], 'previous_response_not_found');
  const third = await postJson(url, { model: 'm', input: 'three', previous_response_id: second['id'] });
  assert.equal(third.httpStatus, 200);
});

test('GET input_items: lists the input of a response with all that it continued, in pages, newest first', async (t) => {
  const { url, call } = await start(t);
  const first = await postJson(url, { model: 'm', input: 'one' });
  const second = await postJson(url, { model: 'm', input: 'two', previous_response_id: first['id'] });
  const path = `responses/${second['id']}/input_items`;
  const all = await call('GET', path);
  assert.deepEqual(
    all['data'].map((item: Json) => [item['type'], item['role'], item['content'][0]['text']]),
    [
      ['message', 'user', 'two'],
      ['message', 'assistant', 'one'],
      ['message', 'user', 'one'],
    ],
  );
  assert.deepEqual([all['first_id'], all['last_id'], all['has_more']], [ids(all)[0], ids(all)[2], false]);
  const page = await call('GET', `${path}?order=asc&limit=2`);
  assert.deepEqual([ids(page), page['has_more']], [ids(all).toReversed().slice(0, 2), true]);
  const rest = await call('GET', `${path}?order=asc&limit=2&after=${page['last_id']}`);
  assert.deepEqual([ids(rest), rest['has_more']], [ids(all).slice(0, 1), false]);
  for (const [query, param] of [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['order=up', 'order'],
    ['after=none', 'after'],
  ]) {
    const refused = await call('GET', `${path}?${query}`);
    assert.deepEqual([refused.httpStatus, refused['error']['param']], [400, param]);
  }
});

test('P29: a stored response can be streamed again, from any event on, with the time at which it completed', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 });
  const { url } = await start(t, { script: { turns: [{ reasoning: 'Hm.', text: 'Hello there' }] } });
  const events = await postSse(url, { model: 'm', input: 'x' });
  const { id } = json(events[0]?.data ?? '')['response'];
  const stream = async (query: string) =>
    parseSse(await (await fetch(`${url}/responses/${id}?stream=true${query}`)).text());
  t.mock.timers.tick(5000);
  assert.deepEqual(await stream(''), events);
  assert.deepEqual(await stream('&starting_after=4'), events.slice(5));
  assert.deepEqual(await stream('&starting_after=999'), []);
  const refused = await fetch(`${url}/responses/${id}?stream=true&starting_after=x`);
  assert.equal(refused.status, 400);
});

test('background: a create is answered at once as queued, polled to its end, and continued', async (t) => {
  const { url, call } = await start(t, { latency: { tokensPerSecond: 50 } });
  const queued = await postJson(url, { model: 'm', input: 'a b c d', background: true });
  assert.deepEqual([queued.httpStatus, queued['status'], queued['background']], [200, 'queued', true]);
  assert.deepEqual(queued['output'], []);
  const path = `responses/${queued['id']}`;
  const seen = new Set<string>();
  for (;;) {
    const { status } = await call('GET', path);
    seen.add(status);
    if (status === 'completed') break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(
    [...seen].filter((status) => status !== 'in_progress'),
    ['completed'],
  );
  const response = await call('GET', path);
  assert.equal(response['output'][0]['content'][0]['text'], 'a b c d');
  assert.equal((await call('POST', `${path}/cancel`))['status'], 'completed');
  const next = await postJson(url, { model: 'm', input: 'e', previous_response_id: queued['id'] });
  assert.equal(next.httpStatus, 200);
});

test('background with stream: response.queued is the second event, and a client that left resumes at any event', async (t) => {
  const clock = new ManualClock();
  const { url } = await start(t, { clock, latency: { tokensPerSecond: 100 } });
  const left = new AbortController();
  const body = JSON.stringify({ model: 'm', input: 'a b c d e f', background: true, stream: true });
  const response = await fetch(`${url}/responses`, { method: 'POST', body, signal: left.signal });
  const reader = response.body?.getReader();
  await waitFor(() => clock.waiting > 0);
  await clock.advance(10);
  let text = '';
  while (!text.includes('output_text.delta')) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  left.abort();
  const begun = text.split('\n\n').filter((block) => block.includes('\ndata: {') && block.endsWith('}'));
  assert.deepEqual(
    begun.slice(0, 3).map((block) => block.split('\n')[0]),
    ['event: response.created', 'event: response.queued', 'event: response.in_progress'],
  );
  const id = /"id":"(resp_\w+)"/.exec(text)?.[1];
  const last = begun.length - 1;
  const resumed = fetch(`${url}/responses/${id}?stream=true&starting_after=${last}`);
  await clock.advance(1000);
  const rest = await resumed;
  const events = parseSse(await rest.text()).map(({ data }) => json(data));
  assert.equal(events[0]?.['sequence_number'], last + 1);
  assert.equal(terminal(events)['type'], 'response.completed');
  assert.equal(terminal(events)['response']['output'][0]['content'][0]['text'], 'a b c d e f');
});

test('cancel: stops a background response, and refuses any other response', async (t) => {
  const { url, call } = await start(t, { latency: { firstTokenMs: 600_000 } });
  const queued = await postJson(url, { model: 'm', input: 'x', background: true });
  const path = `responses/${queued['id']}`;
  const following = fetch(`${url}/${path}?stream=true`).then((response) => response.text());
  assert.equal((await call('GET', path))['status'], 'in_progress');
  assert.equal((await call('POST', `${path}/cancel`))['status'], 'cancelled');
  assert.equal((await call('POST', `${path}/cancel`))['status'], 'cancelled');
  assert.equal((await call('GET', path))['status'], 'cancelled');
  assert.equal(parseSse(await following).at(-1)?.event, 'response.cancelled');
  assert.equal((await call('POST', 'responses/resp_none/cancel')).httpStatus, 404);

  const other = await start(t);
  const plain = await postJson(other.url, { model: 'm', input: 'x' });
  const refused = await other.call('POST', `responses/${plain['id']}/cancel`);
  assert.equal(refused.httpStatus, 400);
  assert.match(refused['error']['message'], /synchronous/);
});

test('P37: background is refused on a socket', async (t) => {
  const { url } = await start(t);
  const socket = await RawSocket.open(url);
  const frame = terminal(await socket.ask({ model: 'm', input: 'x', background: true }));
  assert.deepEqual([frame['status'], frame['error']['param']], [400, 'background']);
});

test('background: a turn that is refused or fails has that status', async (t) => {
  const { url, call } = await start(t, {
    script: {
      rules: [
        { match: { input: 'fail' }, reply: { text: 'half', fail: { code: 'server_error', message: 'Broken.' } } },
        { match: {}, reply: { error: { status: 429 } } },
      ],
    },
  });
  assert.equal((await postJson(url, { model: 'm', input: 'x', background: true })).httpStatus, 429);
  const failing = await postJson(url, { model: 'm', input: 'fail', background: true });
  assert.equal(failing['status'], 'queued');
  assert.equal((await call('GET', `responses/${failing['id']}`))['status'], 'failed');
});

test('P77: a compacted window starts a new chain, and a scripted conversation goes on with its next turn', async (t) => {
  const { url, call } = await start(t, { script: { turns: [{ text: 'one' }, { text: 'two' }, { text: 'three' }] } });
  const first = await postJson(url, { model: 'm', input: 'a' });
  const second = await postJson(url, { model: 'm', input: 'b', previous_response_id: first['id'] });
  const compacted = await call('POST', 'responses/compact', { model: 'm', previous_response_id: second['id'] });
  assert.equal(compacted['object'], 'response.compaction');
  assert.deepEqual(
    compacted['output'].map((item: Json) => item['content']?.[0]['text'] ?? item['type']),
    ['a', 'b', 'compaction'],
  );
  assert.equal((await call('GET', `responses/${compacted['id']}`)).httpStatus, 404);
  const third = await postJson(url, {
    model: 'm',
    input: [...compacted['output'], { role: 'user', content: 'c' }],
  });
  assert.equal(third['output'][0]['content'][0]['text'], 'three');
});

test('P77: context_management compacts a long context within a chain, and items before the compaction are no longer counted', async (t) => {
  const { url } = await start(t, {
    script: { turns: [{ text: 'one' }, { text: 'two' }, { text: 'three' }] },
  });
  const context_management = [{ type: 'compaction', compact_threshold: 500 }];
  const ask = (input: string, previous_response_id?: string) =>
    postJson(url, { model: 'm', input, context_management, previous_response_id });
  const types = (response: Json) => response['output'].map((item: Json) => item['type']);
  const first = await ask('short');
  assert.deepEqual(types(first), ['message']);
  const second = await ask('long '.repeat(1000), first['id']);
  assert.deepEqual(types(second), ['compaction', 'message']);
  const third = await ask('c', second['id']);
  assert.deepEqual(types(third), ['message']);
  assert.equal(third['output'][0]['content'][0]['text'], 'three');
  assert.ok(third['usage']['input_tokens'] < 500);
});

test('input_tokens: counts the tokens of a create, and runs no turn', async (t) => {
  const { url, call } = await start(t);
  const tools = [{ type: 'function', name: 'f', parameters: {} }];
  const body = { model: 'm', input: 'Hello', instructions: 'Be brief.', tools };
  const counted = await call('POST', 'responses/input_tokens', body);
  assert.equal(counted['object'], 'response.input_tokens');
  const made = await postJson(url, body);
  assert.equal(made['usage']['input_tokens'], counted['input_tokens']);
  // Counting tokens does not put the context into the cache.
  assert.equal(made['usage']['input_tokens_details']['cached_tokens'], 0);
  const next = { ...body, input: 'More', previous_response_id: made['id'] };
  const more = await call('POST', 'responses/input_tokens', next);
  assert.equal((await postJson(url, next))['usage']['input_tokens'], more['input_tokens']);
  const unknown = await call('POST', 'responses/input_tokens', { model: 'm', previous_response_id: 'resp_x' });
  assert.equal(unknown['error']['code'], 'previous_response_not_found');
});

test('GET models: has the models of the option, and any model without the option', async (t) => {
  const given = await start(t, { models: ['a', 'b'] });
  assert.deepEqual(ids(await given.call('GET', 'models')), ['a', 'b']);
  assert.equal((await given.call('GET', 'models/a'))['object'], 'model');
  assert.deepEqual((await given.call('GET', 'models/c')).httpStatus, 404);
  const any = await start(t);
  assert.equal((await any.call('GET', 'models/gpt-5.4'))['id'], 'gpt-5.4');
  assert.equal((await any.call('DELETE', 'models/x')).httpStatus, 405);
});
