// N1, N10, G6, E3: what must not be in what we say, and when the key is asked for.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import diagnostics from 'node:diagnostics_channel';
import { describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { created, reply, response } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { ClientOptions } from '@turnwire/client';
import type { Script } from '../server/peer.js';

const secret = 'sk-sentinel-0123456789';
const prompt = 'prompt-sentinel';
const question = { model: 'test', input: prompt };

const channels = 'dial open reuse plan send first-event recovery fallback rotate close'.split(' ');

const failures: Record<string, Script> = {
  'a good turn': { create: (peer) => peer.events(...reply('resp_1', 'fine')) },
  'a refused upgrade': { upgrade: (peer) => peer.http(401, '{"error":{"message":"bad key"}}') },
  'a refused upgrade that quotes the key': {
    upgrade: (peer) => peer.http(401, JSON.stringify({ error: { message: `no: ${secret}`, code: secret } })),
  },
  'a refused POST that quotes the key': {
    upgrade: (peer) => peer.http(426, `not for ${secret}`),
    post: (peer) => peer.http(401, `{"error":"no: Bearer ${secret}"}`),
  },
  'a broken upgrade': { upgrade: (peer) => peer.rst(), post: (peer) => peer.rst() },
  'a fallback that fails': { upgrade: (peer) => peer.http(426), post: (peer) => peer.rst() },
  'a lost connection': { create: (peer) => peer.close(1011, 'why'), post: (peer) => peer.rst() },
  'no JSON': { create: (peer) => peer.raw(Buffer.from([0x81, 1, 0x78])) },
  'a refusal that quotes the key': {
    create: (peer) => peer.events({ type: 'error', status: 401, error: { message: `no: ${secret}`, code: secret } }),
  },
  'a stream whose error quotes the key': {
    upgrade: (peer) => peer.http(426),
    post: (peer) => {
      peer.stream();
      peer.sse(created('resp_1'), { type: 'error', code: 'server_error', message: `no: ${secret}`, param: null });
      peer.endStream();
    },
  },
  'a close that quotes the key': { create: (peer) => peer.close(4000, secret), post: (peer) => peer.rst() },
  'a refusal': { create: (peer) => peer.events({ type: 'error', error: { message: 'no' } }) },
};
describe('secrets', () => {
  for (const [name, script] of Object.entries(failures)) {
    scenario(
      `${name}: neither key nor prompt in errors, reports, warnings, diagnostics`,
      script,
      { apiKey: secret, headers: { 'x-other': secret } },
      async ({ client, server, warnings }) => {
        const published: unknown[] = [];
        const listen = (message: unknown): void => void published.push(message);
        for (const channel of channels) diagnostics.subscribe(`turnwire:${channel}`, listen);
        const turn = client.turn(question);
        const { error } = await read(turn);
        for (const channel of channels) diagnostics.unsubscribe(`turnwire:${channel}`, listen);
        assert.equal(server.peer(1).heads[0]?.headers['authorization'], `Bearer ${secret}`);
        assert.ok(published.length > 0);
        const all = [error, turn, turn.report, client, warnings, published];
        const said = [
          ...all.map((thing) => inspect(thing, { depth: 20, showHidden: true, getters: true })),
          ...all.map((thing) => JSON.stringify(thing)),
          String(error),
          String(error?.stack),
        ].join('\n');
        assert.doesNotMatch(said, new RegExp(secret));
        assert.doesNotMatch(said, new RegExp(prompt));
      },
      { quick: true },
    );
  }

  scenario(
    'a failed response that quotes the key: the error does not contain it, and the event is unchanged',
    {
      create: (peer) =>
        peer.events(created('resp_1'), {
          type: 'response.failed',
          response: { ...response('resp_1', 'failed'), error: { message: `no: "${secret}"`, code: 'server_error' } },
        }),
    },
    { apiKey: secret },
    async ({ client }) => {
      const { events, error } = await read(client.turn(question));
      assert.doesNotMatch(inspect(error, { depth: 20 }), new RegExp(secret));
      assert.match(error?.message ?? '', /no: "\[secret\]"/);
      assert.match(JSON.stringify(events.at(-1)), new RegExp(secret));
    },
  );

  for (const transport of ['websocket', 'sse'] as const) {
    let asked = 0;
    scenario(
      `${transport}, the key function is called at each handshake, and a new key is used`,
      {
        create: (peer) => {
          peer.events(...reply(`resp_${peer.number}`, 'fine'));
          peer.fin();
        },
        post: (peer) => {
          peer.stream();
          peer.sse(...reply(`resp_${peer.number}_${peer.posts.length}`, 'fine'));
          peer.endStream();
        },
      },
      { transport, apiKey: () => Promise.resolve(`key-${(asked += 1)}`) },
      async ({ client, server }) => {
        for (let turn = 0; turn < 3; turn += 1) {
          await read(client.turn(question));
          if (transport === 'websocket') await server.peer(turn + 1).ended;
        }
        const keys = server.peers.flatMap(({ heads }) => heads).map(({ headers }) => headers['authorization']);
        assert.deepEqual(keys, ['Bearer key-1', 'Bearer key-2', 'Bearer key-3']);
      },
    );

    for (const [name, apiKey, message] of [
      ['throws', () => Promise.reject(new Error('vault is down')), /^apiKey: the function failed/],
      ['never answers', () => new Promise<string>(() => {}), /^apiKey: .*within 50 ms/],
      ['gives an empty key', () => '', /^apiKey is empty$/],
      ['gives a key with a newline', () => `${secret}\n`, /^apiKey contains a line break/],
    ] as const) {
      scenario(
        `${transport}, a key function that ${name}: one error, no connection`,
        {},
        { transport, apiKey, timeouts: { dialMs: 50 } },
        async ({ client, server }) => {
          const { error } = await read(client.turn(question));
          assert.equal(error?.code, 'credential_failed');
          assert.match(error.message, message);
          assert.equal(server.peers.length, 0);
        },
      );
    }
  }

  const hostile = `\u001b[2J\r\nforged: line\u0007\u2028${'A'.repeat(5000)}`;
  for (const [name, script] of Object.entries({
    'a frame': {
      create: (peer) => peer.events({ type: 'error', error: { code: hostile, message: hostile, type: hostile } }),
    },
    'an upgrade': { upgrade: (peer) => peer.http(403, JSON.stringify({ error: { code: hostile, message: hostile } })) },
    'a close reason': { create: (peer) => peer.close(4000, hostile.slice(0, 60)) },
  } satisfies Record<string, Script>)) {
    const options: ClientOptions = { transport: 'websocket', recovery: { refusals: 'surface' } };
    scenario(`hostile text in ${name} is made harmless`, script, options, async ({ client }) => {
      const { error } = await read(client.turn(question));
      const said = `${error?.message} ${error?.closeReason} ${error?.server?.code} ${error?.server?.message}`;
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      assert.doesNotMatch(said, /[\u0000-\u001f\u007f-\u009f\u2028]/);
      assert.ok(said.length < 15_000);
    });
  }

  test('the error that refuses a key does not contain it', () => {
    assert.throws(
      () => createClient({ apiKey: `${secret}\n` }),
      (error: Error) => !inspect(error, { depth: 10 }).includes(secret) && /line break/.test(error.message),
    );
  });
});
