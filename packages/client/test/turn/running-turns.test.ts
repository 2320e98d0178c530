import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningTurns } from '../../dist/turn/running-turns.js';
import type { Turn } from '../../dist/turn/turn.js';

// Of a turn nothing is asked here but which one it is.
const turns = ['a', 'b', 'c', 'd'].map((name) => ({ name }) as unknown as Turn);
const [a, b, c, d] = turns as [Turn, Turn, Turn, Turn];

function running(...of: Turn[]): RunningTurns {
  const all = new RunningTurns();
  for (const turn of of) all.add(turn);
  return all;
}

test('a turn that has ended is taken out, wherever it stands, and no other', () => {
  for (const gone of turns) {
    const all = running(...turns);
    all.delete(gone);
    assert.deepEqual(new Set(all.all), new Set(turns.filter((turn) => turn !== gone)));
    assert.equal(all.size, 3);
  }
});

test('one that is not there takes nobody out', () => {
  const all = running(a, b, c);
  all.delete(d);
  assert.deepEqual(new Set(all.all), new Set([a, b, c]));
  const none = running();
  none.delete(a);
  assert.equal(none.size, 0);
});

test('all of them can be ended one by one, each of which takes itself out', () => {
  const all = running(a, b, c, d);
  const ended: Turn[] = [];
  for (const turn of all.all) {
    ended.push(turn);
    all.delete(turn);
  }
  assert.deepEqual(ended, [a, b, c, d]);
  assert.equal(all.size, 0);
});
