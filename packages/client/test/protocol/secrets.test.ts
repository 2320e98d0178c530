import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secrets } from '../../dist/protocol/errors/secrets.js';

const secretsOf = (headers: Record<string, string>): Secrets => {
  const secrets = new Secrets();
  secrets.add(headers);
  return secrets;
};

describe('secrets', () => {
  test('a credential is cut out of texts, with and without its scheme; other headers and short values are not', () => {
    const secrets = secretsOf({ authorization: 'Bearer sk-12345678', 'x-team': 'research-team', 'api-key': 'any' });
    assert.equal(
      secrets.redact('no sk-12345678 of research-team, Bearer sk-12345678, any'),
      'no [secret] of research-team, Bearer [secret], any',
    );
  });

  test('in JSON, secrets are cut out of every text; numbers and JSON without a secret stay as they are', () => {
    const secrets = secretsOf({ authorization: 'Bearer 12345678', 'x-token': 'with "quotes" \\ in it' });
    assert.deepEqual(
      secrets.redactJson({
        created_at: 1234567890,
        error: { message: 'not 12345678', param: null },
        all: ['with "quotes" \\ in it'],
      }),
      { created_at: 1234567890, error: { message: 'not [secret]', param: null }, all: ['[secret]'] },
    );
    assert.deepEqual(secrets.redactJson({ a: [1, 'b', true] }), { a: [1, 'b', true] });
  });

  test('JSON that nests too deep to be searched for secrets is not shown', () => {
    let deep: unknown = 'sk-12345678';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    assert.deepEqual(secretsOf({ authorization: 'Bearer sk-12345678' }).redactJson({ error: deep }), {});
  });

  test('the last 32 keys of a rotation are cut out', () => {
    const secrets = new Secrets();
    for (let number = 0; number < 40; number += 1)
      secrets.add({ authorization: `Bearer key-number-${String(number).padStart(2, '0')}` });
    assert.equal(secrets.redact('key-number-39 key-number-08 key-number-07'), '[secret] [secret] key-number-07');
  });
});
