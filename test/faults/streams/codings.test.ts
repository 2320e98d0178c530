// N8, A2: bodies that come compressed. Rather none does, but RFC 9110 leaves it to the server.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import * as zlib from 'node:zlib';
import { created, delta, reply } from '../server/events.js';
import { read, scenario, types } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const sse = (...events: Json[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
const codings = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync };

describe('a compressed body', () => {
  for (const coding of ['none', 'utf-8', 'aws-chunked']) {
    scenario(
      `a plain stream whose header says ${coding} is read`,
      {
        post: (peer) => {
          peer.stream({ 'content-encoding': coding });
          peer.chunk(sse(...reply('resp_1', 'fine')));
          peer.endStream();
        },
      },
      { transport: 'sse' },
      async ({ client }) => {
        assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'fine');
      },
      { handwritten: true },
    );
  }

  for (const [coding, compress] of Object.entries(codings)) {
    scenario(
      `a stream that comes in ${coding} is read like any other, and its connection is kept`,
      {
        post: (peer) => {
          peer.stream({ 'content-encoding': coding });
          peer.chunk(compress(sse(...reply(`resp_${peer.posts.length}`, 'fine'))));
          peer.endStream();
        },
      },
      { transport: 'sse' },
      async ({ client, server }) => {
        for (const _ of [1, 2]) assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'fine');
        assert.equal(server.peers.length, 1);
      },
      { handwritten: true },
    );

    const quota = JSON.stringify({ error: { code: 'insufficient_quota', message: 'You exceeded your current quota' } });
    const refuse = (peer: Peer): void =>
      peer.http(429, compress(quota), { 'content-type': 'application/json', 'content-encoding': coding });
    scenario(
      `a refusal that comes in ${coding} keeps its code and its status, over sse and of an upgrade`,
      { post: refuse, upgrade: refuse },
      {},
      async ({ client, server }) => {
        const sse = await read(client.turn({ model: 'test', input: 'hi' }, { transport: 'sse' }));
        assert.deepEqual([sse.error?.server?.code, sse.error?.status], ['insufficient_quota', 429]);
        assert.equal(server.posts, 1);
        const webSocket = await read(client.turn({ model: 'test', input: 'hi' }, { transport: 'websocket' }));
        assert.deepEqual([webSocket.error?.server?.code, webSocket.error?.status], ['insufficient_quota', 429]);
      },
      { quick: true },
    );
  }

  scenario(
    'an event of a compressed stream is delivered as soon as its bytes have come',
    {
      post: (peer) => {
        peer.stream({ 'content-encoding': 'gzip' });
        const gzip = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH });
        gzip.on('data', (bytes: Buffer) => peer.chunk(bytes));
        // And then the server says nothing more.
        gzip.write(sse(created('resp_1'), delta('first')));
      },
    },
    { transport: 'sse' },
    async ({ client }) => {
      const turn = client.turn({ model: 'test', input: 'hi' });
      const seen: string[] = [];
      for await (const event of turn) {
        seen.push(event.type);
        if (event.type === 'response.output_text.delta') break;
      }
      assert.deepEqual(seen, ['response.created', 'response.output_text.delta']);
    },
    { handwritten: true },
  );

  scenario(
    'a compressed stream that breaks delivers the events that had come',
    {
      post: (peer) => {
        peer.stream({ 'content-encoding': 'gzip' });
        const gzip = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH });
        gzip.once('data', (bytes: Buffer) => {
          peer.chunk(bytes);
          peer.fin();
        });
        gzip.write(sse(created('resp_1'), delta('first')));
      },
    },
    { transport: 'sse' },
    async ({ client }) => {
      const { error, events } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'connection_lost');
      assert.equal(error.phase, 'visible');
      assert.deepEqual(types(events), ['response.created', 'response.output_text.delta']);
    },
    { handwritten: true },
  );

  scenario(
    'N8: a refusal that is large when decompressed is read only up to the limit',
    {
      post: (peer) =>
        peer.http(500, zlib.gzipSync(Buffer.alloc(200 * 1024 * 1024, 'x')), { 'content-encoding': 'gzip' }),
    },
    { transport: 'sse', recovery: { refusals: 'surface' } },
    async ({ client }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.status, 500);
      assert.equal(String(error.server?.raw).length, 65_536);
    },
  );

  scenario(
    'N8: an event that is too large when decompressed is refused',
    {
      post: (peer) => {
        peer.stream({ 'content-encoding': 'gzip' });
        peer.chunk(zlib.gzipSync(Buffer.concat([Buffer.from('data: '), Buffer.alloc(70 * 1024 * 1024, 'x')])));
      },
    },
    { transport: 'sse' },
    async ({ client }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'event_too_large');
    },
    { handwritten: true },
  );
});
