// P48–P51: what a turn that was steered still waits for, whatever the order of the answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Steering } from '../../dist/response/steering.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';
import type { Response } from '../../dist/protocol/response.js';

const says = (name: string, id?: string): ResponseEvent =>
  ({ type: `response.steer.${name}`, steer: { id, previous_response_id: 'r' } }) as unknown as ResponseEvent;
const ended = (outcome: 'completed' | 'incomplete', reason?: string) => ({
  outcome,
  response: {
    id: 'r',
    output: [],
    incomplete_details: reason === undefined ? null : { reason },
  } as unknown as Response,
});

test('nothing was steered: the end is the end', () => {
  assert.equal(new Steering().waitAfter(ended('completed')), undefined);
});

test('accepted, completed: a successor follows', () => {
  const steering = new Steering();
  steering.sent();
  steering.onEvent(says('accepted', 's1'));
  assert.equal(steering.waitAfter(ended('completed'))?.onTimeout, 'fail');
  steering.succeeded();
  assert.equal(steering.waitAfter(ended('completed')), undefined);
});

test('pending and failed end the wait, accepted before or not', () => {
  for (const answers of [[says('failed')], [says('accepted', 's1'), says('pending', 's1')]]) {
    const steering = new Steering();
    steering.sent();
    assert.ok(steering.waitAfter(ended('completed')));
    for (const answer of answers) steering.onEvent(answer);
    assert.equal(steering.pending, false);
  }
});

test('the late refusal of one submission does not take another one for it', () => {
  const steering = new Steering();
  steering.sent();
  steering.onEvent(says('accepted', 's1'));
  steering.sent();
  assert.ok(steering.waitAfter(ended('incomplete', 'steered')));
  steering.succeeded();
  // The second was sent to the response that has just ended, the third to the one that runs.
  steering.sent();
  steering.onEvent(says('failed'));
  steering.onEvent(says('accepted', 's3'));
  assert.equal(steering.waitAfter(ended('completed'))?.onTimeout, 'fail');
});

test('a successor that could not be made is not waited for', () => {
  const steering = new Steering();
  steering.sent();
  steering.onEvent(says('accepted', 's1'));
  assert.ok(steering.waitAfter(ended('incomplete', 'steered')));
  steering.onEvent(says('failed', 's1'));
  assert.equal(steering.pending, false);
});
