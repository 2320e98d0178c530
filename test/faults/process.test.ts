// J1, J2: a process ends by itself, and not before its turns have.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { completed, created, delta, reply } from './server/events.js';
import { FaultServer } from './server/server.js';
import type { Json } from './server/events.js';
import type { Peer, Script } from './server/peer.js';

const child = fileURLToPath(new URL('process/child.js', import.meta.url));

/** What the child printed, its exit code, and how long after its last output it ended. */
async function run(
  what: string,
  script: Script,
  transport: string,
): Promise<{ said: string; code: unknown; idleMs: number }> {
  const server = await FaultServer.start(script);
  const program = spawn(process.execPath, [child, what, server.url, transport], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 15_000,
  });
  let said = '';
  let last = performance.now();
  program.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
    last = performance.now();
  });
  const [code] = (await once(program, 'close')) as [unknown];
  const idleMs = performance.now() - last;
  await server.close();
  return { said, code, idleMs };
}

/** The answer to a request, over either transport, `ms` later. */
function answering(events: (count: number) => Json[], ms = 0): Script {
  const later = (run: () => void): void => void (ms === 0 ? run() : setTimeout(run, ms));
  return {
    create: (peer, _create, count) => later(() => peer.events(...events(count))),
    post: (peer: Peer) =>
      later(() => {
        peer.stream();
        peer.sse(...events(1));
        peer.endStream();
      }),
  };
}
const good = (count: number): Json[] => reply(`resp_${count}`, 'done');

describe('a process with a client', () => {
  for (const transport of ['websocket', 'sse']) {
    test(`${transport}, one turn and no close(): the process ends by itself`, { timeout: 20_000 }, async () => {
      const { said, code, idleMs } = await run('one turn', answering(good), transport);
      assert.deepEqual({ said, code }, { said: 'done', code: 0 });
      assert.ok(idleMs < 2000, `it took ${idleMs} ms`);
    });

    test(`${transport}, the process waits for a slow turn`, { timeout: 20_000 }, async () => {
      const { said, code } = await run('slow turn', answering(good, 700), transport);
      assert.deepEqual({ said, code }, { said: 'done', code: 0 });
    });

    test(
      `${transport}, the process waits for a key that never comes, within its limit`,
      { timeout: 20_000 },
      async () => {
        const { said, code } = await run('key', {}, transport);
        assert.deepEqual({ said, code }, { said: 'credential_failed', code: 0 });
      },
    );

    test(
      `${transport}, a turn nobody reads ends within its limit, and with it the process`,
      { timeout: 20_000 },
      async () => {
        const flood = [
          created('resp_1'),
          ...Array.from({ length: 300 }, () => delta('x'.repeat(10_000))),
          completed('resp_1'),
        ];
        const { said, code } = await run(
          'unread',
          answering(() => flood),
          transport,
        );
        assert.deepEqual({ said, code }, { said: 'unread_timeout', code: 0 });
      },
    );
  }

  test('the process does not end while a turn waits for a connection', { timeout: 20_000 }, async () => {
    const { said, code } = await run('two at once', answering(good, 300), 'websocket');
    assert.deepEqual({ said, code }, { said: 'done,done', code: 0 });
  });

  test('the process ends after a refusal, too', { timeout: 20_000 }, async () => {
    const refuse = { upgrade: (peer: Peer): void => peer.http(500) };
    const { said, code } = await run('refused', refuse, 'websocket');
    assert.deepEqual({ said, code }, { said: 'upgrade_refused', code: 0 });
  });

  test(
    'an error thrown by a warning callback is an uncaught exception of the process, and ends no turn',
    { timeout: 20_000 },
    async () => {
      const script: Script = { ...answering(good), upgrade: (peer) => peer.http(426) };
      const { said, code } = await run('callback', script, 'auto');
      assert.deepEqual({ said, code }, { said: 'mine,done', code: 0 });
    },
  );
});
