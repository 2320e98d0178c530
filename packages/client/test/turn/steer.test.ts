// P47–P51: what becomes of each submission of a turn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnwireError } from '../../dist/protocol/errors/errors.js';
import { Submissions } from '../../dist/turn/steer.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';

const answer = (name: string, id: string, error?: object): ResponseEvent =>
  ({ type: `response.steer.${name}`, steer: { id }, ...(error === undefined ? {} : { error }) }) as ResponseEvent;

function speaker(): { frames: string[]; say: (frame: string) => boolean } {
  const frames: string[] = [];
  return { frames, say: (frame) => frames.push(frame) > 0 };
}

test('nothing is sent before the response has begun, and then everything, in order, to that response', () => {
  const submissions = new Submissions(undefined);
  const { frames, say } = speaker();
  for (const input of ['a', 'b']) submissions.submit(input, say).catch(() => {});
  assert.deepEqual(frames, []);
  submissions.responseBegan('resp_1');
  submissions.submit('c', say).catch(() => {});
  assert.deepEqual(
    frames.map((frame) => JSON.parse(frame) as unknown),
    ['a', 'b', 'c'].map((input) => ({ type: 'response.steer', previous_response_id: 'resp_1', input })),
  );
});

test('answers belong to the submissions in their order; what was accepted is a part of the successor', async () => {
  const submissions = new Submissions(undefined);
  const { say } = speaker();
  submissions.responseBegan('resp_1');
  const given = ['a', 'b', 'c'].map((input) => submissions.submit(input, say));
  submissions.read(answer('accepted', 'steer_1'));
  submissions.read(answer('failed', 'steer_2', { code: 'too_late', message: 'no' }));
  submissions.read(answer('pending', 'steer_3'));
  assert.deepEqual(await Promise.all(given), [
    { name: 'accepted', id: 'steer_1', error: undefined },
    { name: 'failed', id: 'steer_2', error: { code: 'too_late', message: 'no' } },
    { name: 'pending', id: 'steer_3', error: undefined },
  ]);
  assert.deepEqual(submissions.responseBegan('resp_2'), ['a']);
  assert.deepEqual(submissions.responseBegan('resp_3'), []);
});

test('what was accepted and fails later is no part of the successor, and answers nobody else', async () => {
  const submissions = new Submissions(undefined);
  const { say } = speaker();
  submissions.responseBegan('resp_1');
  const given = ['a', 'b'].map((input) => submissions.submit(input, say));
  submissions.read(answer('accepted', 'steer_1'));
  submissions.read(answer('failed', 'steer_1'));
  submissions.read(answer('accepted', 'steer_2'));
  assert.deepEqual(
    (await Promise.all(given)).map(({ name, id }) => [name, id]),
    [
      ['accepted', 'steer_1'],
      ['accepted', 'steer_2'],
    ],
  );
  assert.deepEqual(submissions.responseBegan('resp_2'), ['b']);
});

test('what was accepted, or is pending, and is in no response waits for the next turn, in the order of the submissions', async () => {
  const submissions = new Submissions(undefined);
  const { say } = speaker();
  submissions.responseBegan('resp_1');
  const given = ['a', 'b', 'c', 'd'].map((input) => submissions.submit(input, say));
  submissions.read(answer('accepted', 'steer_1'));
  submissions.read(answer('pending', 'steer_2'));
  submissions.read(answer('accepted', 'steer_3'));
  submissions.read(answer('failed', 'steer_4'));
  submissions.read(answer('pending', 'steer_1'));
  await Promise.all(given);
  assert.deepEqual(submissions.waiting, ['a', 'b', 'c']);
  submissions.read(answer('failed', 'steer_2'));
  assert.deepEqual(submissions.waiting, ['a', 'c']);
});

test('the end of the turn answers what the server has not', async () => {
  const lost = new TurnwireError('connection_lost', 'gone');
  for (const [error, code] of [
    [lost, 'connection_lost'],
    [undefined, 'invalid_request'],
  ] as const) {
    const submissions = new Submissions(undefined);
    const { say } = speaker();
    submissions.responseBegan('resp_1');
    const sent = assert.rejects(submissions.submit('a', say), { code });
    submissions.end(error);
    await sent;
  }
});

test('what cannot be sent is a rejection: no way for it, or no JSON', async () => {
  const submissions = new Submissions(undefined);
  submissions.responseBegan('resp_1');
  const said: string[] = [];
  const bySse = submissions.submit('a', (frame) => said.push(frame) < 0);
  await assert.rejects(bySse, { code: 'invalid_request', message: /over a WebSocket only/ });
  const circular: unknown[] = [];
  circular.push(circular);
  const { frames, say } = speaker();
  await assert.rejects(submissions.submit(circular as never, say), { code: 'invalid_request', message: /JSON/ });
  assert.deepEqual(frames, []);
  // Neither is waited for.
  submissions.read(answer('accepted', 'steer_1'));
  assert.deepEqual(submissions.responseBegan('resp_2'), []);
});
