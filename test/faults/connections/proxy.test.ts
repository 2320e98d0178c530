// A10, A11, K4, N1, N3: everything goes by the proxy that is configured, or not at all.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { authority, client as ofClient, elsewhere, server as ofServer } from '../server/certificates.js';
import { reply } from '../server/events.js';
import { ProxyServer } from '../server/proxy.js';
import { eventually, read, scenario } from '../scenario.js';
import type { AddressInfo } from 'node:net';
import type { Client, ClientOptions, NetworkOptions } from '@turnwire/client';
import type { Asked, ProxyScript } from '../server/proxy.js';
import type { Scenario, ScenarioOptions } from '../scenario.js';
import type { Script } from '../server/peer.js';
import type { FaultServer } from '../server/server.js';

const question = { model: 'test', input: 'hi' };
const good: Script = {
  create: (peer, _create, count) => peer.events(...reply(`resp_${count}`, 'by websocket')),
  post: (peer) => {
    peer.stream();
    peer.sse(...reply(`resp_post_${peer.posts.length}`, 'by sse'));
    peer.endStream();
  },
};
const secret = 'pässword-sentinel';
const credentials = `user:${encodeURIComponent(secret)}`;
const authorization = `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`;

interface Way {
  proxy: ProxyServer;
  server: FaultServer;
  client: Client;
  open: Scenario['open'];
}

/** A server, a proxy, and a client that knows the server by a name that only the proxy can find. */
function byProxy(
  name: string,
  {
    script = good,
    proxy: ofProxy = {},
    user,
    ...options
  }: ClientOptions & { script?: Script; proxy?: ProxyScript; user?: string },
  run: (way: Way) => Promise<void>,
  more?: ScenarioOptions,
): void {
  const go = async ({ server, open }: Scenario): Promise<void> => {
    const proxy = await ProxyServer.start(ofProxy);
    const network: NetworkOptions = {
      proxy: proxy.url(user),
      allowPlaintext: true,
      ca: authority,
      lookup: (host, _options, callback) => callback(new Error(`${host} was looked up here`), []),
      ...options.network,
    };
    const baseUrl = server.url.replace('127.0.0.1', 'origin.test');
    const client = open({ ...options, baseUrl, network });
    try {
      await run({ proxy, server, client, open });
    } finally {
      client.destroy();
      await proxy.close();
    }
    for (const { remotePort } of server.peers) assert.ok(proxy.ports.has(remotePort ?? -1), 'a direct connection');
    assert.equal(proxy.others, 0);
    for (const { heads } of server.peers)
      for (const { headers } of heads) assert.equal(headers['proxy-authorization'], undefined);
  };
  scenario(name, script, {}, go, more);
}

