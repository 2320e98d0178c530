// B6, Q14: a process that was stopped, as a lid that is closed stops it, trusts no connection from before, and blames nobody for its own silence.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { serve } from '../model/serve.js';
import { Service } from '../model/service.js';
import { Relay } from '../server/relay.js';
import { FaultServer } from '../server/server.js';
import { reply } from '../server/events.js';
import type { Json } from '../server/events.js';

const child = fileURLToPath(new URL('../process/standstill.js', import.meta.url));

/** Ten times as much for its client. */
const stoppedMs = 1000;

describe('a process that stood still', () => {
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

  const blocked = fileURLToPath(new URL('../process/blocked.js', import.meta.url));
  const limitMs = 400;
  const blockedMs = 1000;

  for (const moment of ['dialMs', 'firstEventMs', 'idleMs', 'queueMs'] as const) {
    test(
      `Q14: events that arrived while the event loop was blocked count, although timeouts.${moment} had passed by then`,
      { timeout: 20_000 },
      async ({ signal }) => {
        let answers = 0;
        /** Half of it at once, the rest while the client cannot read. */
        const answer = (send: (...events: Json[]) => void): void => {
          answers += 1;
          const [first, ...rest] = reply(`resp_${answers}`, 'heard');
          if (first === undefined) return;
          const wait = moment === 'idleMs' ? 0 : limitMs / 2;
          setTimeout(() => send(first), wait);
          setTimeout(() => send(...rest), limitMs / 2);
        };
        const server = await FaultServer.start({
          create: (peer) => answer((...events) => peer.events(...events)),
          post: (peer) => {
            peer.stream();
            answer((...events) => {
              peer.sse(...events);
              if (events.length > 1) peer.endStream();
            });
          },
        });
        const program = spawn(process.execPath, [blocked, server.url, moment, String(limitMs), String(blockedMs)], {
          stdio: ['ignore', 'pipe', 'inherit'],
          timeout: 15_000,
        });
        try {
          let said = '';
          program.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
          await once(program, 'close', { signal });
          const each = moment === 'queueMs' ? 'heard,heard' : 'heard';
          assert.deepEqual(
            JSON.parse(said),
            Array.from({ length: moment === 'queueMs' ? 2 : 4 }, () => each),
          );
        } finally {
          program.kill('SIGKILL');
          await server.close();
        }
      },
    );
  }
});
