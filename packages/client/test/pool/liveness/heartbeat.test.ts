import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Heartbeat } from '../../../dist/pool/liveness/heartbeat.js';
import { FakeClock } from '../../base/fake-clock.js';
import type { HeartbeatTarget } from '../../../dist/pool/liveness/heartbeat.js';

const pingMs = 20_000;
const pongMs = 10_000;

class Patient implements HeartbeatTarget {
  readonly clock = new FakeClock();
  bytesRead = 0;
  suspended = false;
  busy = true;
  readonly pings: { payload: string; at: number }[] = [];
  standstills = 0;
  diedAt: number | undefined;
  readonly heart: Heartbeat;

  constructor(options: { pingMs?: number } = {}) {
    this.heart = new Heartbeat({ clock: this.clock, pingMs, pongMs, ...options }, this);
  }

  ping(payload: string): void {
    this.pings.push({ payload, at: this.clock.now() });
  }

  framesReceived(): void {}

  processStalled(): void {
    this.standstills += 1;
  }

  pongMissed(): void {
    this.diedAt = this.clock.now();
    this.heart.stop();
  }

  /** Answers the last ping. */
  answer(): void {
    this.heart.pongReceived(this.pings.at(-1)?.payload ?? '');
  }
}

describe('heartbeat', () => {
  test('B8: a ping goes out after the silence, and not while frames come', () => {
    const patient = new Patient();
    for (let second = 0; second < 60; second += 1) {
      patient.heart.frameReceived();
      patient.clock.advance(1000);
    }
    assert.deepEqual(patient.pings, []);
    patient.clock.advance(pingMs);
    assert.equal(patient.pings.length, 1);
  });

  test('B3: who has answered once and then does not is dead at one pong timeout', () => {
    const patient = new Patient();
    patient.clock.advance(pingMs);
    patient.answer();
    patient.clock.advance(60_000);
    assert.equal(patient.pings.length, 2);
    assert.ok(patient.diedAt !== undefined);
    const waited = patient.diedAt - (patient.pings[1]?.at ?? 0);
    assert.ok(waited >= pongMs && waited < pongMs + 1000, String(waited));
    assert.equal(patient.clock.waiting, 0);
  });

  test('Q11: the ping at the opening makes a missing pong count, also after frames without a pause', () => {
    const patient = new Patient();
    patient.heart.start();
    assert.equal(patient.pings.length, 1);
    patient.clock.advance(20);
    patient.answer();
    let lastFrame = 0;
    for (let second = 0; second < 47; second += 1) {
      patient.heart.frameReceived();
      lastFrame = patient.clock.now();
      patient.clock.advance(1000);
    }
    // The link dies with the last frame.
    patient.clock.advance(10 * 60_000);
    const noticed = (patient.diedAt ?? Infinity) - lastFrame;
    assert.ok(noticed <= pingMs + pongMs, String(noticed));
  });

  test('Q11: without pings there is none at the opening', () => {
    const patient = new Patient({ pingMs: Infinity });
    patient.heart.start();
    assert.deepEqual(patient.pings, []);
  });

  test('B3: who never answers is asked again and again, and not given up', () => {
    const patient = new Patient();
    patient.clock.advance(10 * 60_000);
    assert.equal(patient.diedAt, undefined);
    assert.ok(patient.pings.length > 10);
  });

  test('B6: after a standstill it is doubtful also before its late timer runs', () => {
    const patient = new Patient();
    patient.clock.advance(1000);
    patient.heart.turnEnded();
    assert.equal(patient.heart.needsValidation, false);
    // Less than what is fresh, so that the age alone says nothing; and no timer has run.
    patient.clock.block(10_000);
    assert.equal(patient.heart.needsValidation, true);
  });

  test('B6: a beat that is late by less than what counts as a standstill raises no doubt', () => {
    const patient = new Patient();
    // Due after a quarter of the silence, and one and a half seconds late.
    patient.clock.block(pingMs / 4 + 1500);
    assert.equal(patient.heart.needsValidation, false);
  });

  test('B4: no second ping goes out before the first is answered', () => {
    const patient = new Patient();
    patient.clock.advance(pingMs);
    patient.answer();
    patient.clock.advance(pingMs);
    assert.equal(patient.pings.length, 2);
    patient.clock.advance(pongMs - 1);
    assert.equal(patient.pings.length, 2);
  });

  test('B4: a pong that was read late, after the timer, is a pong', () => {
    const patient = new Patient();
    patient.clock.advance(pingMs);
    patient.answer();
    patient.clock.advance(pingMs);
    // The loop was blocked: the timer fires 30 s late, and the pong is read after it.
    patient.clock.stall(30_000);
    assert.equal(patient.diedAt, undefined);
    patient.answer();
    patient.clock.advance(15_000);
    assert.equal(patient.diedAt, undefined);
  });

  test('B6: a timer that fires far too late is noticed', () => {
    const patient = new Patient();
    patient.clock.stall(6000 + pingMs);
    assert.equal(patient.standstills, 1);
  });

  test('B5: nothing is judged while a request is on its way or the reader is slow', () => {
    const patient = new Patient();
    patient.clock.advance(pingMs);
    patient.answer();
    patient.clock.advance(pingMs);
    patient.suspended = true;
    patient.clock.advance(10 * pongMs);
    assert.equal(patient.diedAt, undefined);
    patient.suspended = false;
    patient.clock.advance(2 * pongMs);
    assert.notEqual(patient.diedAt, undefined);
  });

  test('B9: a large frame on its way is life, and a drip is none', () => {
    for (const [bytes, lives] of [
      [100_000, true],
      [1, false],
    ] as const) {
      const patient = new Patient();
      patient.clock.advance(pingMs);
      patient.answer();
      patient.clock.advance(pingMs);
      for (let second = 0; second < 60; second += 1) {
        patient.bytesRead += bytes;
        patient.clock.advance(1000);
      }
      assert.equal(patient.diedAt === undefined, lives, `${bytes} bytes a second`);
    }
  });

  test('B1: what was heard within 30 s needs no question, whatever the pings', async () => {
    const patient = new Patient({ pingMs: Infinity });
    patient.clock.advance(30_000);
    assert.equal(patient.heart.needsValidation, false);
    patient.clock.advance(1);
    assert.equal(patient.heart.needsValidation, true);
    const checked = patient.heart.validate();
    assert.equal(patient.heart.validate(), checked);
    assert.equal(patient.pings.length, 1);
    patient.answer();
    assert.equal(await checked, true);
    assert.equal(patient.heart.needsValidation, false);
    assert.equal(patient.clock.waiting, 0);
  });

  test('B1: a check without an answer ends after two seconds, and an old pong is none', async () => {
    const patient = new Patient({ pingMs: Infinity });
    patient.clock.advance(31_000);
    const checked = patient.heart.validate();
    patient.heart.pongReceived('0');
    patient.clock.advance(2500);
    assert.equal(await checked, false);
  });

  test('B6: a suspect is doubtful until it answers a ping that went out later', () => {
    const patient = new Patient();
    patient.busy = false;
    patient.clock.advance(pingMs);
    const old = patient.pings.at(-1)?.payload ?? '';
    patient.heart.distrust();
    patient.heart.pongReceived(old);
    assert.equal(patient.heart.needsValidation, true);
    void patient.heart.validate();
    patient.answer();
    assert.equal(patient.heart.needsValidation, false);
  });
});
