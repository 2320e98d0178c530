import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameError, decodeEvent, isHousekeeping } from '../../dist/protocol/frame.js';
import { isError, terminalOf } from '../../dist/protocol/terminal.js';
import { describeClosure } from '../../dist/protocol/close-codes.js';
import { limitsOf, maxAgeOf } from '../../dist/protocol/limits.js';
import type { ResponseEvent } from '../../dist/protocol/events.js';

const event = (value: object): ResponseEvent => value as ResponseEvent;

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

test('errors are told by their type, or by their content where the type is left out', () => {
  for (const value of [{ type: 'error' }, { type: 'error', error: null }, { error: { message: 'x' } }, { error: 'x' }])
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
    assert.match(describeClosure(code, 'why'), new RegExp(`^${code}, [a-zA-Z].*: why$`));
  assert.equal(describeClosure(4999, ''), '4999, a code of the provider');
  assert.equal(describeClosure(2000, ''), '2000, an unassigned code');
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
