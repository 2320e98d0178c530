import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Activity } from '../dist/admin/activity.js';
import type { TurnRecord } from '../dist/relay/turn-record.js';

function record(given: Partial<TurnRecord> = {}): TurnRecord {
  return {
    principal: 'team',
    model: 'm',
    downstream: 'sse',
    transport: 'websocket',
    plan: 'full',
    reason: 'first_turn',
    fallback: undefined,
    outcome: 'completed',
    error: undefined,
    attempts: 1,
    client_bytes: 1000,
    upstream_bytes: 1000,
    saved_bytes: 0,
    first_event_ms: 1,
    total_ms: 2,
    response_id: 'resp_1',
    previous_response_id: undefined,
    usage: undefined,
    ...given,
  };
}

describe('gateway activity', () => {
  test('counts full turns by their reason, without the index in it', () => {
    const activity = new Activity();
    for (const reason of ['history_diverged_at: 7', 'history_diverged_at: 9', 'fields_changed: tools'])
      activity.settled(record({ reason }));
    activity.settled(record({ plan: 'delta', reason: 'explicit' }));
    assert.deepEqual(activity.total.full_reasons, { history_diverged_at: 2, 'fields_changed: tools': 1 });
    assert.deepEqual([activity.total.turns, activity.total.deltas], [4, 1]);
  });

  test('keeps the last 50 turns, the newest first', () => {
    const activity = new Activity();
    for (let turn = 1; turn <= 60; turn += 1) activity.settled(record({ response_id: `resp_${turn}` }));
    const ids = activity.turns.map((turn) => turn.response_id);
    assert.deepEqual([ids.length, ids[0], ids[49]], [50, 'resp_60', 'resp_11']);
    assert.equal(activity.total.turns, 60);
  });

  test('keeps 200 principals, and forgets those whose last turn is the oldest', () => {
    const activity = new Activity();
    for (let key = 1; key <= 200; key += 1) activity.settled(record({ principal: `key-${key}` }));
    activity.settled(record({ principal: 'key-1' }));
    activity.settled(record({ principal: 'key-201' }));
    const names = activity.principals.map(({ name }) => name);
    assert.deepEqual([names.length, names[0], names[1], names.includes('key-2')], [200, 'key-201', 'key-1', false]);
    assert.equal(activity.total.turns, 202);
  });

  test('keeps a bounded number of reasons, whose names come from clients', () => {
    const activity = new Activity();
    for (let field = 1; field <= 100; field += 1) activity.settled(record({ reason: `fields_changed: x${field}` }));
    const { other, ...named } = activity.total.full_reasons;
    assert.deepEqual([Object.keys(named).length, other], [40, 60]);
  });

  test('counts a reason that has the name of a property of Object', () => {
    const activity = new Activity();
    activity.settled(record({ reason: 'constructor', transport: 'sse' }));
    assert.equal(activity.total.full_reasons['constructor'], 1);
  });

  test('keeps only the token counts of a turn, whatever else the upstream wrote into its usage', () => {
    const activity = new Activity();
    const usage = { input_tokens: 9, input_tokens_details: { cached_tokens: 4 }, output_tokens: 'many', note: 'x' };
    activity.settled(record({ usage: usage as never }));
    activity.settled(record({ usage: 'none' as never }));
    const [second, first] = activity.turns;
    assert.deepEqual([first?.input_tokens, first?.cached_tokens, first?.output_tokens], [9, 4, undefined]);
    assert.doesNotMatch(JSON.stringify(first), /note/);
    assert.deepEqual([second?.input_tokens, activity.total.input_tokens], [undefined, 9]);
  });
});
