// Which failures of a turn an agent takes again, and how long it waits: what the client says of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Response, TurnwireError } from '@turnwire/client';
import { takeTurnWithFallback } from '../../dist/agent/turn/attempts.js';
import { ModelChoice } from '../../dist/agent/models/model-choice.js';
import { agent } from './agent.js';
import { say, scriptedClient } from './scripted-client.js';
import type { TurnClient } from '../../dist/agent/turn/turn.js';

/** A failure as the client makes it of an `error` that the server has sent; `headers` stand at the top of the frame. */
function failure(
  error: Record<string, unknown>,
  { status, headers, code = 'request_refused' }: Told = {},
): TurnwireError {
  const raw = { type: 'error', error, headers };
  return new TurnwireError(code, 'it failed', {
    status,
    server: {
      status,
      code: error['code'] as string | undefined,
      type: error['type'] as string | undefined,
      message: typeof error['message'] === 'string' ? error['message'] : '',
      param: undefined,
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, `${value}`])),
      raw,
    },
  });
}

interface Told {
  status?: number;
  headers?: Record<string, string | number>;
  code?: TurnwireError['code'];
}

/** How long was waited after this failure; undefined where the turn was not taken again. */
async function waitAfter(error: TurnwireError): Promise<number | undefined> {
  const inner = scriptedClient([{ output: [say('done')] }]);
  let tries = 0;
  const client: TurnClient = {
    turn(params, options) {
      tries += 1;
      if (tries > 1) return inner.turn(params, options);
      return {
        // oxlint-disable-next-line require-yield -- it fails before its first event
        async *[Symbol.asyncIterator]() {
          throw error;
        },
        async response(): Promise<Response> {
          throw error;
        },
        report: {} as never,
      };
    },
  };
  const one = { ...agent, fallback: { ...agent.fallback, retries: 1 } };
  let waited: number | undefined;
  const turn = takeTurnWithFallback({
    agent: one,
    choice: new ModelChoice(one),
    clientFor: () => client,
    inputFor: () => [],
    instructions: '',
    tools: [],
    store: undefined,
    signal: new AbortController().signal,
    wait: (ms) => {
      waited = ms;
      return Promise.resolve();
    },
  });
  try {
    for await (const _ of turn);
  } catch (thrown) {
    assert.equal(thrown, error);
    assert.equal(waited, undefined);
  }
  return waited;
}

describe('an agent waits as long as the server asks', () => {
  const limited = { code: 'rate_limit_exceeded', message: 'Rate limit reached.' };
  for (const [where, error, told, ms] of [
    ['in a sentence', { ...limited, message: 'Please try again in 2s.' }, { status: 429 }, 2000],
    ['in a sentence, of milliseconds', { ...limited, message: 'Please try again in 20ms.' }, { status: 429 }, 20],
    ['in a sentence, of less than a minute', { ...limited, message: 'Try again in 0m30.5s' }, {}, 30_500],
    ['in retry-after', limited, { status: 429, headers: { 'retry-after': '3' } }, 3000],
    ['in retry-after-ms, as a number', limited, { status: 429, headers: { 'retry-after-ms': 1500 } }, 1500],
    ['in a field', { ...limited, resets_in_seconds: 7 }, { status: 429 }, 7000],
    ['after an overload, too', { code: 'slow_down', message: 'Try again in 4s.' }, {}, 4000],
    [
      'after a response that failed, too',
      { ...limited, message: 'Try again in 5s.' },
      { code: 'response_failed' },
      5000,
    ],
  ] as const)
    test(`${where}: ${ms} ms`, async () => assert.equal(await waitAfter(failure(error, told)), ms));

  test('does not wait where that is more than a minute', async () => {
    const error = failure({ ...limited, message: 'Please try again in 1m30s.' }, { status: 429 });
    assert.equal(await waitAfter(error), undefined);
  });
});

describe('an agent tries a turn again after a temporary failure', () => {
  for (const [error, told] of [
    [{ code: 'slow_down' }, {}],
    [{ code: 'server_is_overloaded' }, {}],
    [{}, { status: 529 }],
    [{}, { status: 502 }],
    [{ code: 'server_error' }, { code: 'response_failed' }],
    [{ message: 'no reason' }, {}],
  ] as const)
    test(JSON.stringify([error, told]), async () => {
      const ms = await waitAfter(failure(error, told));
      assert.ok(ms !== undefined && ms >= 450 && ms <= 550, String(ms));
    });
});

describe('an agent does not try a turn again after a permanent failure', () => {
  for (const [error, told] of [
    [{ code: 'insufficient_quota' }, { status: 429 }],
    [{ type: 'insufficient_quota' }, { status: 429 }],
    [{ code: 'usage_limit_reached', message: 'Try again in 3s.' }, { status: 429 }],
    [{ code: 'billing_hard_limit_reached' }, { code: 'response_failed' }],
    [{ code: 'permission_denied' }, {}],
    [{ code: 'invalid_api_key' }, { status: 401 }],
    [{ code: 'content_policy_violation' }, { code: 'response_failed' }],
    [{ code: 'context_length_exceeded' }, { status: 400 }],
    [{}, { status: 501 }],
    [{}, { status: 503, headers: { 'x-should-retry': 'false' } }],
  ] as const)
    test(JSON.stringify([error, told]), async () => assert.equal(await waitAfter(failure(error, told)), undefined));
});
