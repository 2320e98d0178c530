// Turns that another node carries, over WebSockets: what a client can say to them while they run.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestSocket, codeOf, idOf } from '../websocket-client.js';
import { Talk, entries, joined, startNodes } from './nodes.js';
import { startRedis, withoutRedis } from './redis.js';
import { message } from '../setup.js';

describe('cluster: a turn that is handed over', { skip: withoutRedis }, () => {
  test('refuses to be steered, interrupted or injected into by a sentence that says why, and ends as it would have', async (t) => {
    const redis = await startRedis(t);
    const slow = { text: 'A story that is long enough to be steered.', pace: { tokens_per_second: 20 } };
    const { nodes, emulator } = await startNodes(t, redis, {}, { script: { turns: [{ text: 'One.' }, slow] } });
    await joined(redis, ...nodes);
    const talk = new Talk({ store: false, model: 'gpt-6' });
    await talk.say(nodes[0], 'Begin.');
    await entries(redis, 't1:{????????}r*', 1);
    const client = await TestSocket.open(nodes[1].gateway.url);
    t.after(() => client.socket.terminate());
    client.create({ store: false, model: 'gpt-6', input: [...talk.history, message('Go on.')] });
    const created = await client.next(({ type }) => type === 'response.created');
    const id = idOf(created);
    const why = /another gateway carries this turn/;

    client.send({ type: 'response.steer', previous_response_id: id, input: [message('Shorter.')] });
    const steer = await client.next(({ type }) => type.startsWith('response.steer.'));
    assert.deepEqual([steer.type, codeOf(steer)], ['response.steer.failed', 'steering_not_supported']);
    assert.match(JSON.stringify(steer), why);

    client.send({ type: 'response.inject', response_id: id, input: [] });
    const inject = await client.next(({ type }) => type.startsWith('response.inject.'));
    assert.deepEqual([inject.type, codeOf(inject)], ['response.inject.failed', 'inject_not_supported']);
    assert.match(JSON.stringify(inject), why);

    client.send({ type: 'response.interrupt', response_id: id, mode: 'discard_partial_items' });
    const interrupt = await client.next(({ type }) => type === 'error');
    assert.equal(codeOf(interrupt), 'interrupt_not_supported');
    assert.match(JSON.stringify(interrupt), why);

    assert.equal((await client.end()).type, 'response.completed');
    assert.deepEqual(
      emulator.journal.turns().map(({ plan, outcome }) => [plan, outcome]),
      [
        ['full', 'completed'],
        ['delta', 'completed'],
      ],
    );
  });
});
