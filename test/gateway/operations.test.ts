import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hashKey, startGateway } from '@turnwire/gateway';
import { startEmulator } from 'turnwire/emulator';
import { errorOf, message, setUp } from './setup.js';
import { TestSocket, codeOf } from './websocket-client.js';
import type { TestContext } from 'node:test';

interface Line extends Record<string, unknown> {
  usage?: { input_tokens?: number; input_tokens_details?: object };
}

function lines(): { write: (line: string) => void; read: Line[] } {
  const read: Line[] = [];
  return { write: (line) => void read.push(JSON.parse(line) as Line), read };
}

describe('gateway: operations', () => {
  test('writes one JSON line for each turn, without contents and keys', async (t) => {
    const log = lines();
    const { ask } = await setUp(t, {}, {}, { log });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const input: object[] = [message('A secret plan.')];
    const { output, id } = (await (await ask({ input }, { headers: { traceparent } })).json()) as {
      output: object[];
      id: string;
    };
    await (await ask({ input: [...input, ...output, message('More.')], stream: true })).text();
    assert.equal(log.read.length, 2);
    const [first, second] = log.read;
    assert.equal(first?.['event'], 'turn');
    assert.deepEqual(
      [
        first?.['downstream'],
        first?.['transport'],
        first?.['plan'],
        first?.['reason'],
        first?.['outcome'],
        first?.['attempts'],
        first?.['response_id'],
        first?.['traceparent'],
      ],
      ['json', 'websocket', 'full', 'first_turn', 'completed', 1, id, traceparent],
    );
    assert.equal(typeof first?.usage?.input_tokens_details, 'object');
    assert.deepEqual([second?.['plan'], second?.['downstream']], ['delta', 'sse']);
    assert(Number(second?.['saved_bytes']) > 0);
    const text = JSON.stringify(log.read);
    assert.doesNotMatch(text, /secret plan|sk-of-a-test/);
  });

  test('counts for Prometheus, with labels that have few values', async (t) => {
    const { ask, gateway } = await setUp(t);
    for (let turn = 0; turn < 3; turn += 1) await ask({}, { headers: { authorization: `Bearer sk-${turn}` } });
    const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
    assert.match(
      metrics,
      /turnwire_turns_total\{principal="passed",downstream="json",transport="websocket",plan="full",outcome="completed"\} 3/,
    );
    assert.match(metrics, /turnwire_upstream_connections 3/);
    assert.match(metrics, /turnwire_tokens_total\{principal="passed",kind="input"\} \d+/);
    assert.doesNotMatch(metrics, /sk-/);
  });

  test('serves no metrics where they are switched off', async (t) => {
    const { gateway } = await setUp(t, {}, { metrics: 'off' });
    assert.equal((await fetch(new URL('/metrics', gateway.url))).status, 404);
  });

  test('drains: reports at once that it is not ready, takes no new turn, and ends the running ones', async (t) => {
    const { ask, gateway } = await setUp(t, { latency: { firstTokenMs: 300 } });
    const client = await TestSocket.open(gateway.url);
    client.create({ input: 'Over a WebSocket.' });
    const streamed = ask({ stream: true });
    await client.next();
    const response = await streamed;
    const closed = gateway.close();
    const ready = await fetch(new URL('/readyz', gateway.url));
    assert.deepEqual([ready.status, (await fetch(new URL('/livez', gateway.url))).status], [503, 200]);
    const refused = await ask();
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    assert.match(await response.text(), /event: response\.completed/);
    assert.equal((await client.end()).type, 'response.completed');
    assert.equal((await client.gone()).code, 1012);
    await closed;
    await assert.rejects(fetch(new URL('/livez', gateway.url)));
  });

  test('drains without waiting for a connection on which nothing has come', { timeout: 60_000 }, async (t) => {
    const { gateway, ask } = await setUp(t, {}, { drain_ms: 600_000 });
    const silent = connect(gateway.port, '127.0.0.1');
    t.after(() => silent.destroy());
    await once(silent, 'connect');
    // Connections are taken in their order.
    await (await ask()).text();
    const ended = once(silent.resume(), 'close');
    await Promise.all([gateway.close(), ended]);
  });

  test('drains no longer than drain_ms', async (t) => {
    const { ask, gateway } = await setUp(t, { faults: [{ do: 'stall after=2' }] }, { drain_ms: 50 });
    const response = await ask({ stream: true });
    await gateway.close();
    await assert.rejects(response.text());
  });

  test('sends a comment while nothing comes, after which a refusal is an event', async (t) => {
    const { ask } = await setUp(
      t,
      { faults: [{ do: 'stall ms=400' }, { do: 'error status=429 code=rate_limit_exceeded' }] },
      { keepalive_ms: 50 },
    );
    const response = await ask({ stream: true });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /^(: keep-alive\n\n)+event: error\ndata: \{"type":"error","status":429,/);
  });

  test('sends comments between events, never within one', async (t) => {
    const { ask } = await setUp(t, { faults: [{ do: 'stall after=3 ms=400' }] }, { keepalive_ms: 50 });
    const text = await (await ask({ stream: true })).text();
    const blocks = text.split('\n\n').filter((block) => block !== '');
    assert(blocks.includes(': keep-alive'));
    for (const block of blocks) assert.match(block, /^: keep-alive$|^event: .*\ndata: \{.*\}$/);
  });
});

