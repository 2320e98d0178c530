// Go with gorilla's WebSocket, as Debian ships both (golang-go, golang-github-gorilla-websocket-dev), through the gateway.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../gateway/foreign/run.js';
import { assertLoop, assertUndisturbed } from '../gateway/foreign/tool-loop.js';

const source = fileURLToPath(new URL('../../test/clients/programs/tool_loop.go', import.meta.url));
const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };
const isInstalled = spawnSync('go', ['list', 'github.com/gorilla/websocket'], { env, stdio: 'ignore' }).status === 0;
const row = 'Go, `gorilla/websocket`: by id, `store: false`';

describe('gateway: Go', { skip: !isInstalled && 'Go and its gorilla/websocket are not installed' }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnwire-go-'));
    const built = spawnSync('go', ['build', '-o', join(folder, 'loop'), source], {
      env: { ...env, GOCACHE: join(folder, 'cache') },
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(built.stderr);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const loop = (url: string): Promise<string> => run(join(folder, 'loop'), [url]);

  test(row, (t) => assertLoop(t, row, loop));

  test('does not notice chains and sockets that the upstream loses', (t) => assertUndisturbed(t, loop));
});
