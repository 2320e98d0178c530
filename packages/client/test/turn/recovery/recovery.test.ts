// Every cell of the table of recovery against a second writing of it: by failure and moment, and by the principles that hold for all.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TurnwireError } from '../../../dist/protocol/errors/errors.js';
import { recover } from '../../../dist/turn/recovery/recovery.js';
import { apiError, certificate, closed, cut, dialFailed, dialTimeout, endOfBody, pongLost } from './failures.js';
import { page, refusal, upgrade } from './failures.js';
import type { Phase } from '../../../dist/protocol/phase.js';
import type {
  RecoveryDecision,
  AttemptFailure,
  RecoveryAction,
  RecoveryPolicy,
} from '../../../dist/turn/recovery/recovery.js';

const phases: readonly Phase[] = ['queued', 'sending', 'sent', 'created', 'visible', 'tool', 'terminal'];
const booleans = [true, false];

/**
 * What is best after it, at each moment: F falls back, D redials, R waits and retries, X sends everything, L waits for a lane; a question mark says that the
 * server may have run it. Two entries are those of a fresh and of a rested connection. What is not listed surfaces.
 */
interface Expectation {
  name: string;
  error: TurnwireError;
  queued?: string | [string, string];
  sending?: string | [string, string];
  sent?: string | [string, string];
}

const lost = { queued: ['FLD', 'DF'], sending: ['FLD', 'DF'] } satisfies Partial<Expectation>;
const refused = (moves: string): Partial<Expectation> => ({ sending: moves, sent: moves });
const expectations: readonly Expectation[] = [
  { name: 'dial failed', error: dialFailed, queued: 'FLR' },
  { name: 'certificate', error: certificate },
  { name: 'dial timeout', error: dialTimeout, queued: 'FL', sending: 'FL' },
  { name: 'upgrade 200', error: upgrade(200), queued: 'F' },
  { name: 'upgrade 426', error: upgrade(426, apiError), queued: 'F' },
  { name: 'upgrade 400', error: upgrade(400, apiError), queued: 'F' },
  { name: 'upgrade 302', error: upgrade(302) },
  { name: 'upgrade 402', error: upgrade(402) },
  { name: 'upgrade 401', error: upgrade(401), queued: 'D', sending: 'D', sent: 'D' },
  { name: 'upgrade 403, JSON', error: upgrade(403, apiError), queued: 'FD' },
  { name: 'upgrade 403, HTML', error: upgrade(403, '<html>'), queued: 'FR', ...refused('L') },
  { name: 'upgrade 503', error: upgrade(503), queued: 'FR' },
  { name: 'upgrade 429 for 2 s', error: upgrade(429, apiError, { 'retry-after': '2' }), queued: 'FR' },
  { name: 'close 1006', error: closed(1006), ...lost, sent: ['F?L?D?', 'D?F?'] },
  { name: 'close 1013', error: closed(1013), ...lost, sent: ['F?L?D?', 'D?F?'] },
  { name: 'RST', error: cut, ...lost, sent: ['F?L?D?', 'D?F?'] },
  { name: 'no pong', error: pongLost, sending: 'D?F?', sent: 'D?F?' },
  { name: 'close 1008', error: closed(1008), queued: 'F', sending: 'F', sent: 'F' },
  { name: 'close 1009', error: closed(1009), queued: 'F', sending: 'F', sent: 'F' },
  { name: 'close 1000', error: closed(1000), ...lost, sent: ['F?', 'F?D?'] },
  { name: 'close 4000', error: closed(4000), ...lost, sent: 'F?' },
  { name: 'close 4402', error: closed(4402) },
  { name: 'the end of an SSE body', error: endOfBody, ...lost, sent: 'F?' },
  { name: 'age limit', error: refusal({ code: 'websocket_connection_limit_reached' }, 400), ...refused('D') },
  { name: 'no lanes', error: refusal({ code: 'unknown_parameter', param: 'stream_id' }, 400), ...refused('D') },
  { name: 'chain lost', error: refusal({ code: 'previous_response_not_found' }, 400), ...refused('X') },
  { name: 'a delta refused by 404', error: refusal({ message: 'Response not found' }, 404), ...refused('X') },
  { name: 'a delta refused by 422', error: refusal({ message: 'previous_response_id?' }, 422), ...refused('X') },
  { name: 'a delta refused for its id', error: refusal({ param: 'previous_response_id' }, 400), ...refused('X') },
  {
    name: 'a delta refused for a call',
    error: refusal({ param: 'input[0]', message: 'No tool call found for call_1' }, 400),
    ...refused('X'),
  },
  { name: 'a delta refused for its input', error: refusal({ param: 'input[0].content' }, 400) },
  { name: 'a delta refused for something else', error: refusal({ code: 'a_code', message: 'No.' }, 400) },
  { name: 'a delta refused for another field', error: refusal({ param: 'tools[0]' }, 400) },
  { name: 'a delta refused by a known code', error: refusal({ code: 'model_not_found' }, 404) },
  { name: 'no streams', error: refusal({ code: 'unsupported_value', param: 'stream' }, 400), ...refused('F') },
  { name: 'no WebSocket', error: refusal({ code: 'responses_websocket_disabled' }, 400), queued: 'F', ...refused('F') },
  { name: 'a frame with 426', error: refusal({}, 426), queued: 'F', ...refused('F') },
  { name: 'rate limit', error: refusal({ code: 'rate_limit_exceeded' }, 429), ...refused('LR') },
  { name: 'rate limit for a day', error: refusal({ retry_after: 86_400 }, 429), ...refused('LR') },
  { name: 'a POST with 403, HTML', error: page(403), queued: 'FR', ...refused('L') },
  { name: 'a frame with 401', error: refusal({}, 401), queued: 'D', ...refused('D') },
  { name: 'quota', error: refusal({ code: 'insufficient_quota' }, 429) },
  { name: 'invalid request', error: refusal({ type: 'invalid_request_error' }, 400) },
  { name: 'no first event', error: new TurnwireError('first_event_timeout', '') },
  { name: 'idle', error: new TurnwireError('idle_timeout', '') },
  { name: 'aborted', error: new TurnwireError('aborted', '') },
];

