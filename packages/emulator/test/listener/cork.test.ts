import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { corkUntilMicrotask } from '../../dist/listener/cork.js';

/** A connection that notes the bytes of each system call. */
function connection(): { tcp: Duplex; writes: string[][] } {
  const writes: string[][] = [];
  const tcp = new Duplex({
    decodeStrings: false,
    read: () => undefined,
    write(chunk: string, _encoding, done) {
      writes.push([chunk]);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  return { tcp, writes };
}

describe('the writes of one tick to a connection', () => {
  test('are sent in one write, before anything else runs', async () => {
    const { tcp, writes } = connection();
    const gather = corkUntilMicrotask(tcp);
    for (const text of ['a', 'b', 'c']) {
      gather();
      tcp.write(text);
    }
    await Promise.resolve();
    assert.deepEqual(writes, [['a', 'b', 'c']]);
    gather();
    tcp.write('d');
    await Promise.resolve();
    assert.deepEqual(writes.slice(1), [['d']]);
  });

  test('are sent before an end that follows them', async () => {
    const { tcp, writes } = connection();
    corkUntilMicrotask(tcp)();
    tcp.write('a');
    tcp.write('b');
    tcp.end();
    await Promise.resolve();
    assert.deepEqual(writes.flat(), ['a', 'b']);
  });
});
