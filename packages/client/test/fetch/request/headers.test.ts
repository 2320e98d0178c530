import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { HeaderRules, headerTable } from '../../../dist/fetch/request/headers.js';

const split = (headers: Record<string, string>, rules = new HeaderRules()) => rules.split(new Headers(headers));
const namesOf = (part: object | undefined): string[] => Object.keys(part ?? {});

describe('headers without options', () => {
  test('a header that is not listed is a part of the identity, whatever the order', () => {
    const a = split({ 'X-Tenant': 't', Authorization: 'Bearer a', traceparent: '00', 'x-b3-spanid': '1' });
    const b = split({ authorization: 'Bearer a', 'x-tenant': 't', accept: '*/*', 'content-type': 'x' });
    assert.deepEqual(a?.identity, { authorization: 'Bearer a', 'x-tenant': 't' });
    assert.equal(JSON.stringify(a?.identity), JSON.stringify(b?.identity));
    assert.deepEqual(a?.turn, { traceparent: '00', 'x-b3-spanid': '1' });
    assert.deepEqual(b?.turn, {});
  });

  test('a request with a header that a turn cannot send goes to the ordinary fetch', () => {
    for (const name of headerTable.ordinary) assert.equal(split({ [name]: 'x' }), undefined);
  });

  // What each program or tracer sends, by its own documentation or as seen.
  for (const [who, names] of Object.entries({
    Codex: [
      'x-codex-turn-metadata',
      'x-codex-turn-state',
      'x-codex-window-id',
      'x-codex-inference-call-id',
      'x-client-request-id',
      'session-id',
      'thread-id',
    ],
    opencode: ['session-id', 'x-session-affinity', 'x-session-id'],
    'VS Code': ['x-agent-task-id', 'x-vscode-request-id'],
    'W3C traces': ['traceparent', 'tracestate', 'baggage'],
    Zipkin: ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags'],
    Sentry: ['sentry-trace', 'baggage'],
    Datadog: ['x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-tags'],
    'AWS and Google': ['x-amzn-trace-id', 'x-cloud-trace-context'],
    Jaeger: ['uber-trace-id', 'uberctx-user'],
    'New Relic, Elastic, Dynatrace, AppDynamics': [
      'newrelic',
      'x-newrelic-id',
      'elastic-apm-traceparent',
      'x-dynatrace',
      'singularityheader',
    ],
    'Application Insights': ['request-id', 'request-context', 'correlation-context'],
    SkyWalking: ['sw8', 'sw8-correlation'],
    requests: [
      'x-request-id',
      'x-client-request-id',
      'x-github-request-id',
      'idempotency-key',
      'x-idempotency-key',
      'x-stainless-retry-count',
    ],
  })) {
    test(`headers that ${who} sends with each request are left out of the identity`, () => {
      const found = split(Object.fromEntries(names.map((name) => [name, '1'])));
      assert.deepEqual(namesOf(found?.identity), []);
      assert.deepEqual(namesOf(found?.turn).sort(), [...new Set(names)].sort());
    });
  }

  test('the headers in which an SDK names itself go into the handshake and are of no identity', () => {
    const found = split({ 'user-agent': 'OpenAI/JS', 'x-stainless-lang': 'js', 'x-stainless-package-version': '7' });
    assert.deepEqual(namesOf(found?.identity), []);
    assert.deepEqual(namesOf(found?.program), ['user-agent', 'x-stainless-lang', 'x-stainless-package-version']);
  });

  test('docs/fetch.md lists every header that is left out of the identity', () => {
    const page = readFileSync(new URL('../../../../../docs/fetch.md', import.meta.url), 'utf8');
    const start = page.indexOf('a WebSocket has no place for them:');
    const listed = page.slice(start, page.indexOf('Neither does the', start)).matchAll(/`([^`]+)`/g);
    assert.deepEqual(new Set([...listed].map(([, name]) => name)), new Set(headerTable.turn));
  });
});

describe('perRequestHeaders', () => {
  const rules = new HeaderRules({ perRequestHeaders: ['X-Turn-Id', 'x-acme-*', '*-trace', /^x-n\d+$/g] });

  test('names in any case, patterns and expressions are left out of the identity', () => {
    const wanted = ['x-turn-id', 'x-acme-', 'x-acme-a.b', 'my-trace', 'x-n1', 'x-n22'];
    const others = ['x-turn-idx', 'my-x-turn-id', 'x-acme', 'trace-my', 'x-n', 'x-nn1'];
    const found = split(Object.fromEntries([...wanted, ...others].map((name) => [name, '1'])), rules);
    assert.deepEqual(namesOf(found?.turn).sort(), [...wanted].sort());
    assert.deepEqual(namesOf(found?.identity).sort(), [...others].sort());
  });

  test('headers of the engine, and headers for the ordinary fetch, stay where they belong', () => {
    const all = new HeaderRules({ perRequestHeaders: ['content-*'] });
    assert.deepEqual(split({ 'content-type': 'application/json' }, all)?.turn, {});
    assert.equal(split({ 'content-encoding': 'gzip' }, all), undefined);
  });
});

describe('identityHeaders', () => {
  const rules = new HeaderRules({ identityHeaders: ['X-Tenant', 'x-org-*'], perRequestHeaders: ['x-call-token'] });

  test('only what is named, and what says who asks in any case, is the identity', () => {
    const identity = [
      'authorization',
      'api-key',
      'cookie',
      'openai-organization',
      'openai-project',
      'x-acme-token',
      'x-org-id',
      'x-tenant',
    ];
    const turn = ['traceparent', 'x-call-token', 'x-other'];
    const found = split(Object.fromEntries([...identity, ...turn].map((name) => [name, '1'])), rules);
    assert.deepEqual(namesOf(found?.identity).sort(), [...identity].sort());
    assert.deepEqual(namesOf(found?.turn), turn);
  });

  test('a header that is known to differ by request is one where it is named', () => {
    const found = split({ 'session-id': '1', 'thread-id': '2' }, new HeaderRules({ identityHeaders: ['session-id'] }));
    assert.deepEqual([found?.identity, found?.turn], [{ 'session-id': '1' }, { 'thread-id': '2' }]);
  });
});
