// Q13: headers that differ by request: which connections they use, and what is said of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import OpenAI from 'openai';
import { setUp } from './setup.js';
import type { TestContext } from 'node:test';
import type { FetchOptions } from '@turnwire/client/fetch';

/** A conversation of so many turns, each with headers of its own. */
async function converse(
  t: TestContext,
  headersOf: (turn: number) => Record<string, string>,
  { turns = 3, ...options }: FetchOptions & { turns?: number } = {},
) {
  const warnings: string[] = [];
  const { emulator, fetch } = await setUp(t, {}, { onWarning: (warning) => warnings.push(warning), ...options });
  const client = new OpenAI({ apiKey: 'sk-of-a-test', baseURL: emulator.url, fetch, maxRetries: 0 });
  const input: OpenAI.Responses.ResponseInput = [];
  const plans: (string | null)[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    input.push({ role: 'user', content: `Turn ${turn}.` });
    const { data, response } = await client.responses
      .create({ model: 'any', input, store: false }, { headers: headersOf(turn) })
      .withResponse();
    plans.push(response.headers.get('x-turnwire-plan'));
    input.push(...(data.output as OpenAI.Responses.ResponseInput));
  }
  const opened = emulator.journal.connections().filter(({ kind }) => kind === 'websocket');
  return { plans, opened, warnings, stats: fetch.stats(), emulator };
}

describe('headers that differ by request', () => {
  for (const [who, headersOf] of Object.entries<(turn: number) => Record<string, string>>({
    Codex: (turn) => ({ 'x-codex-turn-metadata': `{"turn":${turn}}`, 'x-codex-window-id': `w${turn}` }),
    'VS Code': (turn) => ({ 'x-agent-task-id': String(turn) }),
    'a tracer': (turn) => ({ traceparent: `00-${turn}`, 'sentry-trace': String(turn), baggage: `n=${turn}` }),
  })) {
    test(`headers of ${who} are known not to be identity: one connection, deltas`, async (t) => {
      const { plans, opened } = await converse(t, headersOf);
      assert.deepEqual(plans, ['full', 'delta', 'delta']);
      assert.equal(opened.length, 1);
    });
  }

  test('a header named in perRequestHeaders is left out of the identity: one connection, deltas', async (t) => {
    const perRequestHeaders = ['x-my-*'];
    const { plans, opened } = await converse(t, (turn) => ({ 'x-my-turn': String(turn) }), { perRequestHeaders });
    assert.deepEqual(plans, ['full', 'delta', 'delta']);
    assert.equal(opened.length, 1);
    assert.equal(opened[0]?.headers['x-my-turn'], undefined);
  });

  test('a header of a request travels with its POST over SSE', async (t) => {
    const { emulator } = await converse(t, (turn) => ({ 'x-my-turn': String(turn) }), {
      perRequestHeaders: ['x-my-turn'],
      transport: 'sse',
      turns: 1,
    });
    assert.equal(emulator.journal.connections()[0]?.headers['x-my-turn'], '0');
  });

  test('identityHeaders leaves all other headers out of the identity', async (t) => {
    const headersOf = (turn: number) => ({ 'x-tenant': 'one', 'x-anything': String(turn) });
    const { plans, opened } = await converse(t, headersOf, { identityHeaders: ['x-tenant'] });
    assert.deepEqual(plans, ['full', 'delta', 'delta']);
    assert.equal(opened[0]?.headers['x-tenant'], 'one');
  });

  test('an unknown header that differs by request: few connections stay, and one warning names it', async (t) => {
    const { opened, warnings, stats, plans } = await converse(t, (turn) => ({ 'x-my-turn': String(turn) }), {
      turns: 12,
    });
    assert.equal(plans.includes('delta'), false);
    assert.equal(opened.length, 12);
    assert(stats.identities <= 4, `${stats.identities} identities`);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /the header "x-my-turn" alone.*perRequestHeaders/);
  });
});

describe('createFetch: identity options that are refused', () => {
  for (const [options, message] of [
    [
      { perRequestHeaders: ['authorization'] },
      /^perRequestHeaders: authorization names authorization, which says who asks/,
    ],
    [{ perRequestHeaders: ['*'] }, /^perRequestHeaders: \* names authorization/],
    [{ perRequestHeaders: ['OpenAI-*'] }, /^perRequestHeaders: OpenAI-\* names openai-organization/],
    [{ perRequestHeaders: [/key/] }, /^perRequestHeaders: \/key\/ names api-key/],
    [{ perRequestHeaders: 'x-turn' }, /^perRequestHeaders must be a list of header names, not a string$/],
    [{ identityHeaders: ['x tenant'] }, /^identityHeaders must hold names of headers, .* not "x tenant"$/],
    [{ identityHeaders: [5] }, /^identityHeaders must hold names of headers, .* not 5$/],
    [{ perRequestHeader: ['x'] }, /^perRequestHeader is no option; did you mean "perRequestHeaders"\?$/],
  ] as const) {
    test(String(message), () =>
      assert.throws(() => createFetch(options as never), { code: 'invalid_option', message }),
    );
  }
});
