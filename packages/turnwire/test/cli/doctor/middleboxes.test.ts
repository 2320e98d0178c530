// Each program with the misconfiguration that is to be found, and one that has none.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startEmulator } from '@turnwire/emulator';
import { examine } from './examine.js';
import { needs, nginx, startMiddlebox } from './middlebox.js';

const paced = { latency: { firstTokenMs: 100, tokensPerSecond: 12 } };
const passesUpgrades =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';

describe('turnwire doctor behind nginx', needs('nginx'), () => {
  test('with its defaults, finds that no upgrade passes, that SSE is held back, and that bodies end at 1 MiB', async (t) => {
    await using emulator = await startEmulator(paced);
    const port = await startMiddlebox(t, 'nginx', nginx(emulator.port, ''));
    const { status, findings } = await examine(`http://127.0.0.1:${port}/v1`, '--model', 'gpt-6', '--yes');
    assert.equal(status, 1);
    assert.match(findings.get('upgrade-dropped')?.advice ?? '', /proxy_set_header Upgrade/);
    assert.match(findings.get('upgrade-dropped')?.text ?? '', /server: nginx/);
    assert.equal(findings.get('buffering')?.level, 'problem');
    assert.match(findings.get('buffering')?.advice ?? '', /proxy_buffering off/);
    assert.match(findings.get('body-limit')?.text ?? '', /answered with 413 \(server: nginx/);
    const told = [...findings.values()].flatMap(({ text, advice = '' }) => [text, advice]).join('\n');
    for (const line of shownInPage()) assert.match(told, line);
  });

  /** What docs/doctor.md shows of it: numbers differ, and an ellipsis stands for the rest of a line. */
  function shownInPage(): RegExp[] {
    const page = readFileSync(new URL('../../../../../docs/doctor.md', import.meta.url), 'utf8');
    const [, block = ''] = /```text\n(ok [^]*?)\n\n3 problems found/.exec(page) ?? [];
    const lines = block.split('\n').map((line) => line.replace(/^(?:ok|FAIL)? +/, '').replace(/^FAIL /, ''));
    assert.equal(lines.length, 7);
    return lines.map((line) => {
      const literal = line.replaceAll(/[.*+?()[\]\\/]/g, String.raw`\$&`);
      const flexible = literal
        .replaceAll(/[\d\\.]+ m?s\b/g, String.raw`[\d.]+ m?s`)
        .replaceAll(/\d+\\.\d+\\.\d+/g, '[^ ]+');
      return new RegExp(`^${flexible.replace(/…$/, '.*')}$`, 'm');
    });
  }

  test('with a short proxy_read_timeout, finds that an idle WebSocket is ended without a close frame', async (t) => {
    await using emulator = await startEmulator();
    const location = `${passesUpgrades} proxy_read_timeout 1s; client_max_body_size 0;`;
    const port = await startMiddlebox(t, 'nginx', nginx(emulator.port, location));
    const { status, findings } = await examine(`http://127.0.0.1:${port}/v1`, '--wait', '20');
    assert.equal(status, 1);
    assert.match(findings.get('idle')?.text ?? '', /ended after [\d.]+ m?s, without a close frame/);
    assert.equal(findings.get('upgrade')?.level, 'ok');
  });

  test('configured for this API, finds nothing', async (t) => {
    await using emulator = await startEmulator(paced);
    const location = `${passesUpgrades} proxy_buffering off; client_max_body_size 0;`;
    const port = await startMiddlebox(t, 'nginx', nginx(emulator.port, location));
    const { status, findings } = await examine(
      `http://127.0.0.1:${port}/v1`,
      '--model',
      'gpt-6',
      '--yes',
      '--wait',
      '1',
    );
    assert.deepEqual(
      [...findings.values()].filter(({ level }) => level === 'problem'),
      [],
    );
    assert.equal(status, 0);
  });
});

describe('turnwire doctor behind haproxy', needs('haproxy'), () => {
  test('with a short timeout tunnel, finds that an idle WebSocket is ended', async (t) => {
    await using emulator = await startEmulator();
    const port = await startMiddlebox(
      t,
      'haproxy',
      ({ port }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1s
listen all
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${emulator.port}
`,
    );
    const { status, findings } = await examine(`http://127.0.0.1:${port}/v1`, '--wait', '20');
    assert.equal(status, 1);
    assert.match(findings.get('idle')?.advice ?? '', /timeout tunnel \(haproxy\)/);
  });
});

describe('turnwire doctor behind squid', needs('squid'), () => {
  test('without a tunnel to the port, names the proxy and what it refuses', async (t) => {
    const port = await startMiddlebox(
      t,
      'squid',
      ({ port, folder }) => `
http_port 127.0.0.1:${port}
pid_filename ${folder}/pid
cache_log ${folder}/log
access_log none
coredump_dir ${folder}
cache deny all
shutdown_lifetime 0 seconds
acl SSL_ports port 443
acl CONNECT method CONNECT
http_access deny CONNECT !SSL_ports
http_access allow all
`,
    );
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    const { status, findings } = await examine('https://gateway.invalid:8443/v1', { env });
    assert.equal(status, 1);
    assert.match(findings.get('proxy')?.text ?? '', /names the proxy http:\/\/127\.0\.0\.1:/);
    assert.match(findings.get('proxy-tunnel')?.text ?? '', /refuses a tunnel to gateway\.invalid:8443 \(status 403\)/);
    assert.match(findings.get('proxy-tunnel')?.advice ?? '', /SSL_ports/);
  });
});
