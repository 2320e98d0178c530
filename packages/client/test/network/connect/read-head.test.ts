import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { readErrorBody } from '../../../dist/network/post/error-body.js';
import { readHead } from '../../../dist/network/connect/read-head.js';
import { systemClock } from '../../../dist/base/clock.js';

const answer =
  'HTTP/1.1 503 Busy: later\r\nRetry-After:  7 \r\nX-A: 1\r\nx-a: 2\r\nno header\r\nEmpty:\r\n\r\nthe rest';

describe('head of a response', () => {
  for (const [name, size] of Object.entries({ 'in one piece': answer.length, 'byte by byte': 1 })) {
    test(`a head ${name}; what follows it stays`, async () => {
      const stream = new PassThrough();
      const reading = readHead(stream, 'a question', 1000);
      for (let at = 0; at < answer.length; at += size) stream.write(answer.slice(at, at + size));
      assert.deepEqual(await reading, {
        status: 503,
        headers: { 'retry-after': '7', 'x-a': '1, 2', empty: '' },
        persistent: true,
      });
      stream.end();
      assert.equal(Buffer.concat((await stream.toArray()) as Buffer[]).toString(), 'the rest');
    });
  }

  for (const [name, text, message] of [
    ['no HTTP', 'SSH-2.0-x\r\n\r\n', 'its answer to a question is not HTTP'],
    ['no end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100)}`, 'its answer to a question has no end within 100 bytes'],
    [
      'an end too late',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100)}\r\n\r\n`,
      'its answer to a question has no end within 100 bytes',
    ],
    ['half a head', 'HTTP/1.1 200 OK\r\n', 'it hung up without an answer to a question'],
    ['nothing', '', 'it hung up without an answer to a question'],
  ] as const) {
    test(`${name} is said to be so`, async () => {
      const stream = new PassThrough();
      stream.end(text);
      await assert.rejects(readHead(stream, 'a question', 100), { message });
    });
  }

  for (const [name, headers, body, expected] of [
    ['as long as it says', { 'content-length': '5' }, 'helloHTTP/1.1 200', 'hello'],
    ['of no length', { 'content-length': '0' }, '', ''],
    ['in chunks', { 'transfer-encoding': 'chunked' }, '3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\nmore', 'hello'],
  ] as const) {
    test(`a body ${name} is whole before the connection ends`, async () => {
      const stream = new PassThrough();
      const reading = readErrorBody(stream, { status: 500, headers, persistent: true }, systemClock);
      for (const byte of body) stream.write(byte);
      assert.equal(await reading, expected);
    });
  }

  for (const [name, headers, body, expected] of [
    ['until the end of the connection', {}, 'hello', 'hello'],
    ['shorter than it says', { 'content-length': '9' }, 'hello', 'hello'],
    ['cut within a chunk', { 'transfer-encoding': 'chunked' }, '9\r\nhel', 'hel'],
    ['whose chunks are none', { 'transfer-encoding': 'chunked' }, 'hello\r\n', ''],
  ] as const) {
    test(`a body ${name} is what came of it`, async () => {
      const stream = new PassThrough();
      stream.end(body);
      assert.equal(await readErrorBody(stream, { status: 500, headers, persistent: true }, systemClock), expected);
    });
  }
});
