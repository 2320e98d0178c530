import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import * as zlib from 'node:zlib';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json } from '../wire.js';

const { zstdCompressSync: zstd }: { zstdCompressSync?: (raw: string) => Buffer } & Partial<typeof zlib> = zlib;

async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

function send(url: string, coding: string, body: Uint8Array<ArrayBuffer> | Buffer): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'content-encoding': coding };
  return fetch(`${url}/responses`, { method: 'POST', headers, body: new Uint8Array(body) });
}

const CREATE = JSON.stringify({ model: 'm', input: 'hello' });

describe('content-encoding of requests', () => {
  for (const [coding, body] of [
    ['gzip', zlib.gzipSync(CREATE)],
    ['x-gzip', zlib.gzipSync(CREATE)],
    ['GZIP', zlib.gzipSync(CREATE)],
    ['deflate', zlib.deflateSync(CREATE)],
    ['deflate', zlib.deflateRawSync(CREATE)],
    ['br', zlib.brotliCompressSync(CREATE)],
    ['identity', Buffer.from(CREATE)],
    ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(CREATE))],
  ] as const) {
    test(`${coding} is decoded; the journal has the size on the wire`, async (t) => {
      const { url, journal } = await start(t);
      const response = await send(url, coding, body);
      assert.equal(json(await response.text()).output?.[0].content[0].text, 'hello');
      assert.equal(journal.turns()[0]?.bytes, body.byteLength);
    });
  }

  test('zstd is decoded if Node.js has it, and refused with a 415 that names it otherwise', async (t) => {
    const { url } = await start(t);
    const response = await send(url, 'zstd', zstd === undefined ? Buffer.from('x') : zstd(CREATE));
    const text = await response.text();
    if (zstd !== undefined) return assert.equal(response.status, 200, text);
    assert.equal(response.status, 415);
    assert.match(text, /"zstd\\" with Node.js v/);
  });

  for (const coding of ['compress', 'aws-chunked', 'gzip, gzip, gzip, gzip']) {
    test(`${coding} is refused with a 415 that lists the accepted codings`, async (t) => {
      const { url } = await start(t);
      const response = await send(url, coding, Buffer.from(CREATE));
      const { error } = json(await response.text());
      assert.deepEqual([response.status, error.code], [415, 'unsupported_content_encoding']);
      assert.match(response.headers.get('accept-encoding') ?? '', /^gzip, deflate, br/);
    });
  }

  test('zstd is decoded from several frames', { skip: zstd === undefined }, async (t) => {
    const { url } = await start(t);
    const frames = [CREATE.slice(0, 9), CREATE.slice(9)].map((part) => zstd?.(part) ?? Buffer.alloc(0));
    const response = await send(url, 'zstd', Buffer.concat(frames));
    assert.equal(json(await response.text()).output?.[0].content[0].text, 'hello');
  });

  for (const [coding, body] of [
    ['gzip', zlib.gzipSync(CREATE)],
    ['deflate', zlib.deflateSync(CREATE)],
    ['br', zlib.brotliCompressSync(CREATE)],
  ] as const) {
    test(`bytes after the end of a ${coding} body are refused with a 400`, async (t) => {
      const { url } = await start(t);
      const response = await send(url, coding, Buffer.concat([body, Buffer.from('more')]));
      assert.deepEqual([response.status, json(await response.text()).error?.code], [400, 'invalid_encoding']);
    });
  }

  for (const [what, body] of [
    ['cut off', zlib.gzipSync(CREATE).subarray(0, -12)],
    ['no gzip at all', Buffer.from(CREATE)],
  ] as const) {
    test(`a body that is ${what} is refused with a 400 that names the coding`, async (t) => {
      const { url } = await start(t);
      const response = await send(url, 'gzip', body);
      const { error } = json(await response.text());
      assert.deepEqual([response.status, error.code], [400, 'invalid_encoding']);
      assert.match(error.message, /gzip/);
    });
  }

  for (const [coding, pack] of [
    ['gzip', zlib.gzipSync],
    ['br', zlib.brotliCompressSync],
  ] as const) {
    test(`a small ${coding} body that is larger than the limit when decoded is refused with a 413`, async (t) => {
      const { url } = await start(t, { limits: { bodyBytes: 100_000 } });
      const bomb = pack(Buffer.alloc(20_000_000, ' '));
      assert.ok(bomb.byteLength < 100_000);
      const response = await send(url, coding, bomb);
      assert.deepEqual([response.status, json(await response.text()).error.code], [413, 'request_too_large']);
    });
  }
});
