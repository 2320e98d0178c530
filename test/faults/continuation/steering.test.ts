// P47–P52, P111: a response that runs is given more input, and its successor comes unasked.
import assert from 'node:assert/strict';
import { createClient } from '@turnwire/client';
import { ManualClock, startEmulator } from 'turnwire/emulator';
import { describe, test } from 'node:test';
import { completed, created, delta, functionCall, message, reply, response } from '../server/events.js';
import { eventually, read, scenario, types } from '../scenario.js';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

const question = { model: 'test', input: 'go' };
const webSocket = { transport: 'websocket' } as const;
const steer = { id: 'steer_1', previous_response_id: 'resp_1' };
const accepted = { type: 'response.steer.accepted', steer };
const cutShort: Json = {
  type: 'response.incomplete',
  response: response('resp_1', 'incomplete', {
    output: [message('Long ago', 'msg_a')],
    incomplete_details: { reason: 'steered' },
  }),
};

/** A server whose first answer stands still after its beginning, until it is steered. */
function steerable(steered: (peer: Peer, message: Json) => void): Script {
  return {
    create: (peer, _create, count) => {
      if (count === 1) peer.events(created('resp_1'), delta('Long'));
      else peer.events(...reply(`resp_next_${count}`, 'fine'));
    },
    message: steered,
  };
}

