import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { EmulatorError, startEmulator, startRecorder, type EmulatorOptions } from '../../dist/index.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Sends a request with any `Host` and `Origin`, which fetch does not allow. */
function ask(url: string, { method = 'POST', headers = {} }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/responses`, { method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? JSON.stringify({ model: 'm', input: 'Hello' }) : undefined);
  });
}

/** The status of an upgrade; 101 if the socket opened. */
function upgrade(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/responses`, { headers });
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.once('unexpected-response', (_, answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    socket.once('error', reject);
  });
}

async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

const refused: readonly (readonly [what: string, headers: Record<string, string>, option: string])[] = [
  ['a page of another origin', { origin: 'https://evil.example' }, 'allowedOrigins'],
  ['a page of this machine', { origin: 'http://localhost:5173' }, 'allowedOrigins'],
  ['a page without an origin of its own', { origin: 'null' }, 'allowedOrigins'],
  ['a name that was pointed at this machine', { host: 'evil.example' }, 'allowedHosts'],
  ['a name that begins like the loopback address', { host: '127.0.0.1.evil.example' }, 'allowedHosts'],
  ['a name that ends like localhost', { host: 'evil-localhost:80' }, 'allowedHosts'],
  ['something that is no name', { host: 'a b' }, 'allowedHosts'],
];

