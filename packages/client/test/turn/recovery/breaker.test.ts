// K1: when WebSocket rests, for how long, and who tries it again; on a clock that moves only when told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Breaker } from '../../../dist/turn/recovery/breaker.js';
import { FakeClock } from '../../base/fake-clock.js';
import type { BreakerFailureKind } from '../../../dist/turn/recovery/breaker-failure.js';

const minute = 60_000;
const failure = (kind: BreakerFailureKind, retryAfterMs?: number) => ({
  kind,
  retryAfterMs,
  why: `why ${kind}`,
  key: `reason ${kind}`,
});
const rest = (kind: BreakerFailureKind, forMs: number) => ({ why: `why ${kind}`, key: `reason ${kind}`, forMs });

function breaker(jitter = 0): { clock: FakeClock; breaker: Breaker } {
  const clock = new FakeClock();
  return { clock, breaker: new Breaker(clock, () => jitter) };
}

/** How many in a row open it, the first rest, and the longest; in minutes. */
const kinds: readonly [row: string, kind: BreakerFailureKind, after: number, rest: number, longest: number][] = [
  ['A1, P106', 'unsupported', 1, 10, 60],
  ['P92', 'policy', 1, 10, 60],
  ['A2', 'refused', 1, 1, 10],
  ['A5', 'busy', 1, 1, 10],
  ['A6', 'no_answer', 1, 1, 10],
  ['A8', 'unreachable', 5, 1, 10],
  ['K1', 'lost', 5, 1, 10],
];
describe('breaker', () => {
  for (const [row, kind, after, first, longest] of kinds) {
    test(`${row}: ${kind} opens after ${after}, for ${first} min, doubling to ${longest} min while probes fail`, () => {
      const { clock, breaker: it } = breaker();
      for (let count = 1; count < after; count += 1) it.failed(failure(kind));
      assert.equal(it.route(), 'websocket');
      it.failed(failure(kind));
      for (const expected of [1, 2, 4, 8, 16, 32].map((times) => times * first)) {
        const ms = Math.min(expected, longest) * minute;
        assert.deepEqual(it.route(), rest(kind, ms));
        clock.advance(ms - 1);
        assert.deepEqual(it.route(), rest(kind, 1));
        clock.advance(1);
        assert.equal(it.route(), 'probe');
        it.failed(failure(kind));
      }
    });
  }

  test('the breaker lets one turn probe, sends the others by SSE meanwhile, and closes when the probe succeeds', () => {
    const { clock, breaker: it } = breaker();
    it.failed(failure('busy'));
    clock.advance(minute);
    assert.equal(it.route(), 'probe');
    for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(it.route(), rest('busy', 2 * minute));
    it.succeeded();
    assert.equal(it.route(), 'websocket');
    assert.deepEqual(it.state, { name: 'closed', failures: 0 });
    // The next rest is a first one again.
    it.failed(failure('busy'));
    assert.deepEqual(it.route(), rest('busy', minute));
  });

  test('after an abandoned probe the next turn probes', () => {
    const { clock, breaker: it } = breaker();
    it.failed(failure('busy'));
    clock.advance(minute);
    assert.equal(it.route(), 'probe');
    it.abandoned();
    assert.equal(it.route(), 'probe');
    assert.notEqual(it.route(), 'probe');
  });

  test('a probe without a verdict is followed by another one after two minutes', () => {
    const { clock, breaker: it } = breaker();
    it.failed(failure('busy'));
    clock.advance(minute);
    assert.equal(it.route(), 'probe');
    clock.advance(2 * minute - 1);
    assert.deepEqual(it.route(), rest('busy', 1));
    clock.advance(1);
    assert.equal(it.route(), 'probe');
  });

  test('failures of all kinds are counted in a row, and a success sets the count back', () => {
    const { breaker: it } = breaker();
    for (const kind of ['lost', 'unreachable', 'lost', 'lost'] as const) it.failed(failure(kind));
    it.succeeded();
    for (const kind of ['lost', 'unreachable', 'lost', 'lost'] as const) it.failed(failure(kind));
    assert.equal(it.route(), 'websocket');
    it.failed(failure('lost'));
    assert.deepEqual(it.route(), rest('lost', minute));
  });

  test('turns that were on their way when the breaker opened neither close it nor lengthen its rest', () => {
    const { clock, breaker: it } = breaker();
    it.failed(failure('no_answer'));
    for (let turn = 0; turn < 9; turn += 1) it.failed(failure('no_answer'));
    it.succeeded();
    it.abandoned();
    assert.deepEqual(it.route(), rest('no_answer', minute));
    clock.advance(minute);
    assert.equal(it.route(), 'probe');
  });

  test('among turns that were on their way, the failure with the longest rest counts', () => {
    const { breaker: it } = breaker();
    it.failed(failure('busy'));
    it.failed(failure('unsupported'));
    it.failed(failure('busy'));
    assert.deepEqual(it.route(), rest('unsupported', 10 * minute));
  });

  for (const [asked, ms] of [
    [2000, 2000],
    [0, 1000],
    [5 * minute, 5 * minute],
    [86_400_000, 60 * minute],
  ] as const) {
    test(`A5: retry-after of ${asked} ms rests for ${ms} ms`, () => {
      const { breaker: it } = breaker();
      it.failed(failure('busy', asked));
      assert.deepEqual(it.route(), rest('busy', ms));
    });
  }

  test('rests are jittered, upwards', () => {
    const { breaker: it } = breaker(0.5);
    it.failed(failure('busy'));
    assert.deepEqual(it.route(), rest('busy', 63_000));
  });

  test('the state of the breaker says why it is open, since when and until when', () => {
    const { clock, breaker: it } = breaker();
    clock.advance(500);
    it.failed(failure('busy'));
    const busy = { kind: 'busy', why: 'why busy', key: 'reason busy' };
    const open = { name: 'open', ...busy, since: 500, until: 500 + minute, times: 1 };
    assert.deepEqual(it.state, open);
    clock.advance(minute);
    it.route();
    assert.deepEqual(it.state, {
      name: 'half_open',
      ...busy,
      since: 500,
      times: 1,
      probeSince: 500 + minute,
    });
    it.failed(failure('lost'));
    // Since the first rest, although the reason has changed.
    assert.deepEqual(it.state, {
      ...open,
      kind: 'lost',
      why: 'why lost',
      key: 'reason lost',
      until: 500 + 3 * minute,
      times: 2,
    });
  });

  test('C11: a request of a shape that a server closed without an answer goes by SSE, and no other request does', () => {
    const { clock, breaker: it } = breaker();
    it.failed(failure('shape'), 'a');
    assert.deepEqual(it.route('a'), {
      why: 'a request of this shape was closed without an answer before',
      key: 'shape',
      forMs: 10 * minute,
    });
    assert.equal(it.route('b'), 'websocket');
    assert.equal(it.route(), 'websocket');
    clock.advance(10 * minute);
    assert.equal(it.route('a'), 'websocket');
  });

  test('C11: a close that is put down to the shape of a request is no failure of the endpoint', () => {
    const { clock, breaker: it } = breaker();
    for (let turn = 0; turn < 20; turn += 1) it.failed(failure('shape'), 'a');
    assert.equal(it.route('b'), 'websocket');
    it.failed(failure('busy'));
    clock.advance(minute);
    assert.equal(it.route('c'), 'probe');
    it.failed(failure('shape'), 'c');
    assert.equal(it.route('b'), 'probe');
  });

  test('C11: 64 shapes are remembered; the oldest goes first', () => {
    const { breaker: it } = breaker();
    for (let shape = 0; shape < 64; shape += 1) it.failed(failure('shape'), `${shape}`);
    it.failed(failure('shape'), '0');
    it.failed(failure('shape'), 'one more');
    assert.equal(it.route('1'), 'websocket');
    for (const shape of ['0', '2', '63', 'one more']) assert.notEqual(it.route(shape), 'websocket');
  });

  test('Q10: a breaker opened by failed dials keeps turns from dialling only; one opened by losses or by a shape keeps them from open connections, too', () => {
    for (const kind of ['busy', 'no_answer', 'refused', 'unreachable', 'unsupported'] as const) {
      const { breaker: it } = breaker();
      for (let failures = 0; failures < 5; failures += 1) it.failed(failure(kind));
      assert.equal(it.suspendsDialsOnly(), true, kind);
      it.failed(failure('shape'), 'a');
      assert.deepEqual([it.suspendsDialsOnly('a'), it.suspendsDialsOnly('b')], [false, true]);
    }
    for (const kind of ['lost', 'policy'] as const) {
      const { breaker: it } = breaker();
      for (let failures = 0; failures < 5; failures += 1) it.failed(failure(kind));
      assert.equal(it.suspendsDialsOnly(), false, kind);
    }
  });
});
