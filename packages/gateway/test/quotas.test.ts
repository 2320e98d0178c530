import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../dist/base/refusal.js';
import { LocalQuotas } from '../dist/relay/access/quotas.js';
import type { Policy, Principal } from '../dist/upstream/principal.js';

function principal(policy: Partial<Policy>): Principal {
  const all: Policy = {
    models: undefined,
    aliases: new Map(),
    concurrentTurns: undefined,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
    ...policy,
  };
  return { id: 'p', name: 'p', received: {}, identity: {}, policy: all };
}

/** The seconds after which a refused one may come back; 0 for one that may begin. */
function wait(quotas: LocalQuotas, one: Principal): number {
  try {
    quotas.check(one);
    return 0;
  } catch (error) {
    assert(error instanceof Refusal);
    assert.equal(error.status, 429);
    return Number(error.headers['retry-after']);
  }
}

describe('gateway quotas', () => {
  test('refill requests evenly over the minute', () => {
    let now = 0;
    const quotas = new LocalQuotas(() => now);
    const one = principal({ requestsPerMinute: 6 });
    for (let turn = 0; turn < 6; turn += 1) quotas.begin(one)(0);
    assert.equal(wait(quotas, one), 10);
    now += 4000;
    assert.equal(wait(quotas, one), 6);
    now += 6000;
    assert.equal(wait(quotas, one), 0);
    quotas.begin(one)(0);
    assert.equal(wait(quotas, one), 10);
  });

  test('take the tokens of a turn at its end, even more than are left', () => {
    let now = 0;
    const quotas = new LocalQuotas(() => now);
    const one = principal({ tokensPerMinute: 600 });
    quotas.begin(one)(1200);
    // Clients take a minute and more for no answer: who comes after 59 s is asked to wait again.
    assert.equal(wait(quotas, one), 59);
    now += 59_000;
    assert.equal(wait(quotas, one), 2);
    now -= 59_000;
    now += 61_000;
    assert.equal(wait(quotas, one), 0);
  });

  test('never refill above the limit of a minute', () => {
    let now = 0;
    const quotas = new LocalQuotas(() => now);
    const one = principal({ requestsPerMinute: 2 });
    assert.equal(wait(quotas, one), 0);
    now += 3_600_000;
    for (let turn = 0; turn < 2; turn += 1) quotas.begin(one)(0);
    assert.equal(wait(quotas, one), 30);
  });

  test('count turns at once until they end', () => {
    const quotas = new LocalQuotas(() => 0);
    const one = principal({ concurrentTurns: 1 });
    const end = quotas.begin(one);
    assert.equal(wait(quotas, one), 1);
    end(0);
    assert.equal(wait(quotas, one), 0);
  });

  test('do not limit a key that is passed through', () => {
    const quotas = new LocalQuotas(() => 0);
    const passed: Principal = { id: 'x', name: 'x', received: {}, identity: {}, policy: undefined };
    for (let turn = 0; turn < 1000; turn += 1) quotas.begin(passed);
    assert.equal(wait(quotas, passed), 0);
  });
});
