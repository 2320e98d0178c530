import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkConfig, startGateway } from '@turnwire/gateway';
import { createTestAuthority, startEmulator } from 'turnwire/emulator';
import type { TestContext } from 'node:test';
import type { ConfigInput } from '@turnwire/gateway';

interface Folder {
  files: { cert: string; key: string };
  /** Writes a certificate for these names, and its key. */
  write: (hosts: string[], expired?: boolean) => void;
  /** The certificate of the authority. */
  ca: string;
}

async function folder(t: TestContext): Promise<Folder> {
  const authority = await createTestAuthority();
  const path = mkdtempSync(join(tmpdir(), 'turnwire-gateway-'));
  t.after(() => rmSync(path, { recursive: true }));
  const files = { cert: join(path, 'cert.pem'), key: join(path, 'key.pem') };
  const write = (hosts: string[], expired = false): void => {
    const { cert, key } = authority.issue({ hosts, expired });
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
  };
  write(['localhost', '127.0.0.1']);
  return { files, write, ca: authority.cert };
}

const upstream = { base_url: 'http://127.0.0.1:9/v1' };

describe('gateway: TLS', () => {
  test('serves https and wss, and a reload takes another certificate', async (t) => {
    const { files, write, ca } = await folder(t);
    const emulator = await startEmulator();
    const gateway = await startGateway({
      config: { listen: { port: 0, tls: files }, upstream: { base_url: emulator.url } },
      onWarning: () => {},
    });
    t.after(async () => {
      gateway.destroy();
      await emulator.close();
    });
    assert.match(gateway.url, /^https:/);
    const livez = (servername: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const options = {
          ca,
          port: gateway.port,
          host: '127.0.0.1',
          path: '/livez',
          servername,
          agent: false as const,
        };
        get(options, (response) => resolve(response.resume().statusCode)).on('error', reject);
      });
    assert.equal(await livez('localhost'), 200);
    write(['gateway.example']);
    await gateway.reload();
    assert.equal(await livez('gateway.example'), 200);
    await assert.rejects(livez('localhost'), /ERR_TLS_CERT_ALTNAME_INVALID|altnames/);
    writeFileSync(files.key, 'no key');
    await assert.rejects(gateway.reload(), /has no private key in PEM/);
    assert.equal(await livez('gateway.example'), 200);
  });
});

describe('gateway: files of TLS that cannot be used', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  for (const [name, file, text, expected] of [
    [
      'the key of another certificate',
      'key',
      privateKey.export({ type: 'pkcs8', format: 'pem' }),
      /listen\.tls\.key: .*key\.pem is not the key of the first certificate in .*cert\.pem/,
    ],
    [
      'a key with a passphrase',
      'key',
      privateKey.export(encrypted),
      /listen\.tls\.key: .*key\.pem has a passphrase, .*: give the key without one/,
    ],
    ['a file without a key', 'key', 'no key', /listen\.tls\.key: .*key\.pem has no private key in PEM/],
    [
      'a file without a certificate',
      'cert',
      'no certificate',
      /listen\.tls\.cert: .*cert\.pem has no certificate in PEM/,
    ],
    ['a file that is not there', 'cert', undefined, /listen\.tls\.cert: .*cert\.pem cannot be read \(ENOENT\)/],
  ] as const) {
    test(`are told by one sentence, at a check as at the start: ${name}`, async (t) => {
      const { files } = await folder(t);
      if (text === undefined) rmSync(files[file]);
      else writeFileSync(files[file], text);
      const config: ConfigInput = { listen: { port: 0, tls: files }, upstream };
      for (const use of [checkConfig, startGateway])
        await assert.rejects(use({ config }), ({ message }: Error) => {
          assert.match(message, expected);
          assert.doesNotMatch(message, /\n|error:/);
          return true;
        });
    });
  }

  test('are reported where their certificate has expired', async (t) => {
    const { files, write } = await folder(t);
    write(['localhost'], true);
    const warnings: string[] = [];
    await checkConfig({
      config: { listen: { port: 0, tls: files }, upstream },
      onWarning: (warning) => warnings.push(warning),
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cert\.pem has expired \(.* GMT\): clients refuse it/);
  });
});

describe('gateway: a connection over TLS', () => {
  test('ends after limits.head_ms where its handshake does not come', { timeout: 60_000 }, async (t) => {
    const { files } = await folder(t);
    const gateway = await startGateway({
      config: { listen: { port: 0, tls: files }, upstream, limits: { head_ms: 100 } },
      onWarning: () => {},
    });
    t.after(() => gateway.destroy());
    const socket = connect(gateway.port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket.resume(), 'close');
  });

  test('stays one without TLS after a reload, which says so', async (t) => {
    const { files } = await folder(t);
    const path = join(files.cert, '..', 'gateway.yaml');
    const write = (listen: object): void => writeFileSync(path, JSON.stringify({ listen, upstream }));
    write({ port: 0 });
    const warnings: string[] = [];
    const gateway = await startGateway({ config: path, onWarning: (warning) => warnings.push(warning) });
    t.after(() => gateway.destroy());
    write({ port: 0, tls: files });
    await gateway.reload();
    assert.match(warnings.join(), /needs a restart/);
  });
});