const letters: Readonly<Record<string, RecoveryAction>> = {
  F: 'fall_back',
  D: 'redial',
  R: 'retry',
  X: 'resend_in_full',
  L: 'wait_for_lane',
};

const plenty = { attempts: 1, msLeft: 60_000 };
/** What the turn has done and spent before. */
const pasts: readonly Pick<RecoveryPolicy, 'done' | 'attempts' | 'msLeft'>[] = [
  { ...plenty, done: [] },
  { ...plenty, done: [{ move: 'redial', mayRunTwice: false }] },
  { ...plenty, done: [{ move: 'redial', mayRunTwice: true }] },
  { ...plenty, done: [{ move: 'fall_back', mayRunTwice: false }] },
  { ...plenty, done: [{ move: 'resend_in_full', mayRunTwice: false }] },
  { ...plenty, done: [{ move: 'retry', mayRunTwice: false }] },
  { ...plenty, done: [{ move: 'fall_back', mayRunTwice: true }] },
  { ...plenty, done: [{ move: 'wait_for_lane', mayRunTwice: false }] },
  { done: [], attempts: 4, msLeft: 60_000 },
  { done: [], attempts: 1, msLeft: 0 },
  { done: [], attempts: 1, msLeft: 1500 },
];

/** Nothing was handed over. From then on no past changes anything. */
function isEarly(phase: Phase): phase is 'queued' | 'sending' | 'sent' {
  return phase === 'queued' || phase === 'sending' || phase === 'sent';
}

/** The first move of the expectation that no principle forbids. */
function expected({ name, ...expectation }: Expectation, failure: AttemptFailure, policy: RecoveryPolicy): string {
  const { phase, transport, reused, credentialIsAsked, plan } = failure;
  if (!isEarly(phase)) return 'surface';
  const listed = expectation[phase] ?? '';
  const wanted = typeof listed === 'string' ? listed : listed[reused ? 1 : 0];
  const before = new Set<unknown>(policy.done.map(({ move }) => move));
  for (const [, letter = '', mark] of (wanted ?? '').matchAll(/([FDRXL])(\??)/g)) {
    const move = letters[letter];
    const waits = letter === 'R' || (letter === 'D' && name === 'close 1013' && policy.retryRefusals);
    const longest = name.endsWith('a day')
      ? 86_400_000
      : name.endsWith('HTML')
        ? 3000
        : name.endsWith('2 s')
          ? 2000
          : 0;
    const objections = [
      policy.attempts >= 4 || policy.msLeft === 0,
      policy.replay === 'never' && phase !== 'queued',
      policy.replay === 'unsent' && mark === '?',
      mark === '?' && (!policy.repeatable || policy.done.some(({ mayRunTwice }) => mayRunTwice)),
      letter !== 'R' && before.has(move),
      letter === 'F' && (transport === 'sse' || policy.choice !== 'auto' || !policy.sseAble),
      letter === 'F' && name === 'no streams' && policy.streams,
      letter === 'L' && (transport === 'websocket' || !policy.lanesLeft),
      letter === 'X' && plan !== 'delta',
      letter === 'R' && !policy.retryRefusals,
      letter === 'R' && name === 'dial failed' && (before.has('retry') || before.has('fall_back')),
      letter === 'R' && name.endsWith('HTML') && before.has('retry'),
      letter === 'D' && /401|403/.test(name) && !credentialIsAsked,
      waits && longest > policy.msLeft,
    ];
    if (!objections.includes(true)) return `${move}${mark}`;
  }
  return 'surface';
}

