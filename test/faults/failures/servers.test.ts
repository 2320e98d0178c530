// Q1, Q2, Q7–Q9, Q17: answers that are whole, from servers that deviate; and answers that only look it.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { created, delta, message, reply, response } from '../server/events.js';
import { closeFrame, frame } from '../server/frame.js';
import { read, scenario, types } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const both = ['websocket', 'sse'] as const;

/** The same events over either transport. */
const answering = (...events: Json[]): Script => ({
  create: (peer) => peer.events(...events),
  post: (peer) => {
    peer.stream();
    peer.sse(...events);
    peer.endStream();
  },
});

const sse = (...events: Json[]): string =>
  events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('');

/** A body without a length, which the end of its connection ends. */
const withoutLength = (peer: Peer, body: string): void => {
  peer.raw(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n${body}`);
  peer.fin();
};
const inChunks = (peer: Peer, body: string): void => {
  peer.stream();
  peer.chunk(body);
  peer.endStream();
};

describe('servers that deviate', () => {
  for (const [name, cut, send] of [
    ['without the empty line', 1, inChunks],
    ['without the end of its line', 2, inChunks],
    ['without the empty line, by the end of the connection', 1, withoutLength],
  ] as const)
    scenario(
      `Q1: a stream that ends ${name} is complete`,
      { post: (peer) => send(peer, sse(...reply('resp_1', 'fine')).slice(0, -cut)) },
      { transport: 'sse' },
      async ({ client, server }) => {
        const { text, events } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(text, 'fine');
        assert.equal(events.length, 3);
        assert.equal(server.posts, 1);
      },
      { handwritten: true },
    );

  for (const [name, body, count] of [
    ['in the middle of its last event', sse(...reply('resp_1', 'fine')).slice(0, -20), 2],
    ['after an event that is not the last', sse(...reply('resp_1', 'fine').slice(0, 2)).slice(0, -1), 2],
  ] as const)
    scenario(
      `Q1: a stream that ends ${name} is lost`,
      { post: (peer) => inChunks(peer, body) },
      { transport: 'sse' },
      async ({ client }) => {
        const { error, events } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(error?.code, 'connection_lost');
        assert.equal(events.length, count);
      },
      { handwritten: true },
    );

  for (const [name, blank] of Object.entries({
    nothing: '',
    'white space': ' \t ',
    'an empty object': '{ }',
    null: 'null',
  })) {
    scenario(
      `Q2: heartbeats that hold ${name} are not handed over as events over websocket, nor while no turn runs`,
      {
        create: (peer, _create, count) => {
          const beat = frame(blank);
          const events = reply(`resp_${count}`, 'fine').map((event) => peer.encode(event));
          peer.raw(Buffer.concat([beat, ...events.flatMap((event) => [event, beat])]));
        },
      },
      { transport: 'websocket' },
      async ({ client, server }) => {
        for (const _ of [1, 2]) {
          const { text, events } = await read(client.turn({ model: 'test', input: 'hi' }));
          assert.equal(text, 'fine');
          assert.equal(events.length, 3);
        }
        assert.equal(server.upgrades, 1);
      },
    );

    scenario(
      `Q2: heartbeats that hold ${name} are not handed over as events over sse`,
      {
        post: (peer) => {
          const beat = `data: ${blank}\n\n`;
          inChunks(
            peer,
            beat +
              reply('resp_1', 'fine')
                .map((event) => sse(event) + beat)
                .join(''),
          );
        },
      },
      { transport: 'sse' },
      async ({ client }) => {
        const { text, events } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(text, 'fine');
        assert.equal(events.length, 3);
      },
      { handwritten: true },
    );
  }

  scenario(
    'Q2: a heartbeat does not take a turn out of the phase in which it may be sent again',
    {
      create: (peer, _create, count) => {
        if (peer.number > 1) return peer.events(...reply('resp_2', 'fine'));
        if (count === 1) return peer.events(...reply('resp_1', 'fine'));
        peer.raw(frame('{}'));
        peer.fin();
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      await read(client.turn({ model: 'test', input: 'hi' }));
      const turn = client.turn({ model: 'test', input: 'hi' });
      assert.equal((await read(turn)).text, 'fine');
      assert.deepEqual(
        turn.report.attempts.map(({ phase, recovery }) => [phase, recovery]),
        [
          ['sent', 'redial'],
          ['terminal', undefined],
        ],
      );
    },
  );

  scenario(
    'Q7: a JSON response in place of a stream is an error that says so',
    {
      post: (peer) =>
        peer.http(200, JSON.stringify(response('resp_1', 'completed')), { 'content-type': 'application/json' }),
    },
    { transport: 'sse' },
    async ({ client, server }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'protocol_error');
      assert.match(error.message, /"application\/json" instead of text\/event-stream/);
      assert.equal(server.posts, 1);
    },
  );

  for (const transport of both) {
    for (const [name, last] of Object.entries<Json>({
      'that has no response': { type: 'response.completed' },
      'whose response is null': { type: 'response.completed', response: null },
      'whose response is in progress': { type: 'response.completed', response: response('resp_1', 'in_progress') },
      'that is a failure and has no response': { type: 'response.failed' },
    })) {
      scenario(
        `Q8, Q17: a last event ${name} is an error at once over ${transport}`,
        answering(created('resp_1'), delta('Hi'), last),
        { transport },
        async ({ client }) => {
          const begun = performance.now();
          const { error, events } = await read(client.turn({ model: 'test', input: 'hi' }));
          assert.equal(error?.code, 'protocol_error');
          assert.match(error.message, /^the server sent response\.(completed|failed) with/);
          assert.deepEqual(types(events), ['response.created', 'response.output_text.delta']);
          assert.ok(performance.now() - begun < 5000, 'it settled late');
        },
      );
    }

    for (const status of ['failed', 'cancelled', 'incomplete'] as const)
      scenario(
        `Q17: response.completed with the status ${status} inside is ${status} over ${transport}`,
        answering(created('resp_1'), delta('Hi'), {
          type: 'response.completed',
          response: response('resp_1', status, {
            output: [message('Hi')],
            error: { code: 'server_error', message: 'no' },
            incomplete_details: { reason: 'max_output_tokens' },
          }),
        }),
        { transport },
        async ({ client }) => {
          const turn = client.turn({ model: 'test', input: 'hi' });
          const { error, events } = await read(turn);
          assert.equal(turn.report.outcome, status);
          assert.equal(error?.code, status === 'incomplete' ? undefined : `response_${status}`);
          assert.equal(events.length, 3);
        },
      );
  }

  scenario(
    'Q8: after an error event, a last event without a response ends the turn with the error that was announced',
    answering(created('resp_1'), { type: 'error', code: 'server_error', message: 'no' }, { type: 'response.failed' }),
    { transport: 'websocket' },
    async ({ client }) => {
      const { error, events } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'response_failed');
      assert.deepEqual(types(events), ['response.created', 'error', 'response.failed']);
    },
  );

  scenario(
    'Q9: a close whose reason is cut within a character counts with its code, and is recovered from',
    {
      create: (peer, _create, count) => {
        if (peer.number > 1 || count === 1) return peer.events(...reply(`resp_${peer.number}_${count}`, 'fine'));
        const close = closeFrame(1012, 'xxx');
        // The last byte of the reason begins a character of two.
        close[close.length - 1] = 0xc3;
        peer.raw(close);
      },
    },
    { transport: 'websocket' },
    async ({ client }) => {
      await read(client.turn({ model: 'test', input: 'hi' }));
      const turn = client.turn({ model: 'test', input: 'hi' });
      assert.equal((await read(turn)).text, 'fine');
      assert.deepEqual(
        turn.report.attempts.map(({ error }) => error),
        ['connection_lost', undefined],
      );
    },
  );
});
