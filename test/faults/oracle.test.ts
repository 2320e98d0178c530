// The oracle itself: for each invariant, a record in which it is violated must be found out, and by that invariant alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { completed, created, delta, message, reply } from './server/events.js';
import { invariants, violations } from './oracle/oracle.js';
import type { Invariant } from './oracle/oracle.js';
import type { ScenarioRecord, TurnRecord } from './oracle/record.js';
import type { Exchange } from './server/exchange.js';
import type { Json } from './server/events.js';

const usage = { input_tokens: 3, output_tokens: 5, total_tokens: 8 };

function turnOf(input: Json[], id: string, text: string, more: Json = {}): TurnRecord {
  return {
    params: { model: 'test', input, ...more },
    events: reply(id, text, { usage }),
    ends: ['done'],
    late: 0,
    report: {
      outcome: 'completed',
      responseId: id,
      attempts: [{ transport: 'websocket', phase: 'terminal', error: undefined }],
      totalMs: 12,
      usage,
    },
  };
}

function exchangeOf(request: Json, id: string, text: string): Exchange {
  const events = reply(id, text, { usage });
  return {
    peer: 1,
    via: 'websocket',
    lane: undefined,
    request: { type: 'response.create', model: 'test', ...request },
    events,
    responses: [id],
    before: [],
    terminal: events.at(-1),
    overlaps: false,
  };
}

const user = (content: string): Json => ({ role: 'user', content });

/** Two turns of one conversation over one connection, the second as a delta: all is well. */
function good(): ScenarioRecord & { turns: [TurnRecord, TurnRecord]; exchanges: [Exchange, Exchange] } {
  return {
    turns: [
      turnOf([user('one')], 'resp_1', 'first'),
      turnOf([user('one'), message('first'), user('two')], 'resp_2', 'second'),
    ],
    exchanges: [
      exchangeOf({ input: [user('one')] }, 'resp_1', 'first'),
      exchangeOf({ input: [user('two')], previous_response_id: 'resp_1' }, 'resp_2', 'second'),
    ],
    handwritten: new Set(),
    budgetMs: 1000,
    maxAttempts: 4,
    effects: new Map([['call_1', 1]]),
    leaks: { busy: 0, sockets: 1, maxSockets: 4, handles: [3, 3], listeners: [1, 1] },
    strays: [],
    secret: 'sk-secret',
    said: ['the WebSocket was refused'],
    child: { code: 0, signal: null, afterMs: 100 },
  };
}

