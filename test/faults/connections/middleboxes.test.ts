// A1, B8, C1, Q12: the client behind the proxies that people run, as a distribution ships them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { startEmulator } from '@turnwire/emulator';
import {
  adminOfCaddy,
  freePort,
  needs,
  nginx,
  runMiddlebox,
  startMiddlebox,
} from '../../../packages/turnwire/dist-test/cli/doctor/middlebox.js';
import { serve } from '../model/serve.js';
import { Service } from '../model/service.js';
import { eventually, read } from '../scenario.js';
import { FaultServer } from '../server/server.js';
import type { TestContext } from 'node:test';
import type { Client, ClientOptions } from '@turnwire/client';
import type { Place } from '../../../packages/turnwire/dist-test/cli/doctor/middlebox.js';

const passesUpgrades =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';
/** The limits here are of one second; it depends on the program when it starts to count. */
const silence = /after (?:\d{3,4} ms|\d+(?:\.\d)? s) of silence/;
const question = { model: 'test', input: 'hi' };

function clientOf(t: TestContext, port: number, options: ClientOptions): Client {
  const client = createClient({
    apiKey: 'sk-test',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    onWarning: false,
    ...options,
  });
  t.after(() => client.destroy());
  return client;
}

/** An upstream that falls silent in the middle of each answer. */
async function silentUpstream(t: TestContext): Promise<FaultServer> {
  const server = await FaultServer.start(serve({ service: new Service(), course: () => ({ upTo: 4 }) }));
  t.after(() => server.close());
  return server;
}

function haproxy(upstreamPort: number, timeouts: string, global = ''): (place: Place) => string {
  return ({ port }) => `
global
  ${global}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  ${timeouts}
listen all
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${upstreamPort}
`;
}

describe('client behind nginx', needs('nginx'), () => {
  test('nginx passes no upgrade: the turn goes by SSE, after one dial', async (t) => {
    await using emulator = await startEmulator();
    const client = clientOf(t, await startMiddlebox(t, 'nginx', nginx(emulator.port, '')), {});
    const turn = client.turn(question);
    assert.equal((await read(turn)).text, 'hi');
    assert.deepEqual(
      turn.report.attempts.map(({ transport, error }) => [transport, error]),
      [
        ['websocket', 'upgrade_refused'],
        ['sse', undefined],
      ],
    );
  });

  test('nginx holds an event stream back until its end: every event comes, and the turn is whole', async (t) => {
    await using emulator = await startEmulator({ latency: { tokensPerSecond: 100 } });
    const client = clientOf(t, await startMiddlebox(t, 'nginx', nginx(emulator.port, '')), { transport: 'sse' });
    const { events, text } = await read(client.turn({ ...question, input: 'one two three four five six' }));
    assert.equal(text, 'one two three four five six');
    assert.deepEqual([events[0]?.type, events.at(-1)?.type], ['response.created', 'response.completed']);
  });

  for (const [transport, location] of [
    ['websocket', `${passesUpgrades} proxy_read_timeout 1s;`],
    ['sse', 'proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 1s;'],
  ] as const)
    test(`nginx cuts what is idle, ${transport}: the error names the silence`, async (t) => {
      const upstream = await silentUpstream(t);
      const client = clientOf(t, await startMiddlebox(t, 'nginx', nginx(upstream.port, location)), { transport });
      const { error, events } = await read(client.turn(question));
      assert.equal(error?.code, 'connection_lost');
      assert.equal(error.phase, 'visible');
      assert.match(error.message, silence);
      assert.equal(events.length, 4);
      assert.equal(upstream.creates + upstream.posts, 1);
    });

  test('nginx without its upstream: the page of 502 is a refusal, and the error has no part of it', async (t) => {
    const client = clientOf(t, await startMiddlebox(t, 'nginx', nginx(await freePort(), passesUpgrades)), {
      recovery: { refusals: 'surface' },
    });
    const turn = client.turn(question);
    const { error } = await read(turn);
    assert.deepEqual([error?.code, error?.status], ['request_refused', 502]);
    assert.doesNotMatch(error?.message ?? '', /</);
    assert.deepEqual(
      turn.report.attempts.map(({ transport }) => transport),
      ['websocket', 'sse'],
    );
  });
});

describe('client behind haproxy', needs('haproxy'), () => {
  for (const [transport, timeouts] of [
    ['websocket', 'timeout server 30s\n  timeout tunnel 1s'],
    ['sse', 'timeout server 1s'],
  ] as const)
    test(`haproxy cuts what is idle, ${transport}: the error names the silence`, async (t) => {
      const upstream = await silentUpstream(t);
      const client = clientOf(t, await startMiddlebox(t, 'haproxy', haproxy(upstream.port, timeouts)), { transport });
      const { error } = await read(client.turn(question));
      assert.deepEqual([error?.code, error?.phase], ['connection_lost', 'visible']);
      assert.match(error?.message ?? '', silence);
    });

  test('haproxy is stopped in the middle of a turn: the turn is lost once, and nothing is sent again', async (t) => {
    const upstream = await silentUpstream(t);
    const configuration = haproxy(upstream.port, 'timeout server 30s', 'hard-stop-after 200ms');
    const { port, child } = await runMiddlebox(t, 'haproxy', configuration);
    const client = clientOf(t, port, { transport: 'websocket' });
    const turn = client.turn(question);
    const result = read(turn);
    await eventually('the answer has begun', () => turn.report.phase === 'visible');
    child.kill('SIGUSR1');
    const { error } = await result;
    assert.deepEqual([error?.code, error?.phase, error?.retryable], ['connection_lost', 'visible', false]);
    assert.equal(upstream.creates, 1);
  });
});

describe('client behind Caddy', needs('caddy'), () => {
  test('Caddy is reloaded in the middle of a turn: close code 1001, and the next turn goes by a new connection', async (t) => {
    const upstream = await silentUpstream(t);
    const caddy = await runMiddlebox(
      t,
      'caddy',
      (place) => `
{
  admin ${adminOfCaddy(place)}
  auto_https off
}
http://127.0.0.1:${place.port} {
  reverse_proxy 127.0.0.1:${upstream.port}
}
`,
    );
    const client = clientOf(t, caddy.port, { transport: 'websocket' });
    const turn = client.turn(question);
    const result = read(turn);
    await eventually('the answer has begun', () => turn.report.phase === 'visible');
    const address = adminOfCaddy(caddy);
    const reload = ['reload', '--force', '--adapter', 'caddyfile', '--config', caddy.file, '--address', address];
    assert.equal(spawnSync('caddy', reload).status, 0);
    const { error } = await result;
    assert.deepEqual([error?.code, error?.closeCode, error?.phase], ['connection_lost', 1001, 'visible']);
    const next = client.turn(question);
    await eventually('the next answer has begun', () => next.report.phase === 'visible');
    assert.deepEqual([next.report.attempts[0]?.connection, upstream.creates], [2, 2]);
    next.cancel();
    await read(next);
  });
});
