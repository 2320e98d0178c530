// F12, I6, N7, N8, N19: a server that means harm, or writes what nobody may write.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { bad101 } from '../server/admission.js';
import { created, reply } from '../server/events.js';
import { frame, opcodes } from '../server/frame.js';
import { eventually, read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const question = { model: 'test', input: 'hi' };
const good = (peer: Peer, _create: Json, count: number): void =>
  peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));

describe('a hostile server', () => {
  for (const kind of ['accept', 'upgrade', 'subprotocol', 'extension', 'window bits', 'unfinished'] as const) {
    scenario(
      `A12, N7: a 101 with the wrong ${kind} is refused`,
      { upgrade: bad101(kind) },
      { transport: 'websocket', timeouts: { dialMs: 300 } },
      async ({ client }) =>
        assert.match(
          (await read(client.turn(question))).error?.code ?? '',
          /^(dial_failed|dial_timeout|upgrade_refused)$/,
        ),
    );
  }

  const bomb = deflateRawSync(Buffer.alloc(50_000_000, 'x'));
  const attacks: Record<string, Buffer> = {
    'F12, N7: a deflate bomb that nobody has agreed to': frame(bomb, { rsv: 4 }),
    'F12: a compressed continuation': Buffer.concat([
      frame('{"type":', { fin: false }),
      frame(bomb.subarray(0, 100), { opcode: opcodes.continuation, rsv: 4 }),
    ]),
    'N7: a frame that claims 2^50 bytes': frame('x', { claims: 2 ** 50 }),
    'N8: a hundred thousand fragments of one byte': Buffer.concat([
      frame('{', { fin: false }),
      ...Array.from({ length: 100_000 }, () => frame(' ', { opcode: opcodes.continuation, fin: false })),
    ]),
  };
  for (const [name, bytes] of Object.entries(attacks)) {
    scenario(
      `${name}: an error with its code, in bounded memory`,
      { create: (peer) => peer.raw(Buffer.concat([peer.encode(created('resp_1')), bytes])) },
      { transport: 'websocket', timeouts: { idleMs: 2000 } },
      async ({ client }) => {
        const before = process.memoryUsage().rss;
        const { error } = await read(client.turn(question));
        assert.match(error?.code ?? '', /^(protocol_error|event_too_large|connection_lost|idle_timeout)$/);
        const grown = process.memoryUsage().rss - before;
        assert.ok(grown < 100_000_000, `${grown} bytes`);
      },
    );
  }

  for (const [name, dirt] of Object.entries({
    'an error': (peer: Peer) => peer.events({ type: 'error', error: { code: 'x', message: 'no' } }),
    'a broken frame': (peer: Peer) => peer.rawFrame('{"type":'),
    RST: (peer: Peer) => peer.rst(),
  })) {
    scenario(
      `I6: ${name} on an idle connection ends that connection only`,
      { create: good },
      { transport: 'websocket' },
      async ({ client, server }) => {
        await read(client.turn(question));
        dirt(server.peer(1));
        await eventually('it is gone', () => client.stats.connections === 0);
        assert.equal((await read(client.turn(question))).text, 'fine');
        assert.equal(server.upgrades, 2);
      },
    );
  }

  scenario(
    'N19: keys that name prototypes, and a hundred thousand brackets, have no effect',
    {
      create: (peer) => {
        const evil = '{"type":"response.x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
        const deep = `{"type":"response.y","deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
        const [first, ...rest] = reply('resp_1', 'fine');
        peer.raw(Buffer.concat([peer.encode(first as Json), frame(evil), frame(deep), peer.encode(...rest)]));
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      const { text, error } = await read(client.turn(question));
      assert.ok(text === 'fine' || error?.code === 'protocol_error');
      assert.equal(({} as { polluted?: number }).polluted, undefined);
    },
  );
});
