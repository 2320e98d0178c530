// A7, A8, N5, N20: names, their addresses, and what is tried.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { authority, server as ofServer } from '../server/certificates.js';
import { reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { ClientOptions, NetworkOptions } from '@turnwire/client';
import type { Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const good: Script = {
  create: (peer) => peer.events(...reply('resp_1', 'fine')),
  post: (peer) => {
    peer.stream();
    peer.sse(...reply('resp_1', 'fine'));
    peer.endStream();
  },
};
type Lookup = NonNullable<NetworkOptions['lookup']>;

/** The server by a name, and a lookup that the test plays. */
function byName(url: string, options: ClientOptions, lookup: Lookup): ClientOptions {
  const network = { allowPlaintext: true, ca: authority, ...options.network, lookup };
  return { ...options, baseUrl: url.replace('127.0.0.1', 'origin.test'), network };
}

/** Which address a server that listens on 127.0.0.1 has besides: one that refuses, and one from which nothing comes back. */
const dead: Record<string, string> = { 'that refuses': '::1', 'that is a black hole': '2001:db8::1' };

describe('addresses of a host', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    for (const tls of [undefined, ofServer]) {
      for (const [name, address] of Object.entries(dead)) {
        scenario(
          `A7, ${transport}${tls === undefined ? '' : ' over TLS'}: an IPv6 address ${name} costs less than a second`,
          { ...good, ...(tls && { tls }) },
          {},
          async ({ server, open }) => {
            const asked: unknown[] = [];
            const client = open(
              byName(server.url, { transport }, (host, { all }, callback) => {
                asked.push([host, all]);
                callback(null, [
                  { address, family: 6 },
                  { address: '127.0.0.1', family: 4 },
                ]);
              }),
            );
            const begun = performance.now();
            assert.equal((await read(client.turn(question))).text, 'fine');
            assert.ok(performance.now() - begun < 1000, `it took ${performance.now() - begun} ms`);
            assert.deepEqual(asked, [['origin.test', true]]);
          },
        );
      }
    }

    scenario(
      `A7, ${transport}: a lookup that answers with a single address is enough`,
      good,
      {},
      async ({ server, open }) => {
        const client = open(
          byName(server.url, { transport }, (_host, _options, callback) => {
            callback(null, '127.0.0.1', 4);
            callback(null, '127.0.0.2', 4);
          }),
        );
        assert.equal((await read(client.turn(question))).text, 'fine');
      },
    );
  }

  const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`getaddrinfo ${code}`), { code });
  /** What a lookup may answer instead of an address. */
  const nothings: readonly (readonly [string, ...unknown[]])[] = [
    ['an empty list', []],
    ['nothing', undefined],
    ['an empty string', ''],
    ['a name', 'elsewhere.test', 4],
    ['a list of what is no address', [null, { address: 5, family: 4 }, { address: '300.1.1.1', family: 4 }]],
  ];
  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    scenario(
      `A8, ${transport}: EAI_AGAIN is looked up once more, and its error is retryable`,
      good,
      {},
      async ({ server, open }) => {
        let asked = 0;
        const client = open(
          byName(server.url, { transport }, (_host, _options, callback) => {
            asked += 1;
            callback(failure('EAI_AGAIN'), []);
          }),
        );
        const { error } = await read(client.turn(question));
        assert.equal(error?.code, 'dial_failed');
        assert.equal(error.retryable, true);
        assert.match(
          error.message,
          /^http:\/\/origin\.test:\d+ could not be reached: EAI_AGAIN \(the name server did not answer\)$/,
        );
        // In auto the fallback is the second.
        assert.equal(asked, 2);
      },
      { quick: true },
    );

    scenario(`A8, ${transport}: a host that does not exist is looked up once`, good, {}, async ({ server, open }) => {
      let asked = 0;
      const client = open(
        byName(server.url, { transport }, (_host, _options, callback) => {
          asked += 1;
          callback(failure('ENOTFOUND'), []);
        }),
      );
      const { error } = await read(client.turn(question));
      assert.equal(error?.code, 'dial_failed');
      assert.equal(error.retryable, false);
      assert.match(error.message, /could not be reached: ENOTFOUND \(no such host name\)$/);
      assert.deepEqual([asked, server.peers.length], [1, 0]);
    });

    for (const [what, ...found] of nothings) {
      scenario(`A8, ${transport}: a lookup that finds ${what} fails at once`, good, {}, async ({ server, open }) => {
        const options = byName(server.url, { transport }, (_host, _options, callback) =>
          (callback as (error: null, ...answer: unknown[]) => void)(null, ...found),
        );
        const begun = performance.now();
        const { error } = await read(open(options).turn(question));
        // Far from `timeouts.dialMs`, which is 15 s.
        assert.ok(performance.now() - begun < 5000, `it took ${performance.now() - begun} ms`);
        assert.deepEqual([error?.code, error?.retryable], ['dial_failed', false]);
        assert.match(
          error?.message ?? '',
          /could not be reached: network\.lookup found no IP address for origin\.test$/,
        );
      });
    }

    scenario(
      `A8, ${transport}: a lookup that throws fails the dial and nothing else`,
      good,
      {},
      async ({ server, open }) => {
        const client = open(
          byName(server.url, { transport }, () => {
            throw new Error('no lookup today');
          }),
        );
        const { error } = await read(client.turn(question));
        assert.equal(error?.code, 'dial_failed');
        assert.match(error.message, /no lookup today$/);
      },
      { quick: true },
    );
  }

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    scenario(
      `A8, ${transport}: a turn succeeds when the second lookup does`,
      good,
      {},
      async ({ server, open }) => {
        let asked = 0;
        const client = open(
          byName(server.url, { transport }, (_host, _options, callback) => {
            asked += 1;
            if (asked === 1) callback(failure('EAI_AGAIN'), []);
            else callback(null, '127.0.0.1', 4);
          }),
        );
        assert.equal((await read(client.turn(question))).text, 'fine');
      },
      { quick: true },
    );
  }

  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    for (const [name, all] of [
      ['one address', false],
      ['one of several', true],
    ] as const) {
      scenario(
        `N5, N20, ${transport}: localhost that is ${name} elsewhere gets nothing in plain text`,
        good,
        {},
        async ({ server, open }) => {
          let asked = 0;
          const client = open({
            baseUrl: server.url.replace('127.0.0.1', 'api.localhost'),
            transport,
            network: {
              lookup: (_host, _options, callback) => {
                asked += 1;
                if (!all) return callback(null, '192.0.2.1', 4);
                callback(null, [
                  { address: '127.0.0.1', family: 4 },
                  { address: '192.0.2.1', family: 4 },
                ]);
              },
            },
          });
          const { error } = await read(client.turn(question));
          assert.equal(error?.code, 'dial_failed');
          assert.match(error.message, /api\.localhost is not this machine but 192\.0\.2\.1/);
          assert.equal(error.retryable, false);
          assert.deepEqual([asked, server.peers.length], [1, 0]);
        },
      );
    }

    scenario(
      `N5, ${transport}: localhost is reached in plain text where it is this machine`,
      good,
      {},
      async ({ server, open }) => {
        const client = open({
          baseUrl: server.url.replace('127.0.0.1', 'localhost'),
          transport,
        });
        assert.equal((await read(client.turn(question))).text, 'fine');
      },
    );
  }
});