describe('steering', () => {
  scenario(
    'P47, P48: input from before the response is sent when it begins; the turn goes on into the successor',
    steerable((peer) =>
      peer.events(accepted, cutShort, created('resp_2'), delta('Short'), completed('resp_2', [message('Short')])),
    ),
    webSocket,
    async ({ client, server }) => {
      const turn = client.turn(question);
      const answer = turn.steer('Shorter!');
      const { events, text, error } = await read(turn);
      assert.equal(error, undefined);
      assert.deepEqual(await answer, { name: 'accepted', id: 'steer_1', error: undefined });
      assert.deepEqual(server.peer(1).messages, [
        { type: 'response.steer', previous_response_id: 'resp_1', input: 'Shorter!' },
      ]);
      assert.equal(server.creates, 1);
      assert.equal(text, 'Short');
      assert.deepEqual(
        turn.responses.map(({ id, status }) => [id, status]),
        [
          ['resp_1', 'incomplete'],
          ['resp_2', 'completed'],
        ],
      );
      assert.deepEqual([turn.report.responseId, turn.report.outcome], ['resp_2', 'completed']);
      assert.deepEqual(types(events), [
        'response.created',
        'response.output_text.delta',
        'response.steer.accepted',
        'response.incomplete',
        'response.created',
        'response.output_text.delta',
        'response.completed',
      ]);
    },
  );

  scenario(
    'P48: a conversation holds its input and the steered input, and continues the successor',
    steerable((peer) => peer.events(accepted, cutShort, created('resp_2'), completed('resp_2', [message('Short')]))),
    webSocket,
    async ({ client, server }) => {
      const first = client.turn({ ...question, store: false });
      const answer = first.steer([{ role: 'user', content: 'Shorter!' }]);
      await read(first);
      await answer;
      const history = [
        { role: 'user', content: 'go' },
        ...first.responses.slice(0, 1).flatMap(({ output }) => output),
        { role: 'user', content: 'Shorter!' },
        ...first.responses.slice(1).flatMap(({ output }) => output),
        { role: 'user', content: 'thanks' },
      ];
      const next = client.turn({ model: 'test', store: false, input: history as never });
      assert.equal((await read(next)).text, 'fine');
      assert.equal(next.report.plan, 'delta');
      const { previous_response_id: previous, input } = server.peer(1).creates[1] ?? {};
      assert.deepEqual([previous, input], ['resp_2', [{ role: 'user', content: 'thanks' }]]);
    },
  );

  for (const isTold of [true, false]) {
    scenario(
      `P49: a response that ends for the client’s tools ends the turn, ${isTold ? 'and the input waits' : 'also where no further event comes'}`,
      steerable((peer) => {
        const pending = {
          type: 'response.steer.pending',
          steer,
          reason: 'waiting_for_required_input',
          required_input: [],
        };
        peer.events(accepted, completed('resp_1', [functionCall('call_1')]), ...(isTold ? [pending] : []));
      }),
      webSocket,
      async ({ client, server }) => {
        const turn = client.turn(question);
        const answer = turn.steer('Shorter!');
        const { events, error } = await read(turn);
        assert.equal(error, undefined);
        assert.equal((await answer).name, 'accepted');
        assert.equal(types(events).at(-1), isTold ? 'response.steer.pending' : 'response.completed');
        assert.deepEqual([server.creates, server.peer(1).messages.length], [1, 1]);
      },
      { quick: true },
    );
  }

  let creates = 0;
  scenario(
    'P49: waiting input is part of the history, and is sent in full where its connection is lost',
    {
      create: (peer) => {
        creates += 1;
        if (creates === 1) peer.events(created('resp_1'), delta('Long'));
        else peer.events(...reply('resp_2', 'fine'));
      },
      message: (peer) => {
        peer.events(accepted, completed('resp_1', [functionCall('call_1')]));
        peer.events({ type: 'response.steer.pending', steer, reason: 'waiting_for_required_input' });
      },
    },
    webSocket,
    async ({ client, server }) => {
      const turn = client.turn({ ...question, store: true });
      const answer = turn.steer('Shorter!');
      assert.equal((await read(turn)).error, undefined);
      await answer;
      const steered = { type: 'message', role: 'user', content: 'Shorter!' };
      assert.deepEqual(turn.added, [functionCall('call_1'), steered]);
      const output = { type: 'function_call_output', call_id: 'call_1', output: 'done' };
      server.peer(1).close(1001, 'going away');
      await eventually('the connection has ended', () => client.stats.connections === 0);
      const history = [{ role: 'user', content: 'go' }, ...turn.added, output];
      const next = client.turn({ model: 'test', store: true, input: history as never });
      assert.equal((await read(next)).text, 'fine');
      const { previous_response_id: previous, input } = server.peer(2).creates[0] ?? {};
      assert.deepEqual([previous, input], [undefined, history]);
    },
  );

  test('input that waits for the next turn is among the items of a conversation, and is not sent again to a server that holds it', async (t) => {
    const clock = new ManualClock();
    const emulator = await startEmulator({
      clock,
      latency: { firstTokenMs: 50 },
      script: { turns: [{ calls: [{ name: 'look' }] }, { text: 'Seen.' }] },
    });
    const client = createClient({ baseUrl: emulator.url, apiKey: 'none', transport: 'websocket' });
    t.after(() => {
      client.destroy();
      return emulator.close();
    });
    const chat = client.conversation({ model: 'gpt-6' });
    const first = chat.turn({ input: 'go' });
    // The response stands still until it was steered.
    assert.equal((await first.steer('Shorter!')).name, 'accepted');
    const passing = setInterval(() => void clock.advance(50), 5);
    t.after(() => clearInterval(passing));
    const { output } = await first.response();
    const call = output.find((item) => item.type === 'function_call');
    assert(call?.type === 'function_call');
    assert.deepEqual(chat.items.at(-1), { type: 'message', role: 'user', content: 'Shorter!' });
    const next = chat.turn({ input: [{ type: 'function_call_output', call_id: call.call_id, output: 'done' }] });
    assert.equal(await next.text(), 'Seen.');
    assert.equal(next.report.plan, 'delta');
    // The server's own account of what the model was told: once, and before the result.
    const told = JSON.stringify(emulator.journal.turns().at(-1)?.transcript);
    assert.equal(told.match(/Shorter!/g)?.length, 1);
    assert(told.indexOf('Shorter!') < told.indexOf('function_call_output'), told);
  });

  scenario(
    'P51: refused input is reported with its reason, and the response ends unchanged',
    steerable((peer) => {
      const error = { type: 'invalid_request_error', code: 'steering_not_supported', message: 'not this model' };
      peer.events({ type: 'response.steer.failed', steer: { ...steer, input: 'Shorter!' }, error });
      peer.events(completed('resp_1', [message('Long')]));
    }),
    webSocket,
    async ({ client }) => {
      const turn = client.turn(question);
      const answer = turn.steer('Shorter!');
      assert.equal((await read(turn)).text, 'Long');
      assert.deepEqual(await answer, {
        name: 'failed',
        id: 'steer_1',
        error: { code: 'steering_not_supported', message: 'not this model' },
      });
    },
  );

  scenario(
    'P51: without a successor the turn ends with the response that it has',
    steerable((peer) => {
      const error = { type: 'invalid_request_error', code: 'successor_creation_failed', message: 'no' };
      peer.events(accepted, cutShort, { type: 'response.steer.failed', steer: { ...steer, input: 'Shorter!' }, error });
    }),
    webSocket,
    async ({ client }) => {
      const turn = client.turn(question);
      const answer = turn.steer('Shorter!');
      assert.equal((await read(turn)).text, 'Long ago');
      assert.equal((await answer).name, 'accepted');
      assert.equal(turn.report.outcome, 'incomplete');
    },
  );

  scenario(
    'P51: where the answer to steering is lost with the connection, its fate is unknown and it is not sent again',
    steerable((peer) => peer.rst()),
    { transport: 'auto' },
    async ({ client, server }) => {
      const turn = client.turn(question);
      const answer = turn.steer('Shorter!');
      const outcome = assert.rejects(answer, { code: 'connection_lost' });
      assert.equal((await read(turn)).error?.code, 'connection_lost');
      await outcome;
      assert.deepEqual([server.creates, server.posts, server.peer(1).messages.length], [1, 0, 1]);
    },
  );

  scenario(
    'P48: a successor that never comes is waited for within a bound',
    steerable((peer) => peer.events(accepted, cutShort)),
    webSocket,
    async ({ client, server }) => {
      const turn = client.turn(question);
      const answer = turn.steer('Shorter!');
      const { error } = await read(turn);
      assert.equal(error?.code, 'successor_timeout');
      assert.equal((await answer).name, 'accepted');
      await server.peer(1).ended;
    },
    { quick: 100, budgetMs: 90_000 },
  );

  scenario(
    'P47: over SSE steering is refused, and the turn goes on',
    {
      post: (peer) => {
        peer.stream();
        peer.sse(...reply('resp_1', 'fine'));
        peer.endStream();
      },
    },
    { transport: 'sse' },
    async ({ client }) => {
      const turn = client.turn(question);
      const refused = assert.rejects(turn.steer('Shorter!'), { code: 'invalid_request', message: /WebSocket only/ });
      assert.equal((await read(turn)).text, 'fine');
      await refused;
      await assert.rejects(turn.steer('Too late'), { code: 'invalid_request', message: /has ended/ });
    },
  );

  test('P47, P48: steering a turn of the emulator', { timeout: 10_000 }, async () => {
    const emulator = await startEmulator({
      latency: { firstTokenMs: 50 },
      script: { turns: [{ reasoning: 'Long thoughts.', text: 'A long story.' }, { text: 'Now: {{ input }}' }] },
    });
    const client = createClient({ apiKey: 'sk-test', baseUrl: emulator.url, transport: 'websocket' });
    try {
      const turn = client.turn({ model: 'gpt-6', input: 'go', store: false });
      const answer = turn.steer('Shorter!');
      await eventually('it is answered', () => turn.report.phase !== 'queued');
      assert.equal((await answer).name, 'accepted');
      assert.equal(await turn.text(), 'Now: Shorter!');
      assert.deepEqual(
        turn.responses.map(({ status }) => status),
        ['incomplete', 'completed'],
      );
    } finally {
      client.destroy();
      await emulator.close();
    }
  });
});
