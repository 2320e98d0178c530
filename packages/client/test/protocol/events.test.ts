import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isHousekeeping, traitsOf } from '../../dist/protocol/event-types.js';
import { FrameError, decodeEvent, isBlank } from '../../dist/protocol/frame.js';
import { isError, terminalOf } from '../../dist/protocol/terminal.js';
import { describeClose } from '../../dist/protocol/errors/close-codes.js';
import { limitsOf, maxAgeOf } from '../../dist/protocol/limits.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';

const event = (value: object): ResponseEvent => value as ResponseEvent;

describe('event types', () => {
  test('an object is an event, whatever is in it', () => {
    for (const value of [{}, { type: 5 }, { type: 'response.completed.v2' }, { type: 'x', __proto__x: 1 }])
      assert.deepEqual(decodeEvent(JSON.stringify(value)), value);
  });

  test('everything else is no event, and is not repeated in the error', () => {
    for (const text of ['', ' ', '{', 'secret', '\ufeff{}', 'undefined', '{"a":1}{"b":2}'])
      assert.throws(
        () => decodeEvent(text),
        (error: Error) => error instanceof FrameError && !error.message.includes('secret'),
      );
    assert.throws(() => decodeEvent('null'), /JSON null/);
    assert.throws(() => decodeEvent('[]'), /JSON array/);
    assert.throws(() => decodeEvent('5'), /JSON number/);
    assert.throws(() => decodeEvent('"str"'), /JSON string/);
    assert.throws(() => decodeEvent('true'), /JSON boolean/);
  });

  test('a key called __proto__ changes no prototype', () => {
    const decoded = decodeEvent('{"type":"x","__proto__":{"polluted":true}}');
    assert.equal(Object.getPrototypeOf(decoded), Object.prototype);
  });

  const response = { id: 'resp_1', status: 'completed' };
  const terminals: readonly [object, string | undefined][] = [
    [{ type: 'response.completed', response }, 'completed'],
    [{ type: 'response.incomplete', response }, 'incomplete'],
    [{ type: 'response.failed', response }, 'failed'],
    [{ type: 'response.cancelled', response }, 'cancelled'],
    [{ type: 'response.done', response }, 'completed'],
    [{ type: 'response.done', response: { id: 'r', status: 'failed' } }, 'failed'],
    [{ type: 'response.done', response: { id: 'r', status: 'incomplete' } }, 'incomplete'],
    [{ type: 'response.done', response: { id: 'r', status: 'cancelled' } }, 'cancelled'],
    [{ type: 'response.done', response: { id: 'r' } }, 'completed'],
    // Q17: the status inside decides, but it makes no success of what the event calls a failure.
    [{ type: 'response.completed', response: { id: 'r', status: 'failed' } }, 'failed'],
    [{ type: 'response.completed', response: { id: 'r', status: 'cancelled' } }, 'cancelled'],
    [{ type: 'response.completed', response: { id: 'r', status: 'incomplete' } }, 'incomplete'],
    [{ type: 'response.completed', response: { id: 'r', status: 'a new one' } }, 'completed'],
    [{ type: 'response.incomplete', response: { id: 'r', status: 'failed' } }, 'failed'],
    [{ type: 'response.failed', response }, 'failed'],
    [{ type: 'response.failed', response: { id: 'r', status: 'in_progress' } }, 'failed'],
    [{ type: 'response.completed', response: { id: 'r', status: 'in_progress' } }, undefined],
    [{ type: 'response.done', response: { id: 'r', status: 'queued' } }, undefined],
    // No response, no answer.
    [{ type: 'response.completed' }, undefined],
    [{ type: 'response.completed', response: null }, undefined],
    [{ type: 'response.completed', response: [] }, undefined],
    [{ type: 'response.completed', response: 'x' }, undefined],
    [{ type: 'response.created', response }, undefined],
    [{ type: 'response.completed.v2', response }, undefined],
    [{ type: 'constructor', response }, undefined],
    [{ type: 5, response }, undefined],
    [{ response }, undefined],
    [{ type: 'error', error: {} }, undefined],
  ];
  for (const [value, outcome] of terminals) {
    test(`terminal: ${JSON.stringify(value)} → ${outcome}`, () => {
      assert.equal(terminalOf(event(value))?.outcome, outcome);
    });
  }

  test('Q8, Q17: an event that ends a response without saying how is told from one that ends none', () => {
    const why = (value: object): string | undefined => {
      const found = terminalOf(event(value));
      return found !== undefined && 'why' in found ? found.why : undefined;
    };
    assert.equal(why({ type: 'response.completed' }), 'response.completed without a response in it');
    assert.match(
      why({ type: 'response.completed', response: { status: 'in_progress' } }) ?? '',
      /status is in_progress/,
    );
    assert.equal(why({ type: 'response.created' }), undefined);
    assert.equal(why({ type: 'response.completed', response }), undefined);
  });

  test('Q2: text without an event in it is blank', () => {
    for (const text of ['', ' ', '\n\t ', '{}', ' { } ', '[]', 'null', '""', ' '.repeat(5000)])
      assert.equal(isBlank(text), true, JSON.stringify(text));
    for (const text of ['{"a":1}', '{"type":""}', '[0]', '0', 'false', '{', 'x', '{}{}', ' '.repeat(100) + '{"a":1}'])
      assert.equal(isBlank(text), false, text);
  });

  test('a type that is asked for again after others has its own traits', () => {
    for (const [type, terminal] of [
      ['response.completed', 'completed'],
      ['response.output_text.delta', undefined],
      ['response.output_text.delta', undefined],
      ['response.failed', 'failed'],
      ['response.completed', 'completed'],
    ] as const)
      assert.equal(traitsOf(type).terminal, terminal);
  });

  test('errors are told by their type, or by their content where the type is left out', () => {
    for (const value of [
      { type: 'error' },
      { type: 'error', error: null },
      { error: { message: 'x' } },
      { error: 'x' },
    ])
      assert.equal(isError(event(value)), true, JSON.stringify(value));
    for (const value of [
      {},
      { error: null },
      { type: 'response.failed', error: {} },
      { type: 'errors' },
      { type: null, error: 1 },
    ])
      assert.equal(isError(event(value)), false, JSON.stringify(value));
  });

  test('housekeeping is what speaks of no response', () => {
    for (const type of [
      'codex.rate_limits',
      'keepalive',
      'ping',
      'response.metadata',
      'responsesapi.websocket_timing',
      'x:y',
    ])
      assert.equal(isHousekeeping(event({ type })), true, type);
    for (const type of ['error', 'response.created', 'response.output_text.delta', 'response.unknown', 5, undefined])
      assert.equal(isHousekeeping(event({ type })), false, String(type));
  });

  test('close codes are said in words', () => {
    for (const code of [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 1015, 4402])
      assert.match(describeClose(code, 'why'), new RegExp(`^${code}, [a-zA-Z].*: why$`));
    assert.equal(describeClose(4999, ''), '4999, a code of the provider');
    assert.equal(describeClose(2000, ''), '2000, an unassigned code');
  });

  test('limits by provider: P74, P81, P88', () => {
    const minutes = (host: string, idle = 15): number => maxAgeOf(host, idle * 60_000) / 60_000;
    assert.equal(minutes('api.openai.com'), 45);
    assert.equal(minutes('api.openai.com', 5), 45);
    assert.equal(minutes('api.x.ai'), 18.75);
    assert.equal(minutes('api.x.ai', 2), 23);
    assert.equal(minutes('ai-gateway.vercel.sh'), 9.75);
    assert.equal(minutes('x.ai.example.com'), 45);
    assert.equal(minutes('mine.openai.azure.com', 1), 59);
    assert.equal(minutes('localhost', Infinity), 45);
    assert.ok(limitsOf('api.openai.com').maxFrameBytes < 16_777_000);
    assert.ok(limitsOf('ai-gateway.vercel.sh').maxFrameBytes < 4 * 1024 * 1024);
  });
});
