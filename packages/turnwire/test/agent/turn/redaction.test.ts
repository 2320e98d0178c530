import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InputItem } from '@turnwire/client';
import { redactItem, redactText, redactValue } from '../../../dist/agent/turn/redaction.js';

/** Put together here, so that nobody who looks for secrets finds one in this file. */
const some = (beginning: string, length: number, of = 'aB3'): string =>
  beginning + of.repeat(Math.ceil(length / of.length)).slice(0, length);
const key = (kind: string, lines = 'MIIE\nabc=\n'): string =>
  `-----BEGIN ${kind}PRIVATE KEY-----\n${lines}-----END ${kind}PRIVATE KEY-----`;

describe('redaction: texts that look like a secret', () => {
  const secrets: Readonly<Record<string, string>> = {
    'a token of GitHub': some('ghp_', 36),
    'a fine-grained token of GitHub': some('github_pat_', 82, 'a1_'),
    'a token of GitLab': some('glpat-', 20),
    'a token of npm': some('npm_', 36),
    'a token of Docker': some('dckr_pat_', 27, 'a-1'),
    'a token of Hugging Face': some('hf_', 34),
    'an access key of AWS': some('AKIA', 16, 'AB2C'),
    'a key of Google': some('AIza', 35, 'a-1'),
    'a key of OpenAI': some('sk-proj-', 48, 'aB3_'),
    'a key of Anthropic': some('sk-ant-api03-', 90, 'aB-'),
    'a key of xAI': some('xai-', 80),
    'a key of Stripe': some('sk_live_', 24),
    'a token of Slack': some('xoxb-', 40, '12-a'),
    'a token of Shopify': some('shpat_', 32, 'a1'),
    'a key of Linear': some('lin_api_', 40),
    'a key of NVIDIA': some('nvapi-', 64),
    'a JSON Web Token': [some('eyJ', 20), some('eyJ', 30), some('', 43)].join('.'),
  };
  for (const [name, secret] of Object.entries(secrets)) {
    test(`${name}, wherever it stands`, () => {
      for (const around of ['%', '--token=%', '"%"', 'a\n%\nb', '(%)', '{"k":"%"}', 'x=%;', '\\n%'])
        assert.equal(redactText(around.replace('%', secret)), around.replace('%', '[REDACTED]'));
    });
  }

  test('a private key is removed whole; one without an end, to the end of the text', () => {
    for (const kind of ['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED '])
      assert.equal(redactText(`before ${key(kind)} after`), 'before [REDACTED] after');
    assert.equal(redactText(`${key('')} and ${key('RSA ')}`), '[REDACTED] and [REDACTED]');
    assert.equal(redactText('before -----BEGIN PRIVATE KEY-----\nMIIE'), 'before [REDACTED]');
    assert.equal(redactText(JSON.stringify(key(''))), '"[REDACTED]"');
  });

  test('a password in an address, a webhook address, and a value named as an AWS secret are removed', () => {
    assert.equal(redactText('postgres://me:hunter2@host/db'), 'postgres://me:[REDACTED]@host/db');
    assert.equal(
      redactText(`https://hooks.slack.com/services/${some('T', 8)}/${some('B', 8)}/${some('', 24)}`),
      'https://hooks.slack.com/services/[REDACTED]',
    );
    assert.equal(redactText(`AWS_SECRET_ACCESS_KEY=${some('', 40, 'a/B+')}`), 'AWS_SECRET_ACCESS_KEY=[REDACTED]');
    assert.equal(
      redactText(`"aws_secret_access_key": "${some('', 40, 'a/B+')}"`),
      '"aws_secret_access_key": "[REDACTED]"',
    );
  });

  test('the credential of an Authorization header is removed, and a placeholder is not', () => {
    const opaque = some('', 32);
    for (const [before, after] of [
      [`curl -H "Authorization: Bearer ${opaque}" x`, 'curl -H "Authorization: Bearer [REDACTED]" x'],
      [`{"authorization": "Basic ${some('', 24, 'aGVs1')}=="}`, '{"authorization": "Basic [REDACTED]"}'],
      [`AUTHORIZATION=token ${opaque}`, 'AUTHORIZATION=token [REDACTED]'],
    ] as const)
      assert.equal(redactText(before), after);
    for (const text of [
      'Authorization: Bearer $TOKEN',
      'Authorization: Bearer YOUR_TOKEN_HERE',
      'Authorization: Bearer <token>',
    ])
      assert.equal(redactText(text), text);
  });

  test('ordinary text stays unchanged', () => {
    for (const text of [
      'the task-sk-and-the-desk-of-a-friend-of-mine is long',
      'ghp_ is how they begin',
      'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      'https://user@example.com/path:with@signs',
      '550e8400-e29b-41d4-a716-446655440000',
      '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
      'data:image/png;base64,iVBORw0KGgo=',
    ])
      assert.equal(redactText(text), text);
  });

  test('the time grows only with the length of the text, whatever its characters', () => {
    for (const piece of [
      'sk-',
      'eyJ',
      'eyJaaaaaaaaaa.',
      'http://a:',
      'authorization: bearer ',
      'lin_api_',
      '-----BEGIN PRIVATE KEY',
      'aws_secret_access_key=',
      ': ',
    ])
      assert.ok(timeOf(piece, 2 ** 20) < 40 * Math.max(timeOf(piece, 2 ** 17), 2), piece);
  });
});

function timeOf(piece: string, length: number): number {
  const text = piece.repeat(Math.ceil(length / piece.length));
  const began = performance.now();
  redactText(text);
  return performance.now() - began;
}

describe('redaction: values and items', () => {
  const secret = some('ghp_', 36);

  test('all texts of a value are redacted; a value without secrets is the same object', () => {
    const value = { cmd: `curl -H ${secret}`, list: [{ name: secret }, 5, null] };
    assert.deepEqual(redactValue(value), { cmd: 'curl -H [REDACTED]', list: [{ name: '[REDACTED]' }, 5, null] });
    const plain = { a: ['b', { c: 1 }] };
    assert.equal(redactValue(plain), plain);
  });

  test('an item keeps its ids and encrypted fields, and is the same each time', () => {
    const sealed: InputItem = { type: 'reasoning', id: secret, summary: [], encrypted_content: secret };
    assert.equal(redactItem(sealed), sealed);
    const call = { type: 'function_call', call_id: 'c', name: 'x', arguments: JSON.stringify({ t: secret }) } as const;
    assert.deepEqual(redactItem(call), { ...call, arguments: '{"t":"[REDACTED]"}' });
    assert.equal(redactItem(call), redactItem(call));
    const parts = [
      { type: 'input_text', text: secret },
      { type: 'input_image', image_url: `data:image/png;base64,${secret}` },
    ];
    const message = { type: 'message', role: 'user', content: parts } as const;
    assert.deepEqual((redactItem(message) as { content?: unknown }).content, [
      { type: 'input_text', text: '[REDACTED]' },
      parts[1],
    ]);
  });
});
