import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ContentSniffer } from '../../dist/transport/content-sniffer.js';

describe('content sniffer', () => {
  for (const text of [
    'data: {}\n\n',
    'event: a\ndata: {}',
    ': hi\n',
    'id:1',
    'retry: 5',
    '\n\r\n  data:x',
    '\ufeffevent:x',
  ]) {
    test(`mistyped: ${JSON.stringify(text)} is a stream, in whatever pieces`, () => {
      const whole = new ContentSniffer(200, {}).add(Buffer.from(text));
      assert.deepEqual(whole, { name: 'stream', bytes: Buffer.from(text) });
      const mistyped = new ContentSniffer(200, {});
      let seen = '';
      for (const byte of Buffer.from(text)) {
        const found = mistyped.add(Buffer.from([byte]));
        if (found === undefined) continue;
        assert.equal(found.name, 'stream');
        seen = found.name === 'stream' ? found.bytes.toString() : '';
        break;
      }
      assert(text.startsWith(seen) && seen !== '');
    });
  }

  for (const text of [
    '{"id":1}',
    '[',
    '<html>',
    '"text"',
    'Hello',
    '5',
    `${' '.repeat(80)}data:`,
    `event ${'x'.repeat(60)}`,
  ]) {
    test(`mistyped: ${JSON.stringify(text.slice(0, 20))} is none`, () => {
      assert.deepEqual(new ContentSniffer(200, {}).add(Buffer.from(text)), { name: 'other' });
    });
  }

  test('mistyped: what can still become a field is waited for', () => {
    for (const text of ['', ' ', 'd', 'data', 'eve', 'error'])
      assert.equal(new ContentSniffer(200, {}).add(Buffer.from(text)), undefined);
  });
});
