import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { describe, test } from 'node:test';
import { createTestAuthority, startEmulator } from '@turnwire/emulator';
import { Console, turnwire, typing } from '../console.js';
import { DeviatingServer } from '../check/deviating-server.js';
import { examine } from './examine.js';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const body = '{"error":{"message":"no","type":"invalid_request_error","code":null,"param":null}}';

describe('turnwire doctor: a sound server', () => {
  test('reports each part, and the settings for clients', async () => {
    await using emulator = await startEmulator({ latency: { firstTokenMs: 50, tokensPerSecond: 15 } });
    const { status, stdout } = await turnwire(['doctor', emulator.url, '--model', 'gpt-6', '--yes', '--wait', '1']);
    assert.equal(status, 0, stdout);
    for (const line of [
      /^ok {3}127\.0\.0\.1 is 127\.0\.0\.1/m,
      /^ok {3}TCP opens in/m,
      /^ok {3}HTTP answers with 200/m,
      /^ok {3}the clocks agree/m,
      /^ok {3}a WebSocket opens in .*, a ping takes/m,
      /^ok {3}a turn over SSE: head .*, first event .*, first text .*, end /m,
      /^ok {3}a turn over a WebSocket: first event/m,
      /^ok {3}an unstored response is continued on its WebSocket; \d+ of \d+ input tokens were cached/m,
      /^ok {3}events over SSE come one by one/m,
      /^ok {3}a body of 2 MiB arrives/m,
      /^ok {3}a frame of 2 MiB arrives/m,
      /^ok {3}an idle WebSocket stays open for 1\.0 s/m,
      /^No problem found\.$/m,
      /^ {2}supports_websockets = true$/m,
      /^ {2}export OPENAI_BASE_URL=http:/m,
    ])
      assert.match(stdout, line);
  });

  test('asks for no turn without --model, and says so', async () => {
    await using emulator = await startEmulator();
    const { status, findings } = await examine(emulator.url);
    assert.equal(status, 0);
    assert.match(findings.get('turns')?.text ?? '', /--model NAME/);
    assert.equal(emulator.journal.bill().outputTokens, 0);
  });
});

describe('turnwire doctor: a problem', { concurrency: 3 }, () => {
  test('finds a name that does not exist', async () => {
    const { status, findings } = await examine('https://nobody.invalid/v1');
    assert.equal(status, 1);
    assert.match(findings.get('dns')?.text ?? '', /the name nobody\.invalid is not found/);
  });

  test('finds a port without a listener', async () => {
    const { status, findings } = await examine('http://127.0.0.1:9/v1');
    assert.equal(status, 1);
    assert.match(findings.get('connect')?.text ?? '', /no connection to 127\.0\.0\.1:9: connect ECONNREFUSED/);
  });

  for (const expired of [true, false])
    test(`finds a certificate that ${expired ? 'has expired' : 'has an unknown authority'}, says why, and sends no key`, async (t) => {
      const { url, requests } = await secureServer(t, expired);
      const env = { KEY: 'sk-of-somebody' };
      const { status, findings, stdout } = await examine(url, '--key-from', 'KEY', { env });
      assert.equal(status, 1);
      assert.equal(findings.get('tls-refused')?.level, 'problem');
      assert.match(
        findings.get('tls-refused')?.advice ?? '',
        expired ? /the certificate expired on .*: renew it/ : /NODE_EXTRA_CA_CERTS/,
      );
      assert.equal(requests(), 0);
      assert.ok(!stdout.includes('sk-of'));
    });

  test('finds a clock that is wrong', async () => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, {
      answer: ({ path }) =>
        path === 'models' ? { status: 200, headers: { date: 'Mon, 01 Jan 2024 00:00:00 GMT' }, body: '{}' } : undefined,
    });
    const { findings } = await examine(server.url);
    assert.match(findings.get('clock')?.text ?? '', /the clocks differ by .*: this machine is ahead/);
  });

  test('finds a key that is missing', async () => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, { keys: ['sk-right'] });
    const { status, findings } = await examine(server.url);
    assert.equal(status, 1);
    assert.match(findings.get('key')?.advice ?? '', /--key-from VARIABLE/);
  });

  test('shows what a server says without the key that the server repeats', async () => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, {
      answer: ({ method, headers }) =>
        method === 'POST' ? { status: 400, body: `{"error":"bad key ${headers.authorization ?? ''}"}` } : undefined,
    });
    const env = { KEY: 'sk-of-somebody' };
    const { stdout, findings } = await examine(server.url, '--model', 'm', '--yes', '--key-from', 'KEY', { env });
    assert.match(findings.get('sse')?.advice ?? '', /bad key Bearer \[redacted\]/);
    assert.ok(!stdout.includes('sk-of'));
  });

  test('notes a server without a WebSocket as no problem, and tells clients', async () => {
    await using emulator = await startEmulator();
    await using server = await DeviatingServer.start(emulator.url, {
      answer: ({ method }) => (method === 'UPGRADE' ? { status: 426, body } : undefined),
    });
    const { status, findings, clients } = await examine(server.url);
    assert.equal(status, 0);
    assert.equal(findings.get('upgrade')?.level, 'note');
    assert.ok(!clients.includes('  supports_websockets = true'));
  });

  test('finds event streams that are buffered, while a WebSocket is not', async () => {
    await using emulator = await startEmulator({ latency: { firstTokenMs: 100, tokensPerSecond: 12 } });
    await using server = await DeviatingServer.start(emulator.url, {});
    const { status, findings } = await examine(server.url, '--model', 'gpt-6', '--yes');
    assert.equal(status, 1);
    assert.match(
      findings.get('buffering')?.text ?? '',
      /come together, after .*; over a WebSocket the first comes after/,
    );
  });

  test('finds a limit of frames', async () => {
    await using emulator = await startEmulator({ limits: { frameBytes: 1_000_000 } });
    const { findings } = await examine(emulator.url);
    assert.match(findings.get('frame-limit')?.text ?? '', /at a frame of 2 MiB the connection is closed with 1009/);
  });

  test('finds unstored responses that cannot be continued', async () => {
    await using emulator = await startEmulator({ dialect: 'xai' });
    const { findings } = await examine(emulator.url, '--model', 'grok', '--yes');
    assert.match(
      findings.get('continuation')?.text ?? '',
      /cannot be continued on its WebSocket: previous_response_not_found/,
    );
  });
});

describe('turnwire doctor: spending', () => {
  test('asks the user before it asks a model', async () => {
    await using emulator = await startEmulator();
    const argv = ['doctor', emulator.url, '--model', 'm'];
    const nobody = await turnwire(argv);
    assert.equal(nobody.status, 2);
    assert.match(nobody.stderr, /3 turns of m: at most 1500 tokens[\s\S]*--yes/);
    const stdin = typing();
    const asked = new Console(argv, { stdin, terminals: ['stdin', 'stderr'] });
    await asked.shows('stderr', 'Spend them? [y/N] ');
    stdin.write('\n');
    assert.equal((await asked.ended).status, 1);
    assert.deepEqual(emulator.journal.requests(), []);
  });
});

async function secureServer(t: TestContext, expired: boolean): Promise<{ url: string; requests: () => number }> {
  const authority = await createTestAuthority();
  const { cert, key } = authority.issue({ hosts: ['127.0.0.1'], expired });
  let requests = 0;
  const server = createServer({ cert, key }, (_, response) => {
    requests += 1;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests: () => requests };
}
