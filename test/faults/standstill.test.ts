// B6: a process that was stopped, as a lid that is closed stops it, trusts no connection from before.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { serve } from './model/serve.js';
import { Service } from './model/service.js';
import { Relay } from './server/relay.js';
import { FaultServer } from './server/server.js';

const child = fileURLToPath(new URL('process/standstill.js', import.meta.url));

/** Ten times as much for its client. */
const stoppedMs = 1000;

test(
  'B6: after SIGSTOP the next turn goes out whole, on a fresh connection, in one attempt',
  { timeout: 20_000, skip: process.platform === 'win32' },
  async ({ signal }) => {
    const server = await FaultServer.start(serve({ service: new Service() }));
    const relay = await Relay.start(server.url);
    const program = spawn(process.execPath, [child, relay.url], {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 15_000,
    });
    try {
      await once(program.stdout, 'data', { signal });
      program.kill('SIGSTOP');
      relay.forget();
      await new Promise((resolve) => setTimeout(resolve, stoppedMs));
      const begun = performance.now();
      program.kill('SIGCONT');
      const [said] = (await once(program.stdout, 'data', { signal })) as [Buffer];
      assert.deepEqual(JSON.parse(said.toString()), ['full', 1]);
      assert.ok(performance.now() - begun < 3000, 'it took too long');
      assert.deepEqual(
        server.peers.map(({ creates }) => creates.map((create) => create['previous_response_id'])),
        [[undefined], [undefined]],
      );
      if (program.exitCode === null) await once(program, 'exit', { signal });
      assert.equal(program.exitCode, 0);
    } finally {
      program.kill('SIGKILL');
      relay.close();
      await server.close();
    }
  },
);
