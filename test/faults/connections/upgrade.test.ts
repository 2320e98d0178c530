// A1, A2, A6, A12, K2, K3, N2, O2, W13: the upgrade is refused, not answered, or answered wrongly.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { acceptSilent } from '../server/admission.js';
import { reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { Peer, Script } from '../server/peer.js';

const bodies: readonly { kind: string; body: string; type: string }[] = [
  { kind: 'JSON', body: '{"error":{"message":"no such thing","code":"nope"}}', type: 'application/json' },
  { kind: 'HTML', body: '<!doctype html><h1>Bad</h1>', type: 'text/html' },
  { kind: 'empty', body: '', type: 'text/plain' },
  { kind: '2 MB', body: `<p>${'x'.repeat(2_000_000)}</p>`, type: 'text/html' },
];

const bySse: NonNullable<Script['post']> = (peer) => {
  peer.stream();
  peer.sse(...reply(`resp_${peer.number}_${peer.posts.length}`, 'by sse'));
  peer.endStream();
};

describe('upgrade', () => {
  for (const status of [200, 204, 400, 403, 404, 405, 408, 425, 426, 429, 500, 501, 502, 503, 504]) {
    for (const { kind, body, type } of status === 204 ? bodies.slice(2, 3) : bodies) {
      const upgrade = (peer: Peer): void => peer.http(status, body, { 'content-type': type });
      scenario(
        `A1, A2, upgrade ${status}, ${kind}: auto takes SSE in the same turn, websocket surfaces`,
        { upgrade, post: bySse },
        { recovery: { refusals: 'surface' } },
        async ({ server, client, warnings }) => {
          const turn = client.turn({ model: 'test', input: 'hi' });
          assert.equal((await read(turn)).text, 'by sse');
          assert.equal(server.upgrades, 1);
          assert.equal(server.posts, 1);
          assert.equal(warnings.length, 1);
          assert.match(warnings[0] ?? '', new RegExp(`\\(${status}`));
          assert.doesNotMatch(warnings[0] ?? '', /</);
          assert.equal(turn.report.transport, 'sse');
          assert.equal(turn.report.attempts.length, 2);

          const { error } = await read(client.turn({ model: 'test', input: 'hi' }, { transport: 'websocket' }));
          assert.equal(error?.code, 'upgrade_refused');
          assert.equal(error.status, status);
          assert.equal(error.phase, 'queued');
          assert.doesNotMatch(error.message, /</);
          assert.ok(error.message.length < 300);
          assert.equal(error.server?.code, kind === 'JSON' ? 'nope' : undefined);
          assert.equal(server.upgrades, 2);
          assert.equal(server.posts, 1);
          assert.equal(warnings.length, 1);
        },
        // After a 403 or a 429 dials are a second apart.
        { quick: true },
      );
    }
  }

  for (const status of [401, 402, 407, 301, 302, 307, 308]) {
    scenario(
      `upgrade ${status}: surfaces also in auto, and the key is sent nowhere else`,
      {
        upgrade: (peer) =>
          peer.http(status, '{"error":{"message":"no"}}', { location: 'http://127.0.0.1:9/elsewhere' }),
        post: bySse,
      },
      {},
      async ({ server, client, warnings }) => {
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(error?.code, 'upgrade_refused');
        assert.equal(error.status, status);
        assert.equal(error.retryable, false);
        assert.equal(server.upgrades, 1);
        assert.equal(server.posts, 0);
        assert.deepEqual(warnings, []);
      },
    );
  }

  /** Statuses that say: not now. What they are asked again with, and after which wait. */
  for (const [status, headers, leastMs, mostMs] of [
    [503, {}, 375, 500],
    [429, { 'retry-after': '2' }, 2000, 2200],
    [403, {}, 3000, 4000],
  ] as const) {
    scenario(
      `A4, A5, upgrade ${status} in websocket: dialled once more after a wait`,
      {
        upgrade: (peer) => (peer.number === 1 ? peer.http(status, '<h1>No</h1>', headers) : peer.accept()),
        create: (peer) => peer.events(...reply('resp_1', 'by websocket')),
      },
      { transport: 'websocket' },
      async ({ client, server }) => {
        const turn = client.turn({ model: 'test', input: 'hi' });
        assert.equal((await read(turn)).text, 'by websocket');
        const [first] = turn.report.attempts;
        assert.equal(first?.recovery, 'retry');
        assert.ok(first.delayMs >= leastMs && first.delayMs <= mostMs, `${first.delayMs} ms`);
        assert.deepEqual([server.upgrades, server.creates], [2, 1]);
      },
      { quick: true },
    );
  }

  for (const [status, dials] of [
    // A throttle that holds after a wait is none; what passes is tried up to `recovery.maxAttempts`.
    [403, 2],
    [503, 4],
  ] as const) {
    scenario(
      `A4, A5, C6, upgrade ${status} each time in websocket: surfaces after ${dials} dials`,
      { upgrade: (peer) => peer.http(status, '<h1>No</h1>') },
      { transport: 'websocket' },
      async ({ client, server }) => {
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.deepEqual([error?.code, error?.status], ['upgrade_refused', status]);
        assert.deepEqual([server.upgrades, server.posts], [dials, 0]);
      },
      { quick: true },
    );
  }

  /** Upgrades that never end, and what is wrong with them. */
  const stalls: Record<string, (peer: Peer) => void> = {
    silence: acceptSilent,
    'a 101 without its last line': (peer) => peer.raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'),
    'a 101 that drips': (peer) => {
      const text = 'HTTP/1.1 101 Switching Protocols\r\n';
      let at = 0;
      const drip = setInterval(() => peer.raw(text.charAt(at++ % text.length)), 50);
      void peer.ended.then(() => clearInterval(drip));
    },
  };

  for (const [name, upgrade] of Object.entries(stalls)) {
    scenario(
      `A6, upgrade, ${name}: the dial ends at its limit`,
      { upgrade, post: bySse },
      { timeouts: { dialMs: 200 } },
      async ({ server, client, warnings }) => {
        assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'by sse');
        assert.deepEqual([server.upgrades, server.posts, warnings.length], [1, 1, 1]);
        assert.match(warnings[0] ?? '', /within 200 ms \(timeouts\.dialMs\)/);
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }, { transport: 'websocket' }));
        assert.equal(error?.code, 'dial_timeout');
        assert.equal(error.retryable, true);
      },
    );
  }

  scenario(
    'a refusal whose body never ends still counts as a refusal',
    {
      upgrade: (peer) =>
        peer.raw('HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"error"'),
    },
    { transport: 'auto' },
    async ({ client, server }) => {
      const begun = performance.now();
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'upgrade_refused');
      assert.equal(error.status, 401);
      assert.equal(server.posts, 0);
      assert.ok(performance.now() - begun < 1500, 'the body was waited for');
    },
    { quick: true },
  );

  /** Answers with 101 that no WebSocket client may accept. */
  const wrong: Record<string, (peer: Peer) => void> = {
    'a wrong Sec-WebSocket-Accept': (peer) =>
      peer.raw(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n',
      ),
    'no Sec-WebSocket-Accept': (peer) =>
      peer.raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    'no Upgrade header': (peer) =>
      peer.raw('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n'),
    'another Upgrade header': (peer) =>
      peer.raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
    'a subprotocol that was not asked for': (peer) => peer.accept(undefined, 'Sec-WebSocket-Protocol: chat\r\n'),
    'an extension that was not asked for': (peer) =>
      peer.accept(undefined, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
    'a window that no deflate has': (peer) =>
      peer.accept(undefined, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n'),
    'an extension header that is none': (peer) => peer.accept(undefined, 'Sec-WebSocket-Extensions: ;;=\r\n'),
  };
  for (const [name, upgrade] of Object.entries(wrong)) {
    scenario(
      `A12, 101 with ${name}: auto takes SSE, websocket surfaces`,
      { upgrade, post: bySse },
      { timeouts: { dialMs: 1000 }, recovery: { refusals: 'surface' } },
      async ({ client, server, warnings }) => {
        assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'by sse');
        assert.deepEqual([server.upgrades, server.posts, warnings.length], [1, 1, 1]);
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }, { transport: 'websocket' }));
        // Without the Upgrade header it is an answer like any other, by the client's HTTP parser.
        assert.match(error?.code ?? '', /^(dial_failed|upgrade_refused)$/);
        assert.equal(client.stats.connections, 0);
      },
    );
  }

  scenario(
    'the error of a failed fallback has the first failure as its cause',
    {
      upgrade: (peer) => peer.http(426),
      post: (peer) => peer.http(404, '{"error":{"message":"no such model","code":"model_not_found"}}'),
    },
    {},
    async ({ client, server }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'request_refused');
      assert.equal(error.status, 404);
      assert.equal(error.server?.code, 'model_not_found');
      assert.equal((error.cause as { code?: string }).code, 'upgrade_refused');
      assert.deepEqual([server.upgrades, server.posts], [1, 1]);
    },
  );

  scenario(
    'the error of a fallback that is cut each time has the last and the first cause in its chain',
    { upgrade: (peer) => peer.http(426), post: (peer) => peer.rst() },
    {},
    async ({ client, server }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      const codes: unknown[] = [];
      for (let at: unknown = error; at instanceof Error; at = at.cause) codes.push((at as { code?: unknown }).code);
      assert.deepEqual(codes, ['connection_lost', 'ECONNRESET', 'upgrade_refused']);
      assert.deepEqual([server.upgrades, server.posts], [1, 2]);
    },
  );

  scenario(
    'transport sse never dials a WebSocket',
    { post: bySse },
    { transport: 'sse' },
    async ({ client, server }) => {
      for (let turn = 0; turn < 3; turn += 1)
        assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'by sse');
      assert.deepEqual([server.upgrades, server.posts, client.stats.dialled], [0, 3, 0]);
    },
  );
});