describe('HTTP proxy', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    for (const [kind, tls] of [
      ['ws: and http:', undefined],
      ['wss: and https:', ofServer],
    ] as const) {
      for (const [proxyKind, ofProxy] of [
        ['an http proxy', {}],
        ['an https proxy', { tls: ofServer }],
      ] as const) {
        byProxy(
          `A10, A11, ${transport}, ${kind} by ${proxyKind}: three turns in one tunnel`,
          { transport, proxy: ofProxy, script: { ...good, ...(tls && { tls }) }, user: credentials },
          async ({ proxy, server, client }) => {
            for (let turn = 0; turn < 3; turn += 1)
              assert.equal((await read(client.turn(question))).text, `by ${transport}`);
            assert.equal(server.peers.length, 1);
            const target = `origin.test:${server.port}`;
            assert.deepEqual(
              proxy.asked.map(({ target, headers }) => ({ target, headers })),
              [{ target, headers: { host: target, 'proxy-authorization': authorization } }],
            );
            if (tls !== undefined)
              assert.equal((server.peer(1).socket as { servername?: unknown }).servername, 'origin.test');
            assert.equal(server.peer(1).heads[0]?.headers['authorization'], 'Bearer sk-test-sentinel');
            assert.equal(server.peer(1).heads[0]?.headers['host'], target);
          },
        );
      }
    }
  }

  byProxy(
    'K4: the fallback to SSE also goes through the proxy',
    { script: { ...good, upgrade: (peer) => peer.http(426) } },
    async ({ proxy, server, client }) => {
      assert.equal((await read(client.turn(question))).text, 'by sse');
      assert.deepEqual([server.upgrades, server.posts, proxy.asked.length], [1, 1, 2]);
    },
  );

  byProxy(
    'A10: a proxy that goes away is not bypassed',
    { script: { ...good, upgrade: (peer) => peer.http(426) } },
    async ({ proxy, server, client }) => {
      assert.equal((await read(client.turn(question))).text, 'by sse');
      await proxy.close();
      await Promise.all(server.peers.map((peer) => peer.ended));
      const { error } = await read(client.turn(question));
      assert.equal(error?.code, 'proxy_failed');
      assert.match(error.message, /^the proxy http:\/\/127\.0\.0\.1:\d+ could not be used: ECONNREFUSED/);
      assert.equal(error.retryable, true);
      assert.equal(server.peers.length, 2);
    },
  );

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    for (const [user, sentence] of [
      [undefined, /asks for credentials \(407\): http:\/\/user:password@host:port has them$/],
      [credentials, /does not take the credentials in its address \(407\)/],
    ] as const) {
      byProxy(
        `A11, N1, ${transport}: 407 ${user === undefined ? 'without' : 'with'} credentials is asked once, and tells no secret`,
        {
          transport,
          user: user ?? '',
          proxy: {
            connect: ({ socket }) =>
              socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
          },
        },
        async ({ proxy, server, client }) => {
          const turn = client.turn(question);
          const { error } = await read(turn);
          assert.equal(error?.code, 'proxy_failed');
          assert.equal(error.status, 407);
          assert.equal(error.phase, 'queued');
          assert.equal(error.retryable, false);
          assert.match(error.message, sentence);
          assert.deepEqual([proxy.asked.length, server.peers.length, turn.report.attempts.length], [1, 0, 1]);
          const said = inspect([error, turn, turn.report, client], { depth: 20, showHidden: true, getters: true });
          assert.doesNotMatch(said, /sentinel|dXNlcjpw|sk-test/);
        },
      );
    }
  }

  /** What a proxy may do instead of opening a tunnel. */
  const refusals: Record<string, { connect: (asked: Asked) => void; says: RegExp; retryable: boolean }> = {
    'refuses the target': {
      connect: ({ socket }) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n<html>'),
      says: /opens no tunnel to origin\.test:\d+ \(403\)$/,
      retryable: false,
    },
    'cannot reach the target': {
      connect: ({ socket }) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'),
      says: /\(502\)$/,
      retryable: true,
    },
    'answers with a redirect': {
      connect: ({ socket }) => socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n'),
      says: /\(302\)$/,
      retryable: false,
    },
    'answers in another language': {
      connect: ({ socket }) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
      says: /its answer to CONNECT is not HTTP$/,
      retryable: true,
    },
    'answers without end': {
      connect: ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}`),
      says: /has no end within 16384 bytes$/,
      retryable: true,
    },
    'hangs up': {
      connect: ({ socket }) => socket.end(),
      says: /it hung up without an answer to CONNECT$/,
      retryable: true,
    },
    'hangs up in the middle': {
      connect: ({ socket }) => socket.end('HTTP/1.1 200 OK\r\n'),
      says: /it hung up without an answer to CONNECT$/,
      retryable: true,
    },
  };
  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    for (const [name, { connect, says, retryable }] of Object.entries(refusals)) {
      byProxy(
        `A11, ${transport}, a proxy that ${name}: one error, nothing sent`,
        { transport, proxy: { connect } },
        async (way) => {
          const { error } = await read(way.client.turn(question));
          assert.equal(error?.code, 'proxy_failed');
          assert.match(error.message, says);
          assert.equal(error.retryable, retryable);
          assert.deepEqual([way.proxy.asked.length, way.server.peers.length], [1, 0]);
          await eventually('no connection to the proxy is left', () => way.proxy.open === 0);
        },
      );
    }

    byProxy(
      `A11, ${transport}, a silent proxy: the dial ends at its limit`,
      { transport, proxy: { connect: ({ socket }) => void socket.resume() }, timeouts: { dialMs: 200 } },
      async ({ proxy, server, client }) => {
        const { error } = await read(client.turn(question));
        assert.equal(error?.code, 'dial_timeout');
        assert.match(
          error.message,
          /^http:\/\/origin\.test:\d+ through the proxy http:\/\/127\.0\.0\.1:\d+ did not answer/,
        );
        assert.equal(server.peers.length, 0);
        await eventually('no connection to the proxy is left', () => proxy.open === 0);
      },
    );

    byProxy(
      `A11, ${transport}, an abort while the proxy is silent leaves no socket behind`,
      { transport, proxy: { connect: ({ socket }) => void socket.resume() } },
      async ({ proxy, client }) => {
        const turn = client.turn(question);
        await eventually('it was asked', () => proxy.asked.length === 1);
        turn.cancel();
        assert.equal((await read(turn)).error?.code, 'aborted');
        await eventually('no connection to the proxy is left', () => proxy.open === 0);
      },
    );
  }

  const odd: Record<string, (asked: Asked) => void> = {
    'in pieces of one byte': ({ open }) => open(...Array.from('HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n')),
    'with another success than 200': ({ open }) => open('HTTP/1.0 204 No Content\r\n\r\n'),
    'without a reason': ({ open }) => open('HTTP/1.1 200\r\n\r\n'),
  };
  for (const transport of ['websocket', 'sse'] as const) {
    for (const [name, connect] of Object.entries(odd)) {
      byProxy(
        `A11, ${transport}, an answer ${name} opens the tunnel`,
        { transport, proxy: { connect } },
        async (way) => {
          assert.equal((await read(way.client.turn(question))).text, `by ${transport}`);
          assert.equal(way.proxy.asked.length, 1);
        },
      );
    }
  }

  byProxy(
    'A11: bytes in the same piece as the answer to CONNECT belong to the tunnel',
    {
      transport: 'sse',
      proxy: {
        connect: ({ socket }) => {
          const body = reply('resp_1', 'early')
            .map((event) => `data: ${JSON.stringify(event)}\n\n`)
            .join('');
          const head = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
          socket.write(`HTTP/1.1 200 Connection established\r\n\r\n${head}${body}`);
          socket.resume();
        },
      },
    },
    async ({ client }) => {
      assert.equal((await read(client.turn(question))).text, 'early');
    },
    { handwritten: true },
  );

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    for (const [name, proxy, network] of [
      ['is not trusted', { tls: ofServer }, { ca: ofClient.cert }],
      ['is for another host', { tls: elsewhere }, {}],
    ] as const) {
      byProxy(
        `A9, A11, ${transport}: a proxy whose certificate ${name} is told nothing`,
        { transport, proxy, network, user: credentials },
        async (way) => {
          const { error } = await read(way.client.turn(question));
          assert.equal(error?.code, 'proxy_failed');
          assert.equal(error.retryable, false);
          assert.match(error.message, /UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID/);
          assert.deepEqual([way.proxy.asked.length, way.server.peers.length], [0, 0]);
        },
      );
    }
  }

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    byProxy(
      `A6, A11, ${transport}: a target that is silent in the TLS handshake inside the tunnel: the dial ends at its limit`,
      { transport, timeouts: { dialMs: 200 } },
      async ({ server, proxy, open }) => {
        // Speaks no TLS, so it never answers a ClientHello.
        const client = open({
          baseUrl: server.url.replace('http:', 'https:'),
          transport,
          timeouts: { dialMs: 200 },
          network: { proxy: proxy.url() },
        });
        assert.equal((await read(client.turn(question))).error?.code, 'dial_timeout');
        await eventually('no tunnel is left', () => proxy.open === 0);
      },
    );
  }

  /** The environment, for as long as `run` takes. */
  async function withEnvironment(variables: Record<string, string>, run: () => Promise<void>): Promise<void> {
    const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, variables);
    try {
      await run();
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  }

  const lookup: NetworkOptions['lookup'] = (_host, _options, callback) => callback(null, '127.0.0.1', 4);
  for (const transport of ['websocket', 'sse'] as const) {
    for (const [name, variables, host, network, proxied] of [
      ['HTTP_PROXY', ['HTTP_PROXY'], 'origin.test', {}, true],
      ['all_proxy', ['all_proxy'], 'origin.test', {}, true],
      ['HTTP_PROXY and a NO_PROXY that fits', ['HTTP_PROXY', '.test'], 'origin.test', {}, false],
      ['HTTP_PROXY and a NO_PROXY that does not', ['HTTP_PROXY', 'other.test'], 'origin.test', {}, true],
      ['HTTP_PROXY and proxy: false', ['HTTP_PROXY'], 'origin.test', { proxy: false }, false],
      ['HTTP_PROXY and a loopback address', ['HTTP_PROXY'], '127.0.0.1', {}, false],
    ] as const) {
      scenario(`A10, ${transport}: ${name}`, good, {}, async ({ server, open }) => {
        await using proxy = await ProxyServer.start();
        const [variable, exempt] = variables;
        await withEnvironment({ [variable]: proxy.url(), ...(exempt && { NO_PROXY: exempt }) }, async () => {
          const client = open({
            baseUrl: server.url.replace('127.0.0.1', host),
            transport,
            network: { lookup, allowPlaintext: true, ...network },
          });
          assert.equal((await read(client.turn(question))).text, `by ${transport}`);
          client.destroy();
        });
        assert.equal(proxy.asked.length, proxied ? 1 : 0);
        assert.deepEqual(
          server.peers.map(({ remotePort }) => proxy.ports.has(remotePort ?? -1)),
          [proxied],
        );
      });
    }
  }

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    scenario(`A10, ${transport}: a proxy that does not listen is not bypassed`, good, {}, async ({ server, open }) => {
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      const { port } = closed.address() as AddressInfo;
      closed.close();
      await once(closed, 'close');
      const client = open({
        transport,
        network: { proxy: `http://127.0.0.1:${port}` },
      });
      assert.equal((await read(client.turn(question))).error?.code, 'proxy_failed');
      assert.equal(server.peers.length, 0);
    });
  }
});
