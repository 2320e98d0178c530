// N7, N8, I5: one event in very many pieces, or in one that is never whole. What passes, what fails, and what it may cost in memory.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { created, reply } from '../server/events.js';
import { frame, opcodes } from '../server/frame.js';
import { large, read, scenario } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const mebibyte = 1024 * 1024;
const question = { model: 'test', input: 'hi' };
const image = 'x'.repeat(20 * mebibyte);

/** A message in frames of `size` bytes. */
function inFragments(event: Json, size: number): Buffer {
  const text = Buffer.from(JSON.stringify(event));
  const frames: Buffer[] = [];
  for (let at = 0; at < text.length; at += size) {
    const opcode = at === 0 ? opcodes.text : opcodes.continuation;
    frames.push(frame(text.subarray(at, at + size), { opcode, fin: at + size >= text.length }));
  }
  return Buffer.concat(frames);
}

describe('fragments', () => {
  for (const size of [4096, mebibyte]) {
    scenario(
      `N8: an event of 20 MiB passes in fragments of ${size} bytes`,
      {
        create: (peer) => peer.raw(Buffer.concat(reply('resp_1', image).map((event) => inFragments(event, size)))),
      },
      { transport: 'websocket' },
      async ({ client }) => {
        assert.equal((await read(client.turn(question))).text?.length, image.length);
      },
      { ...large, handwritten: true },
    );
  }

  /** Writes `piece` over and over, as fast as it is taken, until the client has ended the connection or `times` is reached. */
  function flood(peer: Peer, piece: Buffer, times: number): void {
    let written = 0;
    const go = (): void => {
      while (written < times && !peer.socket.destroyed) {
        written += 1;
        if (!peer.socket.write(piece)) return void peer.socket.once('drain', go);
      }
    };
    go();
  }

  /** What never ends well, how it fails, and the most it may hold in memory while it comes, in bytes. */
  const floods: Record<string, { send: (peer: Peer) => void; code: string; most: number }> = {
    'N8: 20 MB in fragments of one byte': {
      send: (peer) => {
        peer.raw(frame('{', { fin: false }));
        const one = frame(' ', { opcode: opcodes.continuation, fin: false });
        flood(peer, Buffer.concat(Array.from({ length: 10_000 }, () => one)), 2000);
      },
      code: 'protocol_error',
      most: 48 * mebibyte,
    },
    'N8: fragments without content': {
      send: (peer) => {
        peer.raw(frame('{', { fin: false }));
        const none = frame('', { opcode: opcodes.continuation, fin: false });
        flood(peer, Buffer.concat(Array.from({ length: 10_000 }, () => none)), 2000);
      },
      code: 'protocol_error',
      most: 48 * mebibyte,
    },
    'N8: 200 MB in fragments of one mebibyte': {
      send: (peer) => {
        peer.raw(frame('{', { fin: false }));
        flood(peer, frame(Buffer.alloc(mebibyte, 0x20), { opcode: opcodes.continuation, fin: false }), 200);
      },
      code: 'event_too_large',
      // An event may have 64: those, and as much that growing to them has left behind.
      most: 160 * mebibyte,
    },
    'N7: a frame that claims 200 MB': {
      send: (peer) => {
        peer.raw(frame('{', { claims: 200_000_000 }));
        flood(peer, Buffer.alloc(mebibyte, 0x20), 200);
      },
      code: 'event_too_large',
      most: 48 * mebibyte,
    },
    'N7: a frame whose length has its highest bit set': {
      send: (peer) => peer.raw(Buffer.from([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 1])),
      code: 'protocol_error',
      most: 48 * mebibyte,
    },
    'N7: a compressed frame, which was not agreed on': {
      send: (peer) => peer.raw(frame(Buffer.alloc(100), { rsv: 4 })),
      code: 'protocol_error',
      most: 48 * mebibyte,
    },
  };
  for (const [name, { send, code, most }] of Object.entries(floods)) {
    scenario(
      `${name}: ${code}, in bounded memory`,
      {
        create: (peer) => {
          peer.events(created('resp_1'));
          send(peer);
        },
      },
      { transport: 'websocket' },
      async ({ client, server }) => {
        const before = memory();
        let peak = 0;
        const watch = setInterval(() => (peak = Math.max(peak, memory() - before)), 5);
        const { events, error } = await read(client.turn(question));
        peak = Math.max(peak, memory() - before);
        clearInterval(watch);
        assert.equal(error?.code, code);
        assert.equal(events.length, 1);
        assert.ok(peak < most, `it held ${peak} bytes`);
        await server.peer(1).ended;
        assert.equal(client.stats.connections, 0);
      },
      large,
    );
  }

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  /** Of the test's server, too, which lives in the same process: so the bounds above are generous. */
  function memory(): number {
    // Buffers are among what is external.
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  scenario(
    'N8: one frame in reads of one byte takes the memory of its bytes, and is no sign of life',
    {
      create: (peer) => {
        peer.events(created('resp_1'));
        peer.raw(frame('{"type":"', { claims: 60 * mebibyte }));
        // Each in a segment and a read of its own, as near as this can be had.
        const drip = (): void => {
          if (!peer.socket.destroyed) peer.socket.write(' ', () => setImmediate(drip));
        };
        drip();
      },
    },
    { transport: 'websocket', timeouts: { idleMs: 1000 } },
    async ({ client }) => {
      collect();
      const before = memory();
      const { error } = await read(client.turn(question));
      assert.equal(error?.code, 'idle_timeout');
      // What each read leaves behind is not what is held.
      collect();
      const held = memory() - before;
      assert.ok(held < 16 * mebibyte, `it held ${held} bytes`);
    },
  );
});