describe('table of recovery', () => {
  for (const expectation of expectations) {
    const { name, error } = expectation;
    test(`${name}: every phase, connection and policy`, () => {
      let cells = 0;
      const wanted = name === 'no streams' ? booleans : [true];
      const lanes = JSON.stringify(expectation).includes('L') ? booleans : [false];
      const plans = /^chain lost|^a delta/.test(name) ? (['full', 'delta', 'explicit'] as const) : (['full'] as const);
      for (const phase of phases)
        for (const transport of ['websocket', 'sse'] as const)
          for (const reused of booleans)
            for (const plan of plans)
              for (const credentialIsAsked of booleans)
                for (const choice of ['auto', 'websocket', 'sse'] as const)
                  for (const replay of ['never', 'unsent', 'unanswered'] as const)
                    for (const repeatable of booleans)
                      for (const sseAble of booleans)
                        for (const retryRefusals of booleans)
                          for (const streams of wanted)
                            for (const lanesLeft of lanes)
                              for (const past of isEarly(phase) ? pasts : pasts.slice(0, 1)) {
                                const failure: AttemptFailure = {
                                  error,
                                  transport,
                                  phase,
                                  reused,
                                  plan,
                                  credentialIsAsked,
                                };
                                const policy: RecoveryPolicy = {
                                  choice,
                                  replay,
                                  repeatable,
                                  sseAble,
                                  streams,
                                  lanesLeft,
                                  ...past,
                                  maxAttempts: 4,
                                  retryRefusals,
                                  jitter: () => 0.5,
                                };
                                const decision = recover(failure, policy);
                                const told = `${decision.move}${decision.mayRunTwice ? '?' : ''}`;
                                const right = expected(expectation, failure, policy);
                                if (told !== right)
                                  assert.equal(told, right, JSON.stringify({ ...failure, ...policy, error: name }));
                                keepsPrinciples(decision, failure, policy);
                                cells += 1;
                              }
      assert.ok(cells >= 20_000, `${cells} cells`);
    });
  }

  function keepsPrinciples(
    { move, delayMs, breakerFailure }: RecoveryDecision,
    { phase, transport }: AttemptFailure,
    policy: RecoveryPolicy,
  ): void {
    if (!(delayMs >= 0 && delayMs <= policy.msLeft)) assert.fail(`a delay of ${delayMs} ms of ${policy.msLeft}`);
    if (move === 'surface' && delayMs > 0) assert.fail('nothing to wait for');
    if (breakerFailure !== undefined && transport === 'sse') assert.fail('SSE says nothing of WebSockets');
    if (breakerFailure !== undefined && ['visible', 'tool', 'terminal'].includes(phase))
      assert.fail('the WebSocket worked');
  }

  const failure: AttemptFailure = {
    error: dialFailed,
    transport: 'websocket',
    phase: 'sent',
    reused: false,
    plan: 'full',
    credentialIsAsked: false,
  };
  const policy: RecoveryPolicy = {
    choice: 'auto',
    replay: 'unanswered',
    repeatable: true,
    sseAble: true,
    streams: true,
    lanesLeft: false,
    done: [],
    attempts: 1,
    maxAttempts: 4,
    msLeft: 60_000,
    retryRefusals: true,
    jitter: () => 0,
  };

  test('retry-after is waited for, jittered, and never beyond the budget', () => {
    const error = refusal({ code: 'rate_limit_exceeded' }, 429, { 'retry-after': '2' });
    const wait = (jitter: number, msLeft: number): [RecoveryAction, number] => {
      const { move, delayMs } = recover({ ...failure, error }, { ...policy, msLeft, jitter: () => jitter });
      return [move, delayMs];
    };
    assert.deepEqual(wait(0, 60_000), ['retry', 2000]);
    assert.deepEqual(wait(0.5, 60_000), ['retry', 2100]);
    assert.deepEqual(wait(0.999, 2050), ['retry', 2050]);
    assert.deepEqual(wait(0, 2000), ['retry', 2000]);
    assert.deepEqual(wait(0, 1999), ['surface', 0]);
  });

  test('our own backoff doubles from 0.5 s to 8 s', () => {
    const error = refusal({ code: 'server_is_overloaded' }, 503);
    const waits = (jitter: number): number[] =>
      Array.from({ length: 6 }, (_, retries) => {
        const done = Array.from({ length: retries }, () => ({ move: 'retry' as const, mayRunTwice: false }));
        return recover({ ...failure, error }, { ...policy, done, maxAttempts: 9, jitter: () => jitter }).delayMs;
      });
    assert.deepEqual(waits(0), [375, 750, 1500, 3000, 6000, 6000]);
    assert.deepEqual(waits(1), [500, 1000, 2000, 4000, 8000, 8000]);
  });

  test('G3: a server that says "now" is not asked again in the same moment', () => {
    const error = refusal({ retry_after: 0 }, 429);
    assert.equal(recover({ ...failure, error }, { ...policy, jitter: () => 0.5 }).delayMs, 50);
  });

  test('A4: the dial after an edge refusal waits 3 s', () => {
    const decision = recover({ ...failure, phase: 'queued', error: upgrade(403) }, { ...policy, choice: 'websocket' });
    assert.deepEqual([decision.move, decision.delayMs], ['retry', 3000]);
  });

  test('F5: lanes are left where they are refused', () => {
    const lanes = recover({ ...failure, error: refusal({ code: 'invalid_stream_id' }, 400) }, policy);
    assert.deepEqual([lanes.move, lanes.withoutLanes], ['redial', true]);
    assert.equal(recover({ ...failure, error: closed(1006) }, policy).withoutLanes, false);
  });

  /** What the breaker hears; the move does not matter for it. */
  const trips: readonly [row: string, error: TurnwireError, phase: Phase, kind: string | undefined][] = [
    ['A1', upgrade(426), 'queued', 'unsupported'],
    ['A4', upgrade(403), 'queued', 'busy'],
    ['A4', upgrade(403, apiError), 'queued', 'refused'],
    ['A5', upgrade(503), 'queued', 'busy'],
    ['A6', dialTimeout, 'queued', 'no_answer'],
    ['A8', dialFailed, 'queued', 'unreachable'],
    ['A9', certificate, 'queued', undefined],
    ['A3', upgrade(401), 'queued', undefined],
    ['P92', closed(1008), 'sent', 'policy'],
    ['E1', closed(1009), 'sent', undefined],
    ['C11', closed(1000), 'sent', 'shape'],
    ['C11, but nothing was sent', closed(1000), 'sending', 'lost'],
    ['K1', closed(1006), 'sent', 'lost'],
    ['K1, before output', closed(1006), 'created', 'lost'],
    ['K1, after output', closed(1006), 'visible', undefined],
    ['B2', new TurnwireError('first_event_timeout', ''), 'sent', 'lost'],
    ['B4', pongLost, 'sent', 'lost'],
    ['G4', refusal({}, 429), 'sent', undefined],
    ['P98', refusal({ code: 'previous_response_not_found' }, 400), 'sent', undefined],
  ];
  for (const [row, error, phase, kind] of trips) {
    test(`${row}: ${error.message} at ${phase} tells the breaker ${kind}`, () => {
      const { breakerFailure } = recover({ ...failure, error, phase }, policy);
      assert.equal(breakerFailure?.kind, kind);
      if (kind !== undefined) assert.equal(breakerFailure?.why, error.message);
    });
  }

  test('A5: the breaker hears how long, however long', () => {
    const error = upgrade(503, '', { 'retry-after': '86400' });
    assert.equal(recover({ ...failure, error, phase: 'queued' }, policy).breakerFailure?.retryAfterMs, 86_400_000);
  });
});
