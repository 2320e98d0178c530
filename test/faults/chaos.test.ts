// C2, C3, D4, H1, I7: random faults over many interleaved conversations. Nothing is lost, doubled or mixed up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos/chaos.js';

const seeds = process.env['TURNWIRE_SEED'] === undefined ? [1, 2, 3] : [Number(process.env['TURNWIRE_SEED'])];

for (const seed of seeds) {
  test(`chaos with seed ${seed}`, { timeout: 60_000 }, async (context) => {
    const tally = await chaos({ seed, conversations: 12, turns: 12 });
    const told = `seed ${seed} (TURNWIRE_SEED=${seed} npm test -- chaos)\n${String(tally)}`;
    for (const line of told.split('\n')) context.diagnostic(line);
    assert.ok(tally.turns >= 144, told);
    assert.ok(tally.faults.size >= 10, told);
    assert.ok(tally.recoveries.size > 0, told);
    assert.deepEqual(
      { lost: tally.lost, doubled: tally.doubled, mixedUp: tally.mixedUp },
      { lost: [], doubled: [], mixedUp: [] },
      told,
    );
  });
}

test('chaos: a turn that falls silent on a busy machine is given up, and not kept by the pongs of its connection', async () => {
  const tally = await chaos({
    seed: 1,
    conversations: 4,
    turns: 4,
    rate: 0,
    lagMs: 400,
    secretly: ({ via, request }) =>
      via === 'websocket' && (request['metadata'] as { mark: string }).mark === 'c0.0.0'
        ? { upTo: 2, after: () => {} }
        : undefined,
  });
  assert.match(tally.lost.join(), /^c0\.0\.0: idle_timeout/);
});

test('chaos: a turn that is really lost is told as lost', { timeout: 60_000 }, async () => {
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

test('chaos: a fault that hits the next turn of its connection explains that turn, and no other', async () => {
  const faulted = await chaos({
    seed: 5,
    conversations: 12,
    turns: 12,
    rate: 1,
    only: ['ended after the terminal event', 'the terminal event twice'],
  });
  assert.deepEqual([faulted.lost, faulted.doubled, faulted.mixedUp], [[], [], []]);
});
