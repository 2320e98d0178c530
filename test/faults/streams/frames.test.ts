// C8, E2, F3, F4, F7, F9, F10, F13, W6, P87: frames that are broken, foreign, late, large or odd.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, delta, message, reply, response } from '../server/events.js';
import { frame, opcodes } from '../server/frame.js';
import { eventually, large, read, scenario, types } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const good = (peer: Peer, _create: Json, count: number): void =>
  peer.events(...reply(`resp_${peer.number}_${count}`, `answer ${peer.number}.${count}`));

/** What no server of this protocol may send, in the middle of an answer. */
const violations: Record<string, Buffer> = {
  'text that is no JSON': frame('{"type":'),
  'a byte order mark': frame('\ufeff{"type":"x"}'),
  'a JSON string': frame('"str"'),
  'a JSON number': frame('5'),
  'a JSON array': frame('[0]'),
  'a binary frame': frame('{"type":"x"}', { opcode: opcodes.binary }),
  'invalid UTF-8': frame(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
  'an unknown opcode': frame('x', { opcode: 3 }),
  'a reserved bit': frame('x', { rsv: 4 }),
  'a continuation of nothing': frame('x', { opcode: opcodes.continuation }),
  'a ping of 126 bytes': frame('p'.repeat(126), { opcode: opcodes.ping }),
  'a fragmented ping': frame('p', { opcode: opcodes.ping, fin: false }),
  'a close of one byte': frame('x', { opcode: opcodes.close }),
  'a close with code 1004': frame(Buffer.from([0x03, 0xec]), { opcode: opcodes.close }),
  'a close with code 999': frame(Buffer.from([0x03, 0xe7]), { opcode: opcodes.close }),
  'a close with code 5000': frame(Buffer.from([0x13, 0x88]), { opcode: opcodes.close }),
};
describe('frames', () => {
  for (const [name, bytes] of Object.entries(violations)) {
    scenario(
      `${name}: an error with its code at once, also where the server sends nothing more`,
      {
        create: (peer, create, count) => {
          if (peer.number > 1) return good(peer, create, count);
          peer.answersClose = false;
          peer.raw(Buffer.concat([peer.encode(created('resp_1')), bytes]));
        },
      },
      { transport: 'auto' },
      async ({ client, server }) => {
        const begun = performance.now();
        const { events, error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.deepEqual(types(events), ['response.created']);
        assert.equal(error?.code, 'protocol_error');
        assert.equal(error.phase, 'created');
        assert.equal(error.responseId, 'resp_1');
        assert.ok(performance.now() - begun < 800, 'it settled late');
        assert.deepEqual([server.creates, server.posts], [1, 0]);
        assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'answer 2.1');
      },
    );
  }

  for (const how of ['fin', 'rst'] as const) {
    for (const [name, bytes] of Object.entries({
      'a frame cut off': frame('{"type":"x"', { claims: 1000 }),
      'a chain of fragments cut off': frame('{"type":', { fin: false }),
    })) {
      scenario(
        `${name}, then ${how}: lost`,
        {
          create: (peer) => {
            peer.raw(Buffer.concat([peer.encode(created('resp_1')), bytes]));
            if (how === 'fin') peer.fin();
            else setTimeout(() => peer.rst(), 30);
          },
        },
        { transport: 'websocket' },
        async ({ client }) => {
          const { error, events } = await read(client.turn({ model: 'test', input: 'hi' }));
          assert.equal(events.length, 1);
          assert.equal(error?.code, 'connection_lost');
          assert.equal(error.closeCode, 1006);
        },
      );
    }
  }

  scenario(
    'a close frame without an end of the connection: the wait is bounded, and the code is reported',
    {
      create: (peer) => {
        peer.answersClose = false;
        peer.events(created('resp_1'));
        peer.close(1011, 'keepalive ping timeout');
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      const begun = performance.now();
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.closeCode, 1011);
      assert.match(error.message, /keepalive ping timeout/);
      assert.ok(performance.now() - begun < 3000, 'it settled late');
    },
  );

  scenario(
    'control frames and fragments in the middle of a message are handled, and the message is complete',
    {
      create: (peer) => {
        const text = Buffer.from(JSON.stringify(delta('zwölf €')));
        const cut = text.indexOf(Buffer.from('€')) + 1;
        peer.raw(
          Buffer.concat([
            peer.encode(created('resp_1')),
            frame(text.subarray(0, cut), { fin: false }),
            frame('are you there', { opcode: opcodes.ping }),
            frame('unasked', { opcode: opcodes.pong }),
            frame(text.subarray(cut), { opcode: opcodes.continuation }),
            peer.encode(completed('resp_1', [message('zwölf €')])),
          ]),
        );
      },
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      const { events, text } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.deepEqual(events[1], delta('zwölf €'));
      assert.equal(text, 'zwölf €');
      await eventually('the ping is answered', () => server.peer(1).control.includes(opcodes.pong));
    },
  );

  const image = 'x'.repeat(20 * 1024 * 1024);
  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `an event of 20 MiB passes over ${transport}`,
      {
        create: (peer) => peer.events(...reply('resp_1', image)),
        post: (peer) => {
          peer.stream();
          peer.sse(...reply('resp_1', image));
          peer.endStream();
        },
      },
      { transport },
      async ({ client }) => {
        const { text } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(text?.length, image.length);
      },
      large,
    );

    scenario(
      `an event of more than 64 MiB fails with its code over ${transport}`,
      {
        create: (peer) => {
          peer.events(created('resp_1'));
          // The header alone tells it.
          peer.raw(frame('{"type":"', { claims: 64 * 1024 * 1024 + 1 }));
        },
        post: (peer) => {
          peer.stream();
          peer.sse(created('resp_1'));
          const piece = Buffer.alloc(1024 * 1024, 0x78);
          peer.chunk('data: ');
          for (let sent = 0; sent < 66; sent += 1) peer.chunk(piece);
        },
      },
      { transport },
      async ({ client }) => {
        const { events, error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(events.length, 1);
        assert.equal(error?.code, 'event_too_large');
        assert.match(error.message, /67108864 bytes/);
      },
      large,
    );
  }

  scenario(
    'a message in an absurd number of fragments fails with its code',
    {
      create: (peer) => {
        const pieces = [frame('{', { fin: false })];
        const piece = frame(' ', { fin: false, opcode: opcodes.continuation });
        for (let sent = 0; sent < 200_000; sent += 1) pieces.push(piece);
        peer.raw(Buffer.concat([peer.encode(created('resp_1')), ...pieces]));
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).error?.code, 'protocol_error');
    },
  );

  const odd: Json[] = [
    created('resp_1'),
    { type: 'response.completed.v2', response: response('resp_1', 'completed') },
    { type: 5 },
    { no: 'type' },
    { type: 'codex.rate_limits', plan: 'pro' },
    { type: 'constructor' },
    { type: 'response.output_text.done', sequence_number: -3, item_id: 'never added', text: 'x' },
    { type: 'keepalive', sequence_number: 7 },
    delta('hi'),
    completed('resp_1', [message('hi')]),
  ];
  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `unknown events and gaps in their numbers pass unchanged over ${transport}`,
      {
        create: (peer) => peer.events(...odd),
        post: (peer) => {
          peer.stream();
          peer.sse(...odd);
          peer.endStream();
        },
      },
      { transport },
      async ({ client }) => {
        const { events, text } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.deepEqual(events, odd);
        assert.equal(text, 'hi');
      },
    );
  }

  /** On a connection that has carried `resp_1_1`: frames that belong to another response than the second turn's. */
  const foreign: Record<string, Json[]> = {
    'deltas of the response before': [delta('old'), completed('resp_1_1', [message('old')])],
    'the end of the response before': [completed('resp_1_1', [message('old')])],
    'the beginning of the response before': [created('resp_1_1'), completed('resp_1_1', [message('old')])],
    'an end that never began': [completed('resp_other', [message('old')])],
    "another response's end after its own beginning": [created('resp_1_2'), completed('resp_other', [message('old')])],
    'the end of the response before, after its own beginning': [
      created('resp_1_2'),
      completed('resp_1_1', [message('old')]),
    ],
  };
  for (const [name, events] of Object.entries(foreign)) {
    scenario(
      `${name} is never handed over as the answer`,
      {
        create: (peer, create, count) => {
          if (count === 1 || peer.number > 1) return good(peer, create, count);
          peer.events(...events, ...reply('resp_1_2', 'new'));
        },
      },
      { transport: 'auto' },
      async ({ client, server }) => {
        await read(client.turn({ model: 'test', input: 'one' }));
        const { error, events: seen } = await read(client.turn({ model: 'test', input: 'two' }));
        assert.equal(error?.code, 'protocol_error');
        assert.doesNotMatch(JSON.stringify(seen), /old/);
        assert.deepEqual([server.creates, server.posts], [2, 0]);
        assert.equal((await read(client.turn({ model: 'test', input: 'three' }))).text, 'answer 2.1');
      },
    );
  }

  /** Sent right after a clean end, in the same segment. */
  const after: Record<string, Json> = {
    'a second end': completed('resp_1_1'),
    'a delta': delta('late'),
    'an error': { type: 'error', error: { message: 'late' } },
  };
  for (const [name, event] of Object.entries(after)) {
    for (const queued of [false, true]) {
      scenario(
        `${name} after the end${queued ? ', with the next turn waiting' : ''}: the first end counts, and the connection is closed`,
        {
          create: (peer, create, count) => {
            if (peer.number > 1) return good(peer, create, count);
            peer.events(...reply('resp_1_1', 'answer 1.1'), event);
          },
        },
        { transport: 'websocket', pool: { maxConnections: 1 } },
        async ({ client, server }) => {
          const first = read(client.turn({ model: 'test', input: 'one' }));
          const second = queued ? read(client.turn({ model: 'test', input: 'two' })) : undefined;
          assert.equal((await first).text, 'answer 1.1');
          if (second === undefined) await eventually('it is gone', () => client.stats.connections === 0);
          const next = second ?? read(client.turn({ model: 'test', input: 'two' }));
          assert.equal((await next).text, 'answer 2.1');
          assert.equal(server.peer(1).creates.length, 1);
        },
      );
    }
  }

  const housekeeping: Json = { type: 'codex.rate_limits', plan: 'pro' };
  scenario(
    'housekeeping events between two turns and before an answer are ignored',
    {
      create: (peer, _create, count) =>
        peer.events(housekeeping, ...reply(`resp_${count}`, `answer ${count}`), housekeeping),
    },
    { transport: 'websocket' },
    async ({ client, server }) => {
      assert.equal((await read(client.turn({ model: 'test', input: 'one' }))).text, 'answer 1');
      const { text, events } = await read(client.turn({ model: 'test', input: 'two' }));
      assert.equal(text, 'answer 2');
      assert.deepEqual(events[0], housekeeping);
      assert.equal(server.upgrades, 1);
    },
  );
});
