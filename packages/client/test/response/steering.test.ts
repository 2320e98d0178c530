// P48–P51: what a turn that was steered still waits for, whatever the order of the answers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TurnwireError } from '../../dist/protocol/errors/errors.js';
import { Steering } from '../../dist/response/steering.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';
import type { Response } from '../../dist/protocol/response.js';

const steer = (steering: Steering): void => {
  steering.responseBegan('r');
  steering.submit('more', () => true).catch(() => {});
};
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

describe('steering: waiting for a successor', () => {
  test('nothing was steered: the end is the end', () => {
    assert.equal(new Steering().waitAfter(ended('completed')), undefined);
  });

  test('accepted, completed: a successor follows', () => {
    const steering = new Steering();
    steer(steering);
    steering.onEvent(says('accepted', 's1'));
    assert.equal(steering.waitAfter(ended('completed'))?.onTimeout, 'fail');
    steering.consume();
    assert.equal(steering.waitAfter(ended('completed')), undefined);
  });

  test('pending and failed end the wait, accepted before or not', () => {
    for (const answers of [[says('failed')], [says('accepted', 's1'), says('pending', 's1')]]) {
      const steering = new Steering();
      steer(steering);
      assert.ok(steering.waitAfter(ended('completed')));
      for (const answer of answers) steering.onEvent(answer);
      assert.equal(steering.expectsSuccessor, false);
    }
  });

  test('the late refusal of one submission does not take another one for it', () => {
    const steering = new Steering();
    steer(steering);
    steering.onEvent(says('accepted', 's1'));
    steer(steering);
    assert.ok(steering.waitAfter(ended('incomplete', 'steered')));
    steering.consume();
    // The second was sent to the response that has just ended, the third to the one that runs.
    steer(steering);
    steering.onEvent(says('failed'));
    steering.onEvent(says('accepted', 's3'));
    assert.equal(steering.waitAfter(ended('completed'))?.onTimeout, 'fail');
  });

  test('a successor that could not be made is not waited for', () => {
    const steering = new Steering();
    steer(steering);
    steering.onEvent(says('accepted', 's1'));
    assert.ok(steering.waitAfter(ended('incomplete', 'steered')));
    steering.onEvent(says('failed', 's1'));
    assert.equal(steering.expectsSuccessor, false);
  });
});

const answer = (name: string, id: string, error?: object): ResponseEvent =>
  ({ type: `response.steer.${name}`, steer: { id }, ...(error === undefined ? {} : { error }) }) as ResponseEvent;

function speaker(): { frames: string[]; say: (frame: string) => boolean } {
  const frames: string[] = [];
  return { frames, say: (frame) => frames.push(frame) > 0 };
}

describe('steering: submissions', () => {
  test('nothing is sent before the response has begun, and then everything, in order, to that response', () => {
    const steering = new Steering();
    const { frames, say } = speaker();
    for (const input of ['a', 'b']) steering.submit(input, say).catch(() => {});
    assert.deepEqual(frames, []);
    steering.responseBegan('resp_1');
    steering.submit('c', say).catch(() => {});
    assert.deepEqual(
      frames.map((frame) => JSON.parse(frame) as unknown),
      ['a', 'b', 'c'].map((input) => ({ type: 'response.steer', previous_response_id: 'resp_1', input })),
    );
  });

  test('answers belong to the steering in their order; what was accepted is a part of the successor', async () => {
    const steering = new Steering();
    const { say } = speaker();
    steering.responseBegan('resp_1');
    const given = ['a', 'b', 'c'].map((input) => steering.submit(input, say));
    steering.onEvent(answer('accepted', 'steer_1'));
    steering.onEvent(answer('failed', 'steer_2', { code: 'too_late', message: 'no' }));
    steering.onEvent(answer('pending', 'steer_3'));
    assert.deepEqual(await Promise.all(given), [
      { name: 'accepted', id: 'steer_1', error: undefined },
      { name: 'failed', id: 'steer_2', error: { code: 'too_late', message: 'no' } },
      { name: 'pending', id: 'steer_3', error: undefined },
    ]);
    assert.deepEqual(steering.consume(), ['a']);
    assert.deepEqual(steering.consume(), []);
  });

  test('steering that was accepted and fails later is no part of the successor, and answers no other steering', async () => {
    const steering = new Steering();
    const { say } = speaker();
    steering.responseBegan('resp_1');
    const given = ['a', 'b'].map((input) => steering.submit(input, say));
    steering.onEvent(answer('accepted', 'steer_1'));
    steering.onEvent(answer('failed', 'steer_1'));
    steering.onEvent(answer('accepted', 'steer_2'));
    assert.deepEqual(
      (await Promise.all(given)).map(({ name, id }) => [name, id]),
      [
        ['accepted', 'steer_1'],
        ['accepted', 'steer_2'],
      ],
    );
    assert.deepEqual(steering.consume(), ['b']);
  });

  test('steering that was accepted or is pending, and is in no response, waits for the next turn in its order', async () => {
    const steering = new Steering();
    const { say } = speaker();
    steering.responseBegan('resp_1');
    const given = ['a', 'b', 'c', 'd'].map((input) => steering.submit(input, say));
    steering.onEvent(answer('accepted', 'steer_1'));
    steering.onEvent(answer('pending', 'steer_2'));
    steering.onEvent(answer('accepted', 'steer_3'));
    steering.onEvent(answer('failed', 'steer_4'));
    steering.onEvent(answer('pending', 'steer_1'));
    await Promise.all(given);
    assert.deepEqual(steering.unconsumed, ['a', 'b', 'c']);
    steering.onEvent(answer('failed', 'steer_2'));
    assert.deepEqual(steering.unconsumed, ['a', 'c']);
  });

  test('the end of the turn answers what the server has not', async () => {
    const lost = new TurnwireError('connection_lost', 'gone');
    for (const [error, code] of [
      [lost, 'connection_lost'],
      [undefined, 'invalid_request'],
    ] as const) {
      const steering = new Steering();
      const { say } = speaker();
      steering.responseBegan('resp_1');
      const sent = assert.rejects(steering.submit('a', say), { code });
      steering.end(error);
      await sent;
    }
  });

  test('steering that cannot be sent is rejected: no way for it, or no JSON', async () => {
    const steering = new Steering();
    steering.responseBegan('resp_1');
    const said: string[] = [];
    const bySse = steering.submit('a', (frame) => said.push(frame) < 0);
    await assert.rejects(bySse, { code: 'invalid_request', message: /over a WebSocket only/ });
    const circular: unknown[] = [];
    circular.push(circular);
    const { frames, say } = speaker();
    await assert.rejects(steering.submit(circular as never, say), { code: 'invalid_request', message: /JSON/ });
    assert.deepEqual(frames, []);
    // Neither is waited for.
    steering.onEvent(answer('accepted', 'steer_1'));
    assert.deepEqual(steering.consume(), []);
  });
});