describe('oracle', () => {
  test('a record without a fault violates no invariant', () => assert.deepEqual(violations(good()), []));

  type Wrong = readonly [invariant: Invariant, name: string, spoil: (record: ReturnType<typeof good>) => void];
  const settle = 'settles once, in time';
  const terminal = 'succeeds by its own terminal event only';
  const text = 'text is the response’s text, once, in order';
  const input = 'the transcript that the server used is the caller’s input';
  const once = 'asked no more often than allowed, tools run once, usage as billed';
  const left = 'nothing is left';
  const reuse = 'a connection is used again only after a clean end';
  const child = 'a process ends by itself';

  const wrong: readonly Wrong[] = [
    [settle, 'a turn never settles', ({ turns }) => (turns[0].report.totalMs = undefined)],
    [settle, 'a turn takes too long', ({ turns }) => (turns[0].report.totalMs = 1001)],
    [settle, 'a turn ends well and badly', ({ turns }) => turns[0].ends.push('error')],
    [settle, 'a turn goes on after its end', ({ turns }) => (turns[0].late = 1)],
    [
      terminal,
      'a turn is a success without its terminal event',
      ({ exchanges, turns }) => {
        exchanges[1].terminal = undefined;
        turns[1].events.pop();
        turns[1].ends = [];
        turns[1].report.usage = undefined;
      },
    ],
    [
      terminal,
      'a turn is a success by a failure',
      ({ exchanges, turns }) => {
        const failure = { ...exchanges[1].terminal, type: 'response.failed' };
        exchanges[1].terminal = failure;
        exchanges[1].events[2] = failure;
        turns[1].events[2] = failure;
      },
    ],
    [
      terminal,
      'an incomplete turn has no reason',
      ({ exchanges, turns }) => {
        const end = { ...exchanges[1].terminal, type: 'response.incomplete' };
        exchanges[1].terminal = end;
        exchanges[1].events[2] = end;
        turns[1].events[2] = end;
        turns[1].report.outcome = 'incomplete';
      },
    ],
    [text, 'a delta comes twice', ({ turns }) => turns[1].events.splice(1, 0, delta('second'))],
    [text, 'a delta is missing', ({ turns }) => turns[1].events.splice(1, 1)],
    [text, 'events change places', ({ turns }) => (turns[1].events = turns[1].events.toReversed())],
    [text, 'a delta of another response comes in', ({ turns }) => (turns[1].events[1] = delta('first'))],
    [text, 'the terminal event is not handed over', ({ turns }) => turns[1].events.pop()],
    [
      input,
      'the continuation repeats what is held',
      ({ exchanges }) => (exchanges[1].request['input'] = [user('one'), message('first'), user('two')]),
    ],
    [
      input,
      'the continuation leaves something out',
      ({ turns }) => (turns[1].params['input'] = [user('one'), message('first'), user('not told'), user('two')]),
    ],
    [
      input,
      'the history was edited, and the server holds the old one',
      ({ turns }) => (turns[1].params['input'] = [user('0ne'), message('first'), user('two')]),
    ],
    [
      input,
      'the server holds nothing of what is continued',
      ({ exchanges }) => (exchanges[1].request['previous_response_id'] = 'resp_9'),
    ],
    [input, 'the full input is cut', ({ exchanges }) => (exchanges[0].request['input'] = [])],
    [input, 'a field is lost', ({ turns }) => (turns[1].params['tools'] = [{ type: 'function', name: 'f' }])],
    [
      once,
      'a turn is tried again after it was visible',
      ({ turns }) =>
        (turns[1].report.attempts = [
          { transport: 'websocket', phase: 'visible', error: 'connection_lost' },
          { transport: 'websocket', phase: 'terminal', error: undefined },
        ]),
    ],
    [
      once,
      'a turn is tried too often',
      ({ turns }) =>
        (turns[1].report.attempts = Array.from({ length: 5 }, () => ({
          transport: 'websocket',
          phase: 'sent',
          error: 'connection_lost',
        }))),
    ],
    [
      once,
      'the server was asked by nobody',
      ({ exchanges }) => exchanges.push({ ...exchanges[0], peer: 2, responses: [], events: [] }),
    ],
    [once, 'a tool runs twice', (record) => (record.effects = new Map([['call_1', 2]]))],
    [once, 'usage is not what was billed', ({ turns }) => (turns[1].report.usage = { ...usage, total_tokens: 16 })],
    [once, 'usage is not reported', ({ turns }) => (turns[1].report.usage = undefined)],
    [left, 'a connection stays busy', ({ leaks }) => (leaks.busy = 1)],
    [left, 'too many connections', ({ leaks }) => (leaks.sockets = 5)],
    [left, 'a timer is left', ({ leaks }) => (leaks.handles = [3, 4])],
    [left, 'a listener is left', ({ leaks }) => (leaks.listeners = [1, 2])],
    ['nothing is thrown into the void', 'a rejection', (record) => (record.strays = [new Error('unhandled')])],
    ['secrets are in the handshake only', 'the key in a warning', (record) => (record.said = ['Bearer sk-secret'])],
    [reuse, 'two requests at once', ({ exchanges }) => (exchanges[1].overlaps = true)],
    [reuse, 'a connection goes on after its turn was lost', ({ turns }) => (turns[0].report.outcome = 'lost')],
    [child, 'a process hangs', (record) => (record.child = { code: null, signal: 'SIGTERM', afterMs: 15_000 })],
    [child, 'a process fails', (record) => (record.child = { code: 1, signal: null, afterMs: 10 })],
    [child, 'a process ends late', (record) => (record.child = { code: 0, signal: null, afterMs: 2001 })],
  ];

  for (const [invariant, name, spoil] of wrong) {
    test(`the oracle detects: ${name}`, () => {
      const record = good();
      spoil(record);
      assert.deepEqual([...new Set(violations(record).map((violation) => violation.invariant))], [invariant]);
    });
  }

  test('each invariant has a record that violates it', () => {
    assert.deepEqual(new Set(wrong.map(([invariant]) => invariant)), new Set(Object.keys(invariants)));
  });

  /** What the oracle takes for the same conversation, and what it does not. */
  const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1,"b":2}' };
  const alike: readonly (readonly [string, Json[], boolean])[] = [
    ['another order of keys', [{ content: 'one', role: 'user' }, message('first')], true],
    [
      'a text as its part',
      [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'one' }] }, message('first')],
      true,
    ],
    ['without id and status', [user('one'), { role: 'assistant', content: 'first' }], true],
    ['another role', [{ role: 'system', content: 'one' }, message('first')], false],
    ['another text', [user('One'), message('first')], false],
    ['one item less', [user('one')], false],
    ['another order of items', [message('first'), user('one')], false],
  ];
  for (const [name, given, same] of alike) {
    test(`${name} is ${same ? 'the same' : 'another'} conversation`, () => {
      const record = good();
      record.turns[1].params['input'] = [...given, user('two')];
      assert.equal(violations(record).length === 0, same);
    });
  }

  test('the arguments of calls are compared as JSON, and their other fields exactly', () => {
    const record = good();
    const end = completed('resp_1', [call], { usage });
    record.exchanges[0].events[2] = end;
    record.exchanges[0].terminal = end;
    record.turns[0].events[2] = end;
    const hand = (item: Json): boolean => {
      record.turns[1].params['input'] = [user('one'), item, user('two')];
      return violations(record).length === 0;
    };
    assert.equal(hand({ ...call, arguments: '{ "b": 2, "a": 1 }', id: 'fc_1' }), true);
    assert.equal(hand({ ...call, arguments: '{"a":1}' }), false);
    assert.equal(hand({ ...call, call_id: 'd' }), false);
    assert.equal(hand({ ...call, name: 'g' }), false);
  });

  test('a turn without an event of its own is not judged by events of others', () => {
    const record = good();
    record.turns.push({
      ...turnOf([user('one')], 'resp_1', 'x'),
      events: [created('resp_7')],
      report: { ...record.turns[0].report, responseId: 'resp_7', outcome: 'lost' },
    });
    assert.deepEqual([...new Set(violations(record).map(({ invariant }) => invariant))], [text]);
  });
});
