import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { HttpResponseReader, HttpProtocolError } from '../../dist/http/response-reader.js';
import type { ResponseHead } from '../../dist/http/head.js';

interface Read {
  heads: ResponseHead[];
  body: string;
  /** Whether the connection may be used again; undefined: the answer has not ended. */
  reusable: boolean | undefined;
  /** What `close` said. */
  whole: boolean;
}

function read(chunks: readonly string[]): Read {
  const heads: ResponseHead[] = [];
  let body = '';
  let reusable: boolean | undefined;
  const reader = new HttpResponseReader(
    {
      head: (head) => heads.push(head),
      body: (bytes) => (body += bytes.toString('latin1')),
      end: (again) => (reusable = again),
    },
    200,
  );
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk, 'latin1');
    reader.push(lent);
    // The next piece is read into the same memory.
    lent.fill(0xff);
  }
  const whole = reader.close();
  return { heads, body, reusable, whole };
}

const ok = 'HTTP/1.1 200 OK\r\n';
/** By RFC 9112: what an answer holds, and whether another may follow it on its connection. */
const answers: readonly [name: string, answer: string, expected: Omit<Read, 'heads'>][] = [
  ['of a length', `${ok}Content-Length: 5\r\n\r\nhello`, { body: 'hello', reusable: true, whole: true }],
  ['of no length', `${ok}content-length: 0\r\n\r\n`, { body: '', reusable: true, whole: true }],
  ['without content', 'HTTP/1.1 204 No Content\r\n\r\n', { body: '', reusable: true, whole: true }],
  [
    'in chunks',
    `${ok}Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\nA;x=y\r\nlo, worlds\r\n0\r\n\r\n`,
    { body: 'hello, worlds', reusable: true, whole: true },
  ],
  [
    'in chunks, with trailers',
    `${ok}transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\nz: z\r\n\r\n`,
    { body: 'a', reusable: true, whole: true },
  ],
  ['until the connection ends', `${ok}\r\nhello`, { body: 'hello', reusable: false, whole: true }],
  [
    'whose connection ends with it',
    `${ok}Connection: x, Close\r\nContent-Length: 1\r\n\r\na`,
    { body: 'a', reusable: false, whole: true },
  ],
  ['in HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', { body: 'a', reusable: false, whole: true }],
  [
    'with a length and chunks',
    `${ok}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    { body: 'a', reusable: false, whole: true },
  ],
  [
    'after two that only prepare for it',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok}content-length: 1\r\n\r\na`,
    { body: 'a', reusable: true, whole: true },
  ],
  [
    'in chunks, said twice',
    `${ok}Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    { body: 'a', reusable: true, whole: true },
  ],
  [
    'of a length, in a transfer coding that is none',
    `${ok}Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na`,
    { body: 'a', reusable: true, whole: true },
  ],
  [
    'until the connection ends, in a transfer coding that is none',
    `${ok}Transfer-Encoding: identity\r\n\r\na`,
    { body: 'a', reusable: false, whole: true },
  ],
  ['after an empty line', `\r\n${ok}content-length: 1\r\n\r\na`, { body: 'a', reusable: true, whole: true }],
  ['cut in its head', ok, { body: '', reusable: undefined, whole: false }],
  ['cut in its length', `${ok}content-length: 9\r\n\r\nhello`, { body: 'hello', reusable: undefined, whole: false }],
  [
    'cut in a chunk',
    `${ok}transfer-encoding: chunked\r\n\r\n9\r\nhello`,
    { body: 'hello', reusable: undefined, whole: false },
  ],
  [
    'cut before its last chunk',
    `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    { body: 'hello', reusable: undefined, whole: false },
  ],
  [
    'cut in its last chunk',
    `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`,
    { body: 'hello', reusable: undefined, whole: false },
  ],
];

describe('HTTP response reader', () => {
  for (const [name, answer, { body, reusable, whole }] of answers) {
    test(`an answer ${name}, in one piece and byte by byte`, () => {
      for (const chunks of [[answer], answer.split('')]) {
        const found = read(chunks);
        assert.deepEqual({ body: found.body, reusable: found.reusable, whole: found.whole }, { body, reusable, whole });
        assert.ok(found.heads.length <= 1);
      }
    });
  }

  test('however it is cut, it is the same', () => {
    const answer = fc.constantFrom(...answers.map(([, text]) => text));
    fc.assert(
      fc.property(answer, fc.array(fc.nat({ max: 40 }), { maxLength: 20 }), (text, sizes) => {
        const chunks: string[] = [];
        let at = 0;
        for (const size of sizes) {
          chunks.push(text.slice(at, at + size));
          at += size;
        }
        assert.deepEqual(read([...chunks, text.slice(at)]), read([text]));
      }),
    );
  });

  for (const [name, answer, message] of [
    ['no HTTP', 'SSH-2.0-x\r\n\r\n', 'an answer that is not HTTP'],
    ['a head without an end', `${ok}x: ${'y'.repeat(200)}`, 'a head that has no end within 200 bytes'],
    ['a length that is none', `${ok}content-length: 5, 5\r\n\r\n`, 'a content-length that is none'],
    ['a negative length', `${ok}content-length: -5\r\n\r\n`, 'a content-length that is none'],
    [
      'another coding',
      `${ok}transfer-encoding: gzip, chunked\r\n\r\n`,
      'a body with transfer-encoding "gzip, chunked"',
    ],
    ['a chunk without its size', `${ok}transfer-encoding: chunked\r\n\r\nhello\r\n`, 'a chunk without its size'],
    ['a chunk of hex with a sign', `${ok}transfer-encoding: chunked\r\n\r\n-1\r\n`, 'a chunk without its size'],
    [
      'a chunk longer than it said',
      `${ok}transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n`,
      'a chunk that is longer than it said',
    ],
    [
      'a line without an end',
      `${ok}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(5000)}`,
      'a line of its framing with more than 4096 bytes',
    ],
    ['more than its answer', `${ok}content-length: 1\r\n\r\nab`, 'more than its answer'],
  ] as const) {
    test(`${name} is refused`, () => {
      for (const chunks of [[answer], answer.split('')])
        assert.throws(() => read(chunks), new HttpProtocolError(message));
    });
  }
});
