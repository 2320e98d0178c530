// J1, A10: with nothing but the environment, a process gets through a proxy, and ends by itself although its tunnel is still open.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { authority, server as ofServer } from '../server/certificates.js';
import { reply } from '../server/events.js';
import { ProxyServer } from '../server/proxy.js';
import { FaultServer } from '../server/server.js';

const child = fileURLToPath(new URL('../process/child.js', import.meta.url));

describe('process behind a proxy', () => {
  for (const transport of ['websocket', 'sse']) {
    for (const [name, tls] of [
      ['http', undefined],
      ['https', ofServer],
    ] as const) {
      test(`J1, A10, ${transport}: one turn by an ${name} proxy, and no close()`, { timeout: 20_000 }, async (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'turnwire-'));
        t.after(() => rmSync(folder, { recursive: true }));
        writeFileSync(join(folder, 'ca.pem'), authority);
        const server = await FaultServer.start({
          tls: ofServer,
          create: (peer) => peer.events(...reply('resp_1', 'done')),
          post: (peer) => {
            peer.stream();
            peer.sse(...reply('resp_1', 'done'));
            peer.endStream();
          },
        });
        const proxy = await ProxyServer.start(tls === undefined ? {} : { tls });
        const program = spawn(
          process.execPath,
          [child, 'one turn', server.url.replace('127.0.0.1', 'origin.test'), transport],
          {
            stdio: ['ignore', 'pipe', 'inherit'],
            timeout: 15_000,
            env: { ...process.env, https_proxy: proxy.url(), NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
          },
        );
        let said = '';
        let last = performance.now();
        program.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString('utf8');
          last = performance.now();
        });
        const [code] = (await once(program, 'close')) as [unknown];
        const idleMs = performance.now() - last;
        await proxy.close();
        await server.close();
        assert.deepEqual({ said, code }, { said: 'done', code: 0 });
        assert.equal(proxy.asked.length, 1);
        assert.ok(idleMs < 2000, `it took ${idleMs} ms`);
      });
    }
  }
});
