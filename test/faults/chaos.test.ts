// C2, C3, D4, H1, I7: random faults over many interleaved conversations. Nothing is lost, doubled or mixed up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Blame } from './chaos/blame.js';
import { chaos } from './chaos/chaos.js';
import { RunningTime } from './chaos/running-time.js';
import type { Turn } from '@turnwire/client';
import type { Peer } from './server/peer.js';

const seeds = process.env['TURNWIRE_SEED'] === undefined ? [1, 2, 3] : [Number(process.env['TURNWIRE_SEED'])];

for (const seed of seeds) {
  test(`chaos with seed ${seed}`, { timeout: 60_000 }, async (context) => {
    const tally = await chaos({ seed, conversations: 12, turns: 12 });
    const told = `seed ${seed} (TURNWIRE_SEED=${seed} npm test -- chaos)\n${String(tally)}`;
    for (const line of told.split('\n')) context.diagnostic(line);
    assert.ok(tally.turns >= 144, told);
    assert.ok(tally.faults.size >= 10, told);
    assert.ok(tally.recoveries.size > 0, told);
    assert.deepEqual(tally.wrong, [], told);
  });
}

test(
  'chaos through a gateway: nothing is lost, doubled, mixed up or asked with the key of another tenant',
  {
    timeout: 60_000,
  },
  async (context) => {
    const tally = await chaos({ seed: 3, conversations: 12, turns: 3, gateway: true });
    for (const line of String(tally).split('\n')) context.diagnostic(line);
    assert.ok(tally.turns >= 36 && tally.faults.size >= 5, String(tally));
    assert.deepEqual(tally.wrong, [], String(tally));
  },
);

test('chaos: time in which the process stood still is not counted against a server in it', async () => {
  const time = new RunningTime(1);
  const fired: string[] = [];
  const timer = (name: string, ms: number): Promise<void> =>
    new Promise((resolve) => {
      time.after(ms, () => {
        fired.push(name);
        resolve();
      });
    });
  const both = [timer('late', 60), timer('early', 20)];
  const until = performance.now() + 200;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(time.now() <= 10, `${time.now()} ms have passed in one round of the loop`);
  await Promise.all(both);
  assert.deepEqual(fired, ['early', 'late']);
});

test('chaos: a lost turn is reported as lost', { timeout: 60_000 }, async () => {
  let lost = '';
  const tally = await chaos({
    seed: 1,
    conversations: 4,
    turns: 4,
    rate: 0,
    secretly: ({ peer, request, via }) => {
      const { mark } = request['metadata'] as { mark: string };
      if (via !== 'websocket' || (lost !== '' && lost !== mark)) return undefined;
      lost = mark;
      return { upTo: 2, after: () => peer.rst() };
    },
  });
  assert.notEqual(lost, '');
  assert.deepEqual(
    tally.lost.map((what) => what.startsWith(`${lost}: connection_lost`)),
    [true],
    tally.lost.join(),
  );
});

test('chaos: a fault on a connection explains the next turn of that connection, and no other', async () => {
  const faulted = await chaos({
    seed: 5,
    conversations: 12,
    turns: 12,
    rate: 1,
    only: ['ended after the terminal event', 'the terminal event twice'],
  });
  assert.deepEqual([faulted.lost, faulted.doubled, faulted.mixedUp], [[], [], []]);
});

describe('chaos: faults that explain a lost turn', () => {
  /** A turn that has written on these connections, in order. */
  const turn = (...connections: readonly number[]): Turn =>
    ({ report: { attempts: connections.map((connection) => ({ connection, sentBytes: 1 })) } }) as unknown as Turn;
  const peer = (number: number): Peer => ({ number }) as Peer;

  test('a fault explains the next turn of its connection, even if an earlier request of that turn never arrived', () => {
    const blame = new Blame();
    const second = peer(2);
    // The first attempt of `hit` was written to a dead connection: the server has had the second attempt alone.
    blame.begun('hit', turn(1, 2));
    blame.carried('hit', second);
    blame.struck('hit', second, false);
    blame.begun('next', turn(2, 3));
    blame.begun('other', turn(4));
    assert.deepEqual([blame.explains('next'), blame.explains('other')], [true, false]);
  });

  test('connections are told apart by the turns that they have carried', () => {
    const blame = new Blame();
    const second = peer(2);
    blame.begun('earlier', turn(2));
    blame.begun('hit', turn(1, 2));
    for (const mark of ['earlier', 'hit']) blame.carried(mark, second);
    blame.struck('hit', second, false);
    blame.begun('next', turn(1));
    assert.equal(blame.explains('next'), false);
  });
});
