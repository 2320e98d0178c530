// What a turn by fetch is like: its Response, its identity, its chain.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createFetch } from '@turnwire/client/fetch';
import { eventsOf, setUp, suffering } from './setup.js';

describe('createFetch: turns', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    test(`${transport}: a streaming turn gets the events as the service sends them`, async (t) => {
      const { ask, emulator, fetch } = await setUp(t, { obfuscation: false }, { transport });
      const response = await ask({ stream: true });
      assert.equal(response.status, 200);
      assert.equal(response.statusText, 'OK');
      assert.equal(response.url, `${emulator.url}/responses`);
      assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
      assert.equal(response.headers.get('x-turnwire-transport'), transport);
      assert.equal(response.headers.get('x-turnwire-attempts'), '1');
      const events = eventsOf(await response.text());
      assert.equal(events[0]?.['type'], 'response.created');
      assert.equal(events.at(-1)?.['type'], 'response.completed');
      assert.equal(emulator.journal.turns()[0]?.transport, transport);
      assert.equal(fetch.stats().turns, 1);
      assert.equal(fetch.stats().sse, transport === 'sse' ? 1 : 0);
    });

    test(`${transport}: a turn without stream gets one JSON text`, async (t) => {
      const { ask } = await setUp(t, { script: { turns: [{ text: 'Hello.' }] } }, { transport });
      const response = await ask();
      assert.equal(response.headers.get('content-type'), 'application/json');
      const { status, output } = (await response.json()) as {
        status: string;
        output: { content: { text: string }[] }[];
      };
      assert.equal(status, 'completed');
      assert.equal(output[0]?.content[0]?.text, 'Hello.');
    });
  }

  test('a JSON answer is the server’s text unchanged: numbers that a double cannot hold, escapes, order', async (t) => {
    const response =
      '{"id":"resp_1","status":"completed","cost":1.50,"ticks":12345678901234567890,"note":"\\u00fc","output":[]}';
    const folder = await mkdtemp(join(tmpdir(), 'turnwire recordings '));
    t.after(() => rm(folder, { recursive: true }));
    const created = '{"type":"response.created","response":{"id":"resp_1","status":"in_progress"},"sequence_number":0}';
    const completed = `{"type":"response.completed","sequence_number":1,"response":${response}}`;
    await writeFile(join(folder, 'exact.jsonl'), `${created}\n${completed}\n`);
    const { ask } = await setUp(t, { recordings: folder }, { transport: 'websocket' });
    assert.equal(await (await ask({ model: 'recording/exact' })).text(), response);
  });

  test('a JSON answer has the output that the terminal event left out', async (t) => {
    const { ask } = await setUp(t, { script: { turns: [{ text: 'All of it.' }] } });
    const { output } = (await (await ask(suffering('empty-output'))).json()) as {
      output: { content: { text: string }[] }[];
    };
    assert.equal(output[0]?.content[0]?.text, 'All of it.');
  });

  test('the answer has the status and headers of the POST', async (t) => {
    const { ask, emulator } = await setUp(t, {}, { transport: 'sse' });
    const direct = await fetch(`${emulator.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"any","input":"x","stream":true}',
    });
    await direct.text();
    const response = await ask({ stream: true });
    await response.text();
    const names = ({ headers }: Response): string[] =>
      [...headers.keys()].filter((name) => /^(x-request-id|x-ratelimit-|openai-)/.test(name));
    assert.deepEqual(names(response), names(direct));
    assert(names(direct).includes('x-request-id'));
  });

  test('a request body may be bytes, a Blob or a Request', async (t) => {
    const { fetch, emulator } = await setUp(t);
    const url = `${emulator.url}/responses`;
    const text = '{"model":"any","input":"Grüße"}';
    const init = { method: 'post', headers: { 'content-type': 'application/json; charset=utf-8' } };
    const request = new Request(url, { ...init, method: 'POST', body: text });
    const all = [
      await fetch(new URL(url), { ...init, method: 'POST', body: new TextEncoder().encode(text) }),
      await fetch(url, { ...init, method: 'POST', body: new Blob([text]) }),
      await fetch(request),
    ];
    for (const response of all) assert.match(await response.text(), /Grüße/);
    assert.equal(request.bodyUsed, true);
    assert.deepEqual(
      emulator.journal.turns().map(({ transport }) => transport),
      ['websocket', 'websocket', 'websocket'],
    );
    assert.equal(fetch.stats().passed, 0);
  });

  test('N3: two keys, projects or addresses never share a connection; headers that differ by request do not split connections', async (t) => {
    const { ask, emulator, fetch } = await setUp(t);
    const connections = async (headers: Record<string, string>): Promise<number | undefined> => {
      // Twice: an identity with a single turn may be closed.
      for (let turn = 0; turn < 2; turn += 1) await (await ask({}, { headers })).text();
      return emulator.journal.turns().at(-1)?.connection;
    };
    const first = await connections({ 'x-stainless-retry-count': '0', traceparent: '00-a', 'user-agent': 'one/1' });
    assert.equal(
      await connections({
        'x-stainless-retry-count': '1',
        traceparent: '00-b',
        'idempotency-key': 'k',
        'user-agent': 'two/2',
      }),
      first,
    );
    const others = [
      await connections({ authorization: 'Bearer sk-of-another' }),
      await connections({ 'openai-project': 'p' }),
      await connections({ 'openai-organization': 'o' }),
      await connections({ 'api-key': 'azure' }),
      await connections({ 'x-tenant': 't' }),
    ];
    assert.equal(new Set([first, ...others]).size, 6);
    assert.equal(fetch.stats().identities, 6);
    const upgrades = emulator.journal.connections().map(({ headers }) => headers);
    assert(upgrades.some((headers) => headers['openai-project'] === 'p'));
    assert.equal(upgrades[0]?.['user-agent'], 'one/1');
    assert(upgrades.every((headers) => headers['x-stainless-retry-count'] === undefined));
  });

  for (const [stream, accept] of [
    [true, 'text/event-stream'],
    [false, 'application/json'],
  ] as const) {
    test(`a POST carries the headers of its request, too, stream: ${stream}`, async (t) => {
      const { ask, emulator } = await setUp(t, {}, { transport: 'sse' });
      const given = { traceparent: '00-a', 'idempotency-key': 'k', accept: 'text/plain' };
      await (await ask({ stream }, { headers: given })).text();
      const [{ headers } = { headers: {} as Record<string, string> }] = emulator.journal.connections();
      assert.deepEqual([headers['traceparent'], headers['idempotency-key'], headers['accept']], ['00-a', 'k', accept]);
    });
  }

  test('after a terminal event that was read, the next turn is a delta on the same connection', async (t) => {
    const { ask, emulator } = await setUp(t, {
      script: { turns: [{ text: 'One.' }, { text: 'Two.' }, { text: 'Three.' }] },
    });
    const history: unknown[] = [{ role: 'user', content: 'Count.' }];
    const leave = [
      // As an SDK leaves its loop at the terminal event: abort, and cancel.
      async (response: Response, controller: AbortController): Promise<string> => {
        const reader = response.body?.getReader();
        let text = '';
        while (!text.includes('event: response.completed'))
          text += Buffer.from((await reader?.read())?.value ?? []).toString();
        controller.abort();
        await reader?.cancel();
        return text;
      },
      (response: Response): Promise<string> => response.text(),
    ];
    for (const [turn, read] of leave.entries()) {
      const controller = new AbortController();
      const response = await ask({ stream: true, input: history }, { signal: controller.signal });
      assert.equal(response.headers.get('x-turnwire-plan'), turn === 0 ? 'full' : 'delta');
      const { response: final } = eventsOf(await read(response, controller)).at(-1) as {
        response: { output: unknown[] };
      };
      history.push(...final.output, { role: 'user', content: 'More.' });
    }
    const last = await ask({ input: history });
    assert.equal(last.headers.get('x-turnwire-plan'), 'delta');
    assert.equal(new Set(emulator.journal.turns().map(({ connection }) => connection)).size, 1);
  });

  test('a long history that grows, and one that was edited: the server has each exactly', async (t) => {
    const { ask, emulator } = await setUp(t);
    const textsOf = (items: readonly object[]): unknown[] =>
      items.map((item) => {
        const { content } = item as { content: string | { text: string }[] };
        return typeof content === 'string' ? content : content[0]?.text;
      });
    const long = '[{"Größe": "\\\\"}], '.repeat(3000);
    const history: object[] = [{ role: 'user', content: long }];
    for (const [turn, plan] of ['full', 'delta', 'delta', 'full', 'delta'].entries()) {
      if (turn === 3) history[0] = { role: 'user', content: long.replace('Größe', 'Weite') };
      history.push({ role: 'user', content: `Turn ${turn}.` });
      const stream = turn % 2 === 0;
      const response = await ask({ input: history, stream });
      assert.equal(response.headers.get('x-turnwire-plan'), plan);
      const answer: unknown = stream ? eventsOf(await response.text()).at(-1)?.['response'] : await response.json();
      assert.deepEqual(textsOf(emulator.journal.turns().at(-1)?.transcript ?? []), textsOf(history));
      history.push(...(answer as { output: object[] }).output);
    }
  });

  test('X14: 64 conversations at once, some of them aborted: every answer is right', async (t) => {
    const { ask, fetch } = await setUp(t, { latency: { tokensPerSecond: 2000, jitter: 0.5 } });
    const conversation = async (number: number): Promise<void> => {
      const history: unknown[] = [];
      for (let turn = 0; turn < 3; turn += 1) {
        const words = `conversation ${number} says ${turn} and goes on for a while`;
        history.push({ role: 'user', content: words });
        const controller = new AbortController();
        const isAborted = (number + turn) % 4 === 3;
        const fault = isAborted ? suffering('stall after=4') : {};
        const response = await ask({ stream: true, input: history, ...fault }, { signal: controller.signal });
        if (isAborted) {
          const reader = response.body?.getReader();
          await reader?.read();
          controller.abort(new Error('enough'));
          await assert.rejects(async () => {
            while ((await reader?.read())?.done !== true);
          }, /enough/);
          history.pop();
          continue;
        }
        const { response: final } = eventsOf(await response.text()).at(-1) as { response: { output: unknown[] } };
        assert.match(JSON.stringify(final.output), new RegExp(`conversation ${number} says ${turn} and goes on`));
        history.push(...final.output);
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, number) => conversation(number)));
    assert.equal(fetch.stats().turns, 64 * 3);
    assert.equal(fetch.stats().busy, 0);
  });

  test('I4: a sleeping consumer pauses the socket, and misses no event', async (t) => {
    const words = 12_000;
    const script = { turns: [{ text: Array(words).fill('x'.repeat(999)).join(' ') }] };
    const { ask, emulator } = await setUp(t, { script, obfuscation: false });
    const response = await ask({ stream: true });
    // All of the same answer passes by meanwhile.
    await (await ask({ stream: true })).text();
    assert.deepEqual(
      emulator.journal.turns().map(({ outcome }) => outcome),
      ['running', 'completed'],
    );
    const last = eventsOf(await response.text()).at(-1) as { response: { output: { content: { text: string }[] }[] } };
    assert.equal(last.response.output[0]?.content[0]?.text.length, words * 1000 - 1);
  });

  test('an answer that fits into the buffer ends although it is not read, and close() does not wait for a reader', async (t) => {
    const { ask, fetch, emulator } = await setUp(t);
    const responses = [await ask({ stream: true }), await ask({ stream: true })];
    while (fetch.stats().busy > 0) await new Promise(setImmediate);
    assert.deepEqual(
      emulator.journal.turns().map(({ outcome }) => outcome),
      ['completed', 'completed'],
    );
    await fetch.close();
    for (const response of responses) assert.match(await response.text(), /response\.completed/);
  });

  test('an unread body that is garbage collected is cancelled', async (t) => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const script = { turns: [{ text: Array(12_000).fill('x'.repeat(999)).join(' ') }] };
    const { ask, fetch, emulator } = await setUp(t, { script, obfuscation: false });
    const kept = await ask({ stream: true });
    // In a function of its own: the frame of this one may hold what it has awaited until it ends.
    const drop = async (): Promise<void> => void (await ask({ stream: true }));
    await drop();
    const outcomes = (): string[] => emulator.journal.turns().map(({ outcome }) => outcome);
    while (!outcomes().includes('aborted')) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual(outcomes(), ['running', 'aborted']);
    assert.match(await kept.text(), /response\.completed/);
    assert.equal(fetch.stats().busy, 0);
  });

  test('await using closes: the running turn ends, and no connection stays', async (t) => {
    const { emulator } = await setUp(t);
    let stats: () => { connections: number; turns: number };
    let text: Promise<string>;
    {
      await using fetch = createFetch();
      stats = () => fetch.stats();
      const response = await fetch(`${emulator.url}/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"model":"any","input":"x","stream":true}',
      });
      text = response.text();
    }
    assert.match(await text, /response\.completed/);
    assert.deepEqual([stats().turns, stats().connections], [1, 0]);
  });

  test('destroy() ends running turns now: bodies fail, and unsent requests reject', async (t) => {
    const { ask, fetch } = await setUp(t);
    const response = await ask({ stream: true, ...suffering('stall after=2') });
    const whole = ask(suffering('stall after=2'));
    while (fetch.stats().busy < 2) await new Promise(setImmediate);
    fetch.destroy();
    await assert.rejects(response.text(), { name: 'TypeError', message: 'terminated' });
    assert.equal((await whole).status, 400);
    await assert.rejects(ask(), { name: 'TypeError', message: 'fetch failed' });
    await fetch.close();
    assert.equal(fetch.stats().connections, 0);
  });

  for (const stream of [true, false]) {
    test(`the chains of all identities have one budget, stream: ${stream}`, async (t) => {
      const { ask, fetch } = await setUp(t, {}, { chains: { maxBytes: 40_000 } });
      const input = 'word '.repeat(1000);
      for (const key of ['a', 'b', 'c'])
        await (await ask({ input, stream }, { headers: { authorization: `Bearer ${key}` } })).text();
      const { identities, chains } = fetch.stats();
      assert.deepEqual([identities, chains], [1, 1]);
    });
  }

  test('P25: a failed response is an answer with status 200, and its own status is in the body', async (t) => {
    const fail = { code: 'server_error', message: 'Broken.', times: 9 };
    const { ask } = await setUp(t, { script: { turns: [{ text: 'Half.', fail }] } });
    const response = await ask();
    assert.equal(response.status, 200);
    const { status, error } = (await response.json()) as { status: string; error: unknown };
    assert.equal(status, 'failed');
    assert.deepEqual(error, { code: 'server_error', message: 'Broken.' });
  });

  test('an error event in the middle of a JSON answer becomes a 400 with the server’s error, since the turn has run', async (t) => {
    const { ask, emulator } = await setUp(t);
    const response = await ask(
      suffering('error after=3 shape=nested status=500 code=server_error message="Half way."'),
    );
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('x-should-retry'), 'false');
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.deepEqual([error.code, error.message], ['server_error', 'Half way.']);
    assert.equal(emulator.journal.turns().length, 1);
  });
});
