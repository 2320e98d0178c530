// A6, A9, K4: one TLS configuration, and one verdict, for both transports.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { authority, client as ofClient, elsewhere, expired, server as ofServer } from '../server/certificates.js';
import { reply } from '../server/events.js';
import { eventually, read, scenario } from '../scenario.js';
import type { NetworkOptions } from '@turnwire/client';
import type { Script } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const good: Script = {
  create: (peer, _create, count) => peer.events(...reply(`resp_${count}`, 'fine')),
  post: (peer) => {
    peer.stream();
    peer.sse(...reply(`resp_post_${peer.posts.length}`, 'fine'));
    peer.endStream();
  },
};
const asksForCertificate = { ...ofServer, requestCert: true, rejectUnauthorized: true, ca: authority };

const accepted: readonly [name: string, tls: NonNullable<Script['tls']>, network: NetworkOptions][] = [
  ['network.ca', ofServer, { ca: authority }],
  ['one of several', ofServer, { ca: [ofClient.cert, authority] }],
  ['a client certificate', asksForCertificate, { ca: authority, ...ofClient }],
];
const rejected: readonly [name: string, tls: NonNullable<Script['tls']>, network: NetworkOptions, says: RegExp][] = [
  ['an unknown authority', ofServer, {}, /UNABLE_TO_VERIFY_LEAF_SIGNATURE \(.*network\.ca/],
  ['another authority', ofServer, { ca: ofClient.cert }, /UNABLE_TO_/],
  ['an expired certificate', expired, { ca: authority }, /CERT_HAS_EXPIRED$/],
  ["another host's certificate", elsewhere, { ca: authority }, /ERR_TLS_CERT_ALTNAME_INVALID$/],
  ['no client certificate', asksForCertificate, { ca: authority }, /CERTIFICATE_REQUIRED \(.*network\.cert and/],
  [
    'no client certificate, in TLS 1.2',
    { ...asksForCertificate, maxVersion: 'TLSv1.2' },
    { ca: authority },
    /(EPROTO|HANDSHAKE_FAILURE) \(.*network\.cert and/,
  ],
];

describe('TLS', () => {
  for (const transport of ['auto', 'websocket', 'sse'] as const) {
    for (const [name, tls, network] of accepted) {
      scenario(
        `A9, ${transport}, ${name}: accepted`,
        { ...good, tls },
        { transport, network },
        async ({ client, server }) => {
          for (let turn = 0; turn < 2; turn += 1) assert.equal((await read(client.turn(question))).text, 'fine');
          assert.equal(server.peers.length, 1);
        },
      );
    }

    for (const [name, tls, network, says] of rejected) {
      scenario(
        `A9, ${transport}, ${name}: one attempt, and nothing is sent`,
        { ...good, tls },
        { transport, network },
        async ({ client, server, warnings }) => {
          const turn = client.turn(question);
          const { error } = await read(turn);
          assert.equal(error?.code, 'dial_failed');
          assert.match(error.message, says);
          assert.equal(error.retryable, false);
          assert.equal(turn.report.attempts.length, 1);
          assert.deepEqual(warnings, []);
          assert.deepEqual([server.upgrades, server.posts], [0, 0]);
          assert.ok(server.peers.length + server.failedHandshakes <= 1, 'it was dialled again');
        },
      );
    }

    scenario(
      `A6, ${transport}, a TLS handshake that is never answered: the dial ends at its limit`,
      {},
      {},
      async ({ server, open }) => {
        const client = open({
          // It speaks no TLS, so it never answers a ClientHello.
          baseUrl: server.url.replace('http:', 'https:'),
          transport,
          timeouts: { dialMs: 200 },
        });
        const { error } = await read(client.turn(question));
        assert.equal(error?.code, 'dial_timeout');
        assert.match(error.message, /within 200 ms \(timeouts\.dialMs\)$/);
        assert.equal(server.peers.length, transport === 'auto' ? 2 : 1);
        await Promise.all(server.peers.map((peer) => peer.ended));
      },
    );
  }

  scenario(
    'A9, K4: the fallback has the same certificates',
    { ...good, tls: asksForCertificate, upgrade: (peer) => peer.http(426) },
    { network: { ca: authority, ...ofClient } },
    async ({ client, server }) => {
      assert.equal((await read(client.turn(question))).text, 'fine');
      assert.deepEqual([server.upgrades, server.posts], [1, 1]);
      await eventually('its connection is kept', () => server.peers.length === 2);
    },
  );
});
