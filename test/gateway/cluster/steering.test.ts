// Turns of WebSockets that another node carries: what a client says to them while they run reaches that node.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestSocket, codeOf, idOf } from '../websocket-client.js';
import { Talk, entries, joined, startNodes, until } from './nodes.js';
import { Shared, startRedis, withoutRedis } from './redis.js';
import { message } from '../setup.js';
import type { TestContext } from 'node:test';
import type { Event } from '../websocket-client.js';
import type { Nodes } from './nodes.js';
import type { RedisProcess } from './redis.js';

const headers = { authorization: 'Bearer sk-of-a-test', 'openai-beta': 'responses_multi_agent=v1' };
const params = { store: false, model: 'gpt-6' };

interface HandedOver extends Nodes {
  client: TestSocket;
  /** Of the response that runs. */
  id: string;
  history: readonly object[];
  /** The entry by which the other nodes find the first response. */
  bound: string;
}

describe('cluster: a turn of a WebSocket that is handed over', { skip: withoutRedis }, () => {
  let redis: RedisProcess;
  const shared = new Shared();
  after(() => shared.end());
  before(async () => {
    redis = await startRedis(shared);
  });

  /** Begins a chain on one node, and its second turn on another one. */
  async function handedOver(t: TestContext): Promise<HandedOver> {
    await redis.command('FLUSHALL');
    const slow = {
      reasoning: 'Let me think of this for a while.',
      text: 'A long story.',
      pace: { tokens_per_second: 10 },
    };
    const script = { turns: [{ text: 'One.' }, slow, { text: 'Short.' }, { text: 'The end.' }] };
    const cluster = await startNodes(t, redis, {}, { script });
    const { nodes } = cluster;
    await joined(redis, ...nodes);
    const talk = new Talk(params);
    await talk.say(nodes[0], 'Begin.', headers);
    const [bound = ''] = await entries(redis, 't1:{????????}r*', 1);
    const client = await TestSocket.open(nodes[1].gateway.url, headers);
    t.after(() => client.socket.terminate());
    const history = [...talk.history, message('Go on.')];
    client.create({ ...params, input: history });
    const id = idOf(await client.next(({ type }) => type === 'response.created'));
    return { ...cluster, client, id, history, bound };
  }

  /** Each turn that the upstream has read, and whether all went over the socket that has the chain. */
  const journal = ({ emulator }: Nodes): [plan: string, outcome: string | undefined][] => {
    const turns = emulator.journal.turns();
    assert.equal(new Set(turns.map(({ connection }) => connection)).size, 1);
    return turns.map(({ plan, outcome }) => [plan, outcome]);
  };

  const reasonOf = (event: Event): unknown =>
    (event['response'] as { incomplete_details?: { reason?: unknown } }).incomplete_details?.reason;

  test('is steered, and its chain goes on where it was', async (t) => {
    const turn = await handedOver(t);
    const { client, id, history, nodes } = turn;
    client.send({ type: 'response.steer', previous_response_id: id, input: [message('Shorter.')] });
    const accepted = await client.next(({ type }) => type.startsWith('response.steer.'));
    assert.equal(accepted.type, 'response.steer.accepted', JSON.stringify(accepted));
    const steered = await client.end();
    assert.deepEqual([steered.type, reasonOf(steered)], ['response.incomplete', 'steered']);
    const successor = await client.next(({ type }) => type === 'response.created');
    assert.notEqual(idOf(successor), id);
    const end = await client.end();
    assert.deepEqual([end.type, idOf(end)], ['response.completed', idOf(successor)]);
    assert.deepEqual(journal(turn), [
      ['full', 'completed'],
      ['delta', 'incomplete'],
      ['delta', 'completed'],
    ]);

    const output = (event: Event): object[] => (event['response'] as { output: object[] }).output;
    const said = [...history, ...output(steered), message('Shorter.'), ...output(end), message('And then?')];
    await until('the lease has moved', async () => (await redis.command('EXISTS', turn.bound)) === 0);
    const next = await nodes[2].ask({ ...params, input: said }, headers);
    assert.equal(next.status, 200);
    assert.equal(journal(turn).at(-1)?.[0], 'delta');
  });

  test('a turn that was handed over is interrupted', async (t) => {
    const turn = await handedOver(t);
    turn.client.send({ type: 'response.interrupt', response_id: turn.id, mode: 'discard_partial_items' });
    const end = await turn.client.end();
    assert.deepEqual([end.type, reasonOf(end)], ['response.incomplete', 'interrupted']);
    assert.deepEqual(journal(turn), [
      ['full', 'completed'],
      ['delta', 'incomplete'],
    ]);
  });

  test('is answered by the upstream where something is injected into it', async (t) => {
    const { client, id } = await handedOver(t);
    client.send({
      type: 'response.inject',
      response_id: id,
      input: [{ type: 'function_call_output', call_id: 'call_no', output: '' }],
    });
    const answer = await client.next(({ type }) => type.startsWith('response.inject.'));
    assert.deepEqual([answer.type, codeOf(answer)], ['response.inject.failed', 'response_not_found']);
    assert.match(JSON.stringify(answer), /waits for none/, 'a sentence of the upstream');
    assert.equal((await client.end()).type, 'response.completed');
  });

  test('is ended at the other node where its client leaves', async (t) => {
    const { client, emulator } = await handedOver(t);
    client.socket.terminate();
    await until('the upstream turn is ended', () => emulator.journal.turns()[1]?.outcome === 'aborted');
  });
});
