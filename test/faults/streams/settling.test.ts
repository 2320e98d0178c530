// C9, F2, I7, W7, W18: how a turn ends, and how it is asked.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { completed, created, delta, functionCall, message, reply, response } from '../server/events.js';
import { eventually, read, scenario, types } from '../scenario.js';
import type { Script } from '../server/peer.js';
import type { Json } from '../server/events.js';

const question = { model: 'test', input: 'hi' };

/** The same events over both transports. */
function saying(...events: Json[]): Script {
  return {
    create: (peer) => peer.events(...events),
    post: (peer) => {
      peer.stream();
      peer.sse(...events);
      peer.endStream();
    },
  };
}

const failed = {
  type: 'response.failed',
  response: response('resp_1', 'failed', { error: { code: 'server_error', message: 'boom' } }),
};
const error = { type: 'error', status: 500, error: { type: 'server_error', code: 'oops', message: 'first' } };
const incomplete = {
  type: 'response.incomplete',
  response: response('resp_1', 'incomplete', {
    output: [message('half')],
    incomplete_details: { reason: 'max_output_tokens' },
    usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  }),
};
const cancelled = { type: 'response.cancelled', response: response('resp_1', 'cancelled') };

describe('the end of a turn', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    scenario(
      `${transport}, response.failed is yielded, then response() rejects`,
      saying(created('resp_1'), failed),
      { transport },
      async ({ client }) => {
        const turn = client.turn(question);
        const { events, thrown, error: rejected } = await read(turn);
        assert.deepEqual(events.at(-1), failed);
        assert.equal(thrown, undefined);
        assert.equal(rejected?.code, 'response_failed');
        assert.equal(rejected.server?.code, 'server_error');
        assert.equal(rejected.responseId, 'resp_1');
        assert.match(rejected.message, /boom/);
        assert.equal(turn.report.outcome, 'failed');
        // The chain is gone, the connection is not.
        const { dialled, connections, busy } = client.stats;
        if (transport === 'websocket') assert.deepEqual([dialled, connections, busy], [1, 1, 0]);
      },
    );

    scenario(
      `${transport}, response.incomplete is yielded, then response() resolves with its reason and usage`,
      saying(created('resp_1'), incomplete),
      { transport },
      async ({ client }) => {
        const turn = client.turn(question);
        assert.equal((await read(turn)).text, 'half');
        assert.deepEqual(await turn.response(), incomplete.response);
        assert.equal(turn.report.outcome, 'incomplete');
        assert.deepEqual(turn.report.usage, { input_tokens: 1, output_tokens: 2, total_tokens: 3 });
      },
    );

    scenario(
      `${transport}, response.cancelled makes response() reject with its own code`,
      saying(created('resp_1'), cancelled),
      { transport },
      async ({ client }) => assert.equal((await read(client.turn(question))).error?.code, 'response_cancelled'),
    );

    scenario(
      `${transport}, response.done ends a turn by its status`,
      saying(created('resp_1'), { type: 'response.done', response: response('resp_1', 'failed', { error: null }) }),
      { transport },
      async ({ client }) => assert.equal((await read(client.turn(question))).error?.code, 'response_failed'),
    );

    scenario(
      `${transport}, an error and then response.failed: both are delivered, settled once`,
      saying(created('resp_1'), error, failed),
      { transport },
      async ({ client, server }) => {
        const { events, thrown, error: rejected } = await read(client.turn(question));
        assert.deepEqual(events.slice(1), [error, failed]);
        assert.equal(thrown, undefined);
        assert.equal(rejected?.code, 'response_failed');
        assert.equal(rejected.server?.code, 'server_error');
        assert.equal(server.creates + server.posts, 1);
      },
    );

    scenario(
      `${transport}, an error alone settles the turn`,
      saying(created('resp_1'), delta('x'), error),
      { transport },
      async ({ client }) => {
        const turn = client.turn(question);
        const { events, thrown, error: rejected } = await read(turn);
        assert.deepEqual(events.at(-1), error);
        assert.equal(thrown, undefined);
        assert.equal(rejected?.code, 'response_failed');
        assert.equal(rejected.server?.code, 'oops');
        assert.equal(rejected.status, 500);
        assert.equal(turn.report.outcome, 'failed');
        assert.equal(client.stats.connections, 0);
      },
    );

    scenario(
      `${transport}, after an error event a completed response is no success`,
      saying(created('resp_1'), error, completed('resp_1', [message('late')])),
      { transport },
      async ({ client }) => {
        const { error: rejected } = await read(client.turn(question));
        assert.equal(rejected?.code, 'response_failed');
        assert.equal(rejected.server?.code, 'oops');
      },
    );

    for (const [name, event] of Object.entries({
      nested: { type: 'error', status: 429, error: { code: 'slow', message: 'no', headers: { 'Retry-After': 2 } } },
      flat: { type: 'error', code: 'slow', message: 'no', status: 429, headers: { 'retry-after': '2' } },
      'without a type': { status_code: 429, error: { code: 'slow', message: 'no' }, headers: { 'retry-after': 2 } },
    })) {
      scenario(
        `${transport}, an error before response.created (${name}) is thrown, never yielded, and the connection is kept`,
        {
          create: (peer, _create, count) => peer.events(...(count === 1 ? [event] : reply('resp_2', 'fine'))),
          post: saying(event).post ?? (() => {}),
        },
        { transport, recovery: { refusals: 'surface' } },
        async ({ client, server }) => {
          const turn = client.turn(question);
          const { events, thrown, error: rejected } = await read(turn);
          assert.deepEqual(events, []);
          assert.equal(thrown, rejected);
          assert.equal(rejected?.code, 'request_refused');
          assert.equal(rejected.status, 429);
          assert.equal(rejected.server?.code, 'slow');
          assert.equal(rejected.server.headers['retry-after'], '2');
          assert.deepEqual(rejected.server.raw, event);
          assert.equal(rejected.retryable, true);
          assert.equal(turn.report.outcome, undefined);
          if (transport === 'sse') return;
          assert.equal((await read(client.turn(question))).text, 'fine');
          assert.equal(server.upgrades, 1);
        },
      );
    }

    for (const [name, terminal] of Object.entries({
      'an empty output': completed('resp_1', []),
      'no output': { type: 'response.completed', response: { id: 'resp_1', object: 'response', status: 'completed' } },
      'a null output': completed('resp_1', [], { output: null }),
    })) {
      scenario(
        `${transport}, a terminal event with ${name}: rebuilt from the items, in their order`,
        saying(
          created('resp_1'),
          { type: 'response.output_item.done', output_index: 2, item: functionCall('call_2') },
          { type: 'response.output_item.done', output_index: 0, item: message('text') },
          terminal,
        ),
        { transport },
        async ({ client }) => {
          const turn = client.turn(question);
          const { events, text } = await read(turn);
          assert.equal(text, 'text');
          assert.deepEqual((await turn.response()).output, [message('text'), functionCall('call_2')]);
          // The event itself is handed over as it came.
          assert.deepEqual(events.at(-1), terminal);
        },
      );
    }

    scenario(
      `${transport}, the output of the terminal event counts more than the items`,
      saying(
        created('resp_1'),
        { type: 'response.output_item.done', output_index: 0, item: message('earlier') },
        completed('resp_1', [message('final')]),
      ),
      { transport },
      async ({ client }) => assert.equal(await client.turn(question).text(), 'final'),
    );
  }

  scenario(
    'response() works alone and with an iteration, and a second iteration is refused',
    { create: (peer, _create, count) => peer.events(...reply(`resp_${count}`, 'done')) },
    { transport: 'websocket' },
    async ({ client }) => {
      assert.equal((await client.turn(question).response()).id, 'resp_1');
      assert.equal(await client.turn(question).text(), 'done');
      const turn = client.turn(question);
      assert.equal((await read(turn)).events.length, 3);
      assert.equal((await turn.response()).id, 'resp_3');
      assert.equal((await turn.response()).id, 'resp_3');
      assert.throws(() => turn[Symbol.asyncIterator](), { code: 'turn_already_read' });
      const dropped = client.turn(question);
      await dropped.response();
      assert.throws(() => dropped[Symbol.asyncIterator](), { code: 'turn_already_read' });
    },
  );

  scenario(
    'events that came before the reader are all delivered',
    saying(...reply('resp_1', 'done')),
    { transport: 'websocket' },
    async ({ client }) => {
      const turn = client.turn(question);
      await eventually('it has ended', () => turn.report.outcome === 'completed');
      const { events } = await read(turn);
      assert.deepEqual(types(events), ['response.created', 'response.output_text.delta', 'response.completed']);
    },
  );

  scenario(
    'the failure of a turn that nobody reads is no unhandled rejection',
    { create: (peer) => peer.close(1011) },
    { transport: 'websocket' },
    async ({ client }) => {
      const turn = client.turn(question);
      await eventually('it has ended', () => turn.report.outcome === 'lost');
      for (let tick = 0; tick < 5; tick += 1) await new Promise((resolve) => setImmediate(resolve));
    },
  );
});
