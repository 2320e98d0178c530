import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IdleTimer } from '../../../dist/turn/attempt/idle-timer.js';
import { FakeClock } from '../../base/fake-clock.js';

describe('idle timer', () => {
  test('silence is told once, when it has lasted', () => {
    const clock = new FakeClock();
    const silence = new IdleTimer(clock);
    let told = 0;
    silence.watch(100, 100, () => (told += 1));
    clock.advance(99);
    assert.equal(told, 0);
    clock.advance(1);
    assert.equal(told, 1);
    clock.advance(1000);
    assert.equal(told, 1);
  });

  test('each sign of life counts anew', () => {
    const clock = new FakeClock();
    const silence = new IdleTimer(clock);
    let told = 0;
    silence.watch(100, 100, () => (told += 1));
    for (let sign = 0; sign < 20; sign += 1) {
      clock.advance(90);
      silence.eventReceived(clock.now());
    }
    assert.equal(told, 0);
    clock.advance(99);
    assert.equal(told, 0);
    clock.advance(2);
    assert.equal(told, 1);
  });

  test('stopped, or watching for something else, it says nothing of the old', () => {
    const clock = new FakeClock();
    const silence = new IdleTimer(clock);
    const told: string[] = [];
    silence.watch(100, 100, () => told.push('first'));
    silence.watch(200, 200, () => told.push('second'));
    clock.advance(150);
    assert.equal(told.length, 0);
    clock.advance(50);
    assert.equal(told.join(), 'second');
    silence.watch(100, 100, () => told.push('third'));
    silence.cancel();
    clock.advance(1000);
    assert.equal(told.join(), 'second');
    assert.equal(clock.waiting, 0);
  });

  test('a pong is a sign of life, and counts for the longer limit no more than silence does (F8)', () => {
    const clock = new FakeClock();
    const silence = new IdleTimer(clock);
    let told = 0;
    silence.watch(100, 1000, () => (told += 1));
    for (let passed = 0; passed < 990; passed += 90) {
      clock.advance(90);
      silence.peerAlive();
    }
    assert.equal(told, 0);
    clock.advance(11);
    assert.equal(told, 1);
  });

  test('a longer limit is kept from when it was set, and a timer is set anew only where it would come too late', () => {
    const clock = new FakeClock();
    const silence = new IdleTimer(clock);
    const told: string[] = [];
    silence.watch(100, 100, () => told.push('first'));
    clock.advance(60);
    silence.watch(300, 300, () => told.push('second'));
    assert.equal(clock.waiting, 1);
    clock.advance(299);
    assert.equal(told.join(), '');
    clock.advance(1);
    assert.equal(told.join(), 'second');
    silence.watch(300, 300, () => told.push('third'));
    silence.watch(50, 50, () => told.push('fourth'));
    assert.equal(clock.waiting, 1);
    clock.advance(49);
    assert.equal(told.join(), 'second');
    clock.advance(1);
    assert.equal(told.join(), 'second,fourth');
    silence.watch(Infinity, Infinity, () => told.push('never'));
    clock.advance(1e9);
    assert.equal(told.join(), 'second,fourth');
  });
});