describe('gateway: reload', () => {
  async function reloadable(t: TestContext) {
    const emulator = await startEmulator();
    const folder = mkdtempSync(join(tmpdir(), 'turnwire-gateway-'));
    const file = join(folder, 'gateway.yaml');
    const write = (...keys: string[]): void =>
      writeFileSync(
        file,
        JSON.stringify({
          listen: { port: 0 },
          upstream: { base_url: emulator.url, key: 'KEY' },
          principals: [{ name: 'team', keys: keys.map(hashKey) }],
        }),
      );
    write('one');
    const gateway = await startGateway({
      config: file,
      secret: () => Promise.resolve('sk-upstream'),
      onWarning: () => {},
    });
    t.after(async () => {
      gateway.destroy();
      await emulator.close();
      rmSync(folder, { recursive: true });
    });
    const ask = async (key: string): Promise<number> => {
      const response = await fetch(`${gateway.url}/responses`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: '{"model":"m","input":"x"}',
      });
      return response.status;
    };
    return { file, write, gateway, ask };
  }

  test('takes new keys, and revokes those that are gone, also on an open socket', async (t) => {
    const { write, gateway, ask } = await reloadable(t);
    const client = await TestSocket.open(gateway.url, { authorization: 'Bearer one' });
    t.after(() => client.socket.terminate());
    client.create({});
    await client.end();
    write('two');
    await gateway.reload();
    assert.deepEqual([await ask('one'), await ask('two')], [401, 200]);
    client.create({});
    const end = await client.end();
    assert.deepEqual([end['status'], codeOf(end)], [401, 'invalid_api_key']);
  });

  test('keeps the configuration that it has where the new one is wrong', async (t) => {
    const { file, gateway, ask } = await reloadable(t);
    writeFileSync(file, 'upstream: 3\n');
    await assert.rejects(gateway.reload(), /gateway\.yaml:1:11: upstream/);
    assert.equal(await ask('one'), 200);
  });
});

describe('gateway: bytes that are no request', () => {
  async function say(url: string, text: string): Promise<string> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(text);
    let answer = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
    return answer;
  }

  test('a head that is too large is refused', async (t) => {
    const { gateway } = await setUp(t);
    const answer = await say(
      gateway.url,
      `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 431 /);
    assert.match(answer, /"code":"head_too_large"/);
  });

  test('the wait for a head ends after limits.head_ms', async (t) => {
    const { gateway } = await setUp(t, {}, { limits: { head_ms: 100 } });
    assert.match(await say(gateway.url, 'POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n'), /^HTTP\/1\.1 408 /);
  });

  for (const [name, text, expected] of [
    [
      'a request without a host',
      'GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 400 [\s\S]*"invalid_http"/,
    ],
    ['CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n', /^HTTP\/1\.1 405 [\s\S]*is no proxy/],
  ] as const) {
    test(`${name} is refused in the format of the API`, async (t) => {
      const { gateway } = await setUp(t);
      assert.match(await say(gateway.url, text), expected);
    });
  }

  test('a header behind 2,000 others counts', async (t) => {
    const { gateway } = await setUp(t);
    const many = 'a: b\r\n'.repeat(2100);
    const answer = await say(
      gateway.url,
      `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${many}origin: https://evil.example\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*evil\.example/);
  });

  for (const [name, head] of [
    ['two lengths', 'content-length: 3\r\ncontent-length: 4\r\n'],
    ['a length and chunks', 'content-length: 3\r\ntransfer-encoding: chunked\r\n'],
    ['a coding that hides chunks', 'transfer-encoding: xchunked\r\n'],
    ['a name with a blank', 'content-length : 3\r\n'],
  ]) {
    test(`a request with ${name} is refused`, async (t) => {
      const { gateway, emulator } = await setUp(t);
      const answer = await say(
        gateway.url,
        `POST /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${head}\r\nabc`,
      );
      assert.match(answer, /^HTTP\/1\.1 (400|501) /);
      assert.equal(emulator.journal.requests().length, 0);
    });
  }
});

describe('gateway: an upstream without WebSockets', () => {
  test('is used over SSE, and the headers of the answer say so', async (t) => {
    const { ask, emulator } = await setUp(t, { faults: [{ on: { transport: 'websocket' }, do: 'refuse status=426' }] });
    for (const stream of [true, false]) {
      const response = await ask({ stream });
      assert.equal(response.headers.get('x-turnwire-transport'), 'sse');
      await response.text();
    }
    assert.deepEqual(
      emulator.journal.turns().map(({ transport }) => transport),
      ['sse', 'json'],
    );
  });

  test('passes its refusals on', async (t) => {
    const { ask } = await setUp(t, {
      faults: [
        {
          do: {
            fault: 'refuse',
            status: 401,
            body: '{"error":{"code":"invalid_api_key","message":"no","type":"x","param":null}}',
          },
        },
      ],
    });
    const response = await ask();
    assert.equal(response.status, 401);
    assert.equal((await errorOf(response))['code'], 'invalid_api_key');
  });
});
