// Real proxies as distributions ship them, before the gateway and behind it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { startGateway } from '@turnwire/gateway';
import { startEmulator } from 'turnwire/emulator';
import {
  adminOfCaddy,
  needs,
  nginx,
  runMiddlebox,
  startMiddlebox,
} from '../../packages/turnwire/dist-test/cli/doctor/middlebox.js';
import { message, setUp } from './setup.js';
import { RefusedUpgrade, TestSocket, idOf } from './websocket-client.js';
import type { Gateway } from '@turnwire/gateway';
import type { Emulator } from 'turnwire/emulator';
import type { Middlebox, Place } from '../../packages/turnwire/dist-test/cli/doctor/middlebox.js';

type Proxy = Exclude<Middlebox, 'squid'>;

/** What is silent for so long is cut. */
const idleSeconds = 2;

const passesUpgrades =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';

const withLimits: Readonly<Record<Proxy, (upstreamPort: number) => (place: Place) => string>> = {
  nginx: (port) => nginx(port, `${passesUpgrades} proxy_read_timeout ${idleSeconds}s;`),
  haproxy:
    (upstreamPort) =>
    ({ port }) =>
      `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server ${idleSeconds}s
  timeout tunnel ${idleSeconds}s
listen all
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${upstreamPort}
`,
  apache2:
    (upstreamPort) =>
    ({ port, folder }) =>
      `
ServerName localhost
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/errors
Listen 127.0.0.1:${port}
Timeout ${idleSeconds}
${['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'proxy_wstunnel'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User daemon' : ''}
ProxyPass / http://127.0.0.1:${upstreamPort}/ upgrade=websocket
`,
  caddy:
    (upstreamPort) =>
    ({ port }) =>
      `
{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstreamPort}
}
`,
};

const key = { authorization: 'Bearer sk-of-a-test' };

// At once: most of the time they wait for a silence to be cut.
describe('gateway and proxies', { concurrency: true }, () => {
  for (const name of ['nginx', 'haproxy', 'apache2', 'caddy'] as const)
    describe(`gateway behind ${name}`, { ...needs(name), concurrency: true }, () => {
      let emulator: Emulator;
      let gateway: Gateway;
      before(async () => {
        emulator = await startEmulator({ faults: [{ on: { input: 'Stall.' }, do: 'stall after=2' }] });
        gateway = await startGateway({
          config: { listen: { port: 0 }, upstream: { base_url: emulator.url }, keepalive_ms: 300 },
          onWarning: () => {},
        });
      });
      after(async () => {
        gateway.destroy();
        await emulator.close();
      });
      const post = (port: number, input: string, signal?: AbortSignal): Promise<Response> =>
        fetch(`http://127.0.0.1:${port}/v1/responses`, {
          method: 'POST',
          headers: { ...key, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'any', input, stream: true }),
          signal: signal ?? null,
        });

      test('events come one by one, and a silent stream is not cut', async (t) => {
        const port = await startMiddlebox(t, name, withLimits[name](gateway.port));
        const left = new AbortController();
        const { body } = await post(port, 'Stall.', left.signal);
        const decoder = new TextDecoder();
        let text = '';
        const begun = performance.now();
        for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
          text += decoder.decode(chunk, { stream: true });
          if (performance.now() - begun > idleSeconds * 1500) break;
        }
        left.abort();
        assert.match(text, /^event: response\.created\n/m);
        assert(text.split(': keep-alive\n').length > 3, text);
        assert.doesNotMatch(text, /response\.completed/);
      });

      test('a WebSocket carries turns, and survives silence', async (t) => {
        const port = await startMiddlebox(t, name, withLimits[name](gateway.port));
        const client = await TestSocket.open(`http://127.0.0.1:${port}/v1`);
        t.after(() => client.socket.terminate());
        client.create({ store: false });
        const first = await client.end();
        await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1500));
        client.create({ store: false, previous_response_id: idOf(first), input: [message('More.')] });
        assert.equal((await client.end()).type, 'response.completed');
        assert.equal(client.closed, undefined);
      });

      test('a refused upgrade has its status and its error', async (t) => {
        const { gateway: closed } = await setUp(
          t,
          {},
          { principals: [{ name: 'a', keys: [`sha256:${'0'.repeat(64)}`] }], upstream: { key: 'ANY' } },
          { secret: () => Promise.resolve('sk-any') },
        );
        const port = await startMiddlebox(t, name, withLimits[name](closed.port));
        const refused = await TestSocket.open(`http://127.0.0.1:${port}/v1`).catch((error: unknown) => error);
        assert(refused instanceof RefusedUpgrade);
        assert.equal(refused.status, 401);
        assert.match(await refused.body, /"code":"invalid_api_key"/);
      });
    });

  describe('gateway before nginx', needs('nginx'), () => {
    test('nginx passes no upgrade, and turns go over SSE', async (t) => {
      await using emulator = await startEmulator();
      const port = await startMiddlebox(t, 'nginx', nginx(emulator.port, ''));
      const { ask } = await setUp(t, {}, { upstream: { base_url: `http://127.0.0.1:${port}/v1` } });
      const response = await ask({ stream: true });
      assert.match(await response.text(), /response\.completed/);
      assert.equal(response.headers.get('x-turnwire-transport'), 'sse');
    });

    test('nginx cuts an idle connection: the chain of a client goes on, in full', async (t) => {
      await using emulator = await startEmulator();
      const port = await startMiddlebox(t, 'nginx', withLimits.nginx(emulator.port));
      const { gateway } = await setUp(t, {}, { upstream: { base_url: `http://127.0.0.1:${port}/v1` } });
      const client = await TestSocket.open(gateway.url);
      t.after(() => client.socket.terminate());
      client.create({ store: false });
      const first = await client.end();
      await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1500));
      client.create({ store: false, previous_response_id: idOf(first), input: [message('More.')] });
      assert.equal((await client.end()).type, 'response.completed');
      assert.deepEqual(
        emulator.journal.turns().map(({ plan, outcome }) => [plan, outcome]),
        [
          ['full', 'completed'],
          ['full', 'completed'],
        ],
      );
    });
  });

  describe('gateway before Caddy', needs('caddy'), () => {
    test('Caddy is reloaded between turns (1001): the WebSocket of a client stays, and its chain goes on in full', async (t) => {
      await using emulator = await startEmulator();
      const caddy = await runMiddlebox(t, 'caddy', (place) =>
        withLimits
          .caddy(emulator.port)(place)
          .replace('admin off', `admin ${adminOfCaddy(place)}`),
      );
      const { gateway } = await setUp(t, {}, { upstream: { base_url: `http://127.0.0.1:${caddy.port}/v1` } });
      const client = await TestSocket.open(gateway.url);
      t.after(() => client.socket.terminate());
      client.create({ store: false });
      const first = await client.end();
      const reload = [
        'reload',
        '--force',
        '--adapter',
        'caddyfile',
        '--config',
        caddy.file,
        '--address',
        adminOfCaddy(caddy),
      ];
      assert.equal(spawnSync('caddy', reload).status, 0);
      client.create({ store: false, previous_response_id: idOf(first), input: [message('More.')] });
      const end = await client.end();
      assert.equal(end.type, 'response.completed', JSON.stringify(end));
      assert.equal(client.closed, undefined);
      assert.equal(emulator.journal.turns().at(-1)?.transcript.length, 3);
    });
  });
});
