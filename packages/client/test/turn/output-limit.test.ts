import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChainMemory } from '../../dist/continuation/memory.js';
import { systemClock } from '../../dist/base/clock.js';
import { Diagnostics } from '../../dist/diagnostics.js';
import { limitsOf } from '../../dist/protocol/limits.js';
import { Frame } from '../../dist/protocol/frame.js';
import { Secrets } from '../../dist/protocol/errors/secrets.js';
import { Breaker } from '../../dist/turn/recovery/breaker.js';
import { Turn } from '../../dist/turn/turn.js';
import { ExpiringModels } from '../../dist/turn/recovery/expiring-models.js';
import { TurnRequest } from '../../dist/turn/request.js';
import type { TransportListener, Transport } from '../../dist/transport/transport.js';

const mebibyte = 1024 * 1024;

describe('output limit', () => {
  test('output items without end are a typed failure, and their transport call is ended', async () => {
    let receiver: TransportListener | undefined;
    let aborted = 0;
    const transport: Transport = {
      kind: 'websocket',
      carry: (_request, given) => {
        receiver = given;
        return { pause: () => true, resume: () => {}, send: () => false, abort: () => (aborted += 1) };
      },
    };
    const forever = {
      dialMs: Infinity,
      firstEventMs: Infinity,
      idleMs: Infinity,
      queueMs: Infinity,
      unreadMs: Infinity,
      pongMs: Infinity,
    };
    const turn = new Turn(
      {
        transports: { websocket: transport, sse: transport },
        clock: systemClock,
        random: () => 0,
        diagnostics: new Diagnostics(undefined),
        secrets: new Secrets(),
        memory: new ChainMemory({ maxBytes: 0 }),
        breaker: new Breaker(systemClock),
        streamRefusals: new ExpiringModels(systemClock),
        ignoredIds: new ExpiringModels(systemClock),
        limits: limitsOf('localhost'),
        choice: 'auto',
        timeouts: forever,
        recovery: { replay: 'unanswered', maxAttempts: 1, budgetMs: 1, refusals: 'surface' },
        credentialIsAsked: false,
        usesFetch: false,
        canServe: () => false,
        holds: () => false,
        onFallback: () => {},
        onIgnoredId: () => {},
        onUsage: () => {},
      },
      { number: 1, signal: undefined, onSettled: () => {}, onCommitted: undefined },
    );
    turn.begin(new TurnRequest({ input: 'x' }), 'auto');
    const response = turn.response();
    // The reader that drops events is chosen in a microtask.
    await Promise.resolve();
    const itemOf = (size: number): Frame => {
      const [head, tail] = [
        '{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","text":"',
        '"}}',
      ];
      return Frame.parse(head + 'x'.repeat(size - head.length - tail.length) + tail);
    };
    const hand = (frame: Frame): void => {
      // As a transport does.
      const disposition = receiver?.response.read(frame);
      if (disposition?.name === 'broken') receiver?.fail(disposition.error);
      else receiver?.event(frame, 0);
    };
    const large = itemOf(64 * mebibyte);
    receiver?.connected({ number: 1, reused: false });
    receiver?.sending(10);
    receiver?.sent();
    // 256 MiB is what docs/reliability.md allows.
    for (let sent = 0; sent < 256; sent += 64) hand(large);
    assert.equal(turn.report.outcome, undefined);
    assert.equal(aborted, 0);
    hand(itemOf(100));
    await assert.rejects(response, { code: 'event_too_large', phase: 'visible' });
    assert.ok(aborted > 0);
  });
});