describe('N4: Origin and Host', () => {
  test('a request with a foreign name or page is refused also right behind one that was allowed', async (t) => {
    const { url } = await start(t, { host: '0.0.0.0' });
    const reached = url.replace('0.0.0.0', '127.0.0.1');
    for (let round = 0; round < 2; round += 1) {
      assert.equal((await ask(reached, { headers: { host: '127.0.0.1' } })).status, 200);
      assert.equal((await ask(reached, { headers: { host: 'evil.example' } })).status, 403);
      assert.equal(
        (await ask(reached, { headers: { host: '127.0.0.1', origin: 'https://evil.example' } })).status,
        403,
      );
    }
  });

  for (const [what, headers, option] of refused) {
    test(`${what} is refused with 403, over HTTP and for a WebSocket`, async (t) => {
      const { url, journal } = await start(t);
      const answer = await ask(url, { headers });
      assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [403, undefined]);
      assert.match(answer.text, new RegExp(option));
      assert.equal(await upgrade(url, headers), 403);
      assert.deepEqual(journal.turns(), []);
    });
  }

  for (const host of [
    'localhost',
    'localhost:1234',
    'my.localhost',
    '127.0.0.1',
    '127.8.9.10:80',
    '[::1]:80',
    '[0:0:0:0:0:0:0:1]:80',
    '[::ffff:127.0.0.1]',
    'LOCALHOST',
    'localhost.:80',
  ]) {
    test(`a request for the host ${host} is served`, async (t) => {
      const { url } = await start(t);
      assert.equal((await ask(url, { headers: { host } })).status, 200);
    });
  }

  test('a page of another origin reads nothing of a replay', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    t.after(() => rm(folder, { recursive: true }));
    const { url: upstream } = await start(t);
    const file = join(folder, 'run.jsonl');
    const recorder = await startRecorder({ upstream, file });
    assert.equal((await ask(recorder.url, {})).status, 200);
    await recorder.close();
    const { url } = await start(t, { replay: { file } });
    const headers = { origin: 'https://evil.example' };
    assert.equal(await upgrade(url, headers), 403);
    assert.equal((await ask(url, { headers })).status, 403);
    assert.equal((await ask(url, {})).status, 200);
  });

  test('a recorder relays nothing for a page of another origin', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    t.after(() => rm(folder, { recursive: true }));
    const { url: upstream, journal } = await start(t);
    const recorder = await startRecorder({ upstream, file: join(folder, 'run.jsonl') });
    t.after(() => recorder.close());
    const headers = { origin: 'https://evil.example' };
    assert.equal((await ask(recorder.url, { headers })).status, 403);
    assert.equal(await upgrade(recorder.url, headers), 403);
    assert.deepEqual(journal.requests(), []);
  });

  test('allowedHosts allows the name of a container, and no other name', async (t) => {
    const { url } = await start(t, { allowedHosts: ['emulator'] });
    assert.equal((await ask(url, { headers: { host: 'emulator:4000' } })).status, 200);
    assert.equal((await ask(url, { headers: { host: 'emulator.evil.example' } })).status, 403);
  });

  test('an entry of allowedHosts holds for each spelling of its name or address', async (t) => {
    const { url } = await start(t, { allowedHosts: ['Emulator', '[fd00::5]', 'FD00:0:0::6'] });
    for (const host of ['emulator.', 'EMULATOR:80', '[fd00::5]:80', '[FD00::6]'])
      assert.equal((await ask(url, { headers: { host } })).status, 200, host);
    assert.equal((await ask(url, { headers: { host: '[fd00::7]' } })).status, 403);
  });

  for (const [option, entry] of [
    ['allowedHosts', 'emulator:4001'],
    ['allowedHosts', 'http://emulator'],
    ['allowedHosts', '*.example'],
    ['allowedOrigins', 'localhost:5173'],
    ['allowedOrigins', 'http://localhost:5173/page'],
    ['allowedOrigins', 'http://*.example'],
  ] as const) {
    test(`the entry ${entry} of ${option}, which no request could match, is refused at start`, async () => {
      const named = (error: unknown) =>
        error instanceof EmulatorError && error.code === 'invalid_option' && error.message.includes(`"${option}.0"`);
      const options = { [option]: [entry] };
      await assert.rejects(startEmulator(options), named);
      await assert.rejects(
        startRecorder({ upstream: 'http://127.0.0.1:1/v1', file: 'never-written', ...options }),
        named,
      );
    });
  }

  test('an origin is allowed with the port that its scheme has by default, too', async (t) => {
    const { url } = await start(t, { allowedOrigins: ['http://localhost:80'] });
    assert.equal((await ask(url, { headers: { origin: 'http://localhost' } })).status, 200);
  });

  test('the body of a request that may not pass is not asked for', async (t) => {
    const { port } = await start(t);
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /v1/responses HTTP/1.1\r\nhost: evil.example\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n',
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    assert.match(first.toString(), /^HTTP\/1\.1 403 /);
  });

  for (const [host, shown] of [
    ['0', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::]', '[::1]'],
    ['0:0:0:0:0:0:0:0', '[::1]'],
    ['::ffff:0.0.0.0', '127.0.0.1'],
  ] as const) {
    test(`the address of a server on ${host} works`, async (t) => {
      const { url, port } = await start(t, { host });
      assert.equal(url, `http://${shown}:${port}/v1`);
      assert.equal((await ask(url, {})).status, 200);
    });
  }

  test('allowedOrigins allows the page of an origin to send and read, after a preflight', async (t) => {
    const origin = 'http://localhost:5173';
    const { url } = await start(t, { allowedOrigins: [origin] });
    const answer = await ask(url, { headers: { origin } });
    assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [200, origin]);
    const preflight = await ask(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    assert.equal(preflight.status, 204);
    assert.match(String(preflight.headers['access-control-allow-headers']), /authorization/);
    assert.equal(await upgrade(url, { origin }), 101);
    assert.equal((await ask(url, { headers: { origin: `${origin}0` } })).status, 403);
  });

  test('a server on all addresses has a URL that works on this machine, and accepts the address that a request has reached', async (t) => {
    const { url, port } = await start(t, { host: '0.0.0.0' });
    assert.equal(url, `http://127.0.0.1:${port}/v1`);
    assert.equal((await ask(url, {})).status, 200);
    assert.equal((await ask(url, { headers: { host: 'evil.example' } })).status, 403);
    const own = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal);
    if (own === undefined) return t.diagnostic('this machine has no address beside the loopback one');
    assert.equal((await ask(`http://${own.address}:${port}/v1`, {})).status, 200);
    assert.equal((await ask(url, { headers: { host: `${own.address}:${port}` } })).status, 403);
  });
});
