import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { headerTable, splitHeaders } from '../../dist/fetch/headers.js';

test('what is not listed is a part of the identity, whatever the order', () => {
  const a = splitHeaders(
    new Headers({ 'X-Tenant': 't', Authorization: 'Bearer a', traceparent: '00', 'x-b3-spanid': '1' }),
  );
  const b = splitHeaders(
    new Headers({ authorization: 'Bearer a', 'x-tenant': 't', accept: '*/*', 'content-type': 'x' }),
  );
  assert.deepEqual(a?.identity, { authorization: 'Bearer a', 'x-tenant': 't' });
  assert.equal(JSON.stringify(a?.identity), JSON.stringify(b?.identity));
  assert.deepEqual(a?.turn, { traceparent: '00', 'x-b3-spanid': '1' });
  assert.deepEqual(b?.turn, {});
});

test('some headers are not ours to send', () => {
  for (const name of headerTable.ordinary) assert.equal(splitHeaders(new Headers({ [name]: 'x' })), undefined);
});

test('docs/fetch.md lists every header that is left out of the identity', () => {
  const page = readFileSync(new URL('../../../../docs/fetch.md', import.meta.url), 'utf8');
  const start = page.indexOf('a WebSocket has no place for them:');
  const listed = page.slice(start, page.indexOf('Neither does the', start)).matchAll(/`([^`]+)`/g);
  assert.deepEqual(new Set([...listed].map(([, name]) => name)), new Set(headerTable.turn));
});
