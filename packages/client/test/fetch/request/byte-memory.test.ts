import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as assertProperty, constantFrom, integer, property } from 'fast-check';
import { BodyCache } from '../../../dist/fetch/request/body-cache.js';
import { ByteChunks } from '../../../dist/fetch/request/byte-chunks.js';
import { ByteMemory } from '../../../dist/fetch/request/byte-memory.js';
import { heldHeap } from '../../heap.js';

const lengths = constantFrom(0, 1, 63, 8191, 8192, 8193, 16_384, 20_000);

function chunked(bytes: Buffer, size: number): ByteChunks {
  const count = Math.ceil(bytes.length / size);
  return new ByteChunks(Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)));
}

/** Bytes that differ everywhere from those of another seed. */
function filled(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (at * 7 + seed) % 251));
}

describe('byte memory', () => {
  test('isBeginningOf: stored bytes that have grown are the beginning of the same bytes, and of no others', () => {
    assertProperty(
      property(
        lengths,
        lengths,
        integer({ min: 500, max: 70_000 }),
        integer({ min: 0 }),
        (begin, added, size, place) => {
          const memory = new ByteMemory();
          const whole = filled(begin + added, 1);
          const stored = memory.grow(memory.store(chunked(whole, size), begin), whole.subarray(begin));
          const body = Buffer.concat([whole, Buffer.from('and more')]);
          assert(memory.isBeginningOf(chunked(body, size), stored));
          assert(memory.isBeginningOf(chunked(body, 997), memory.copy(stored)));
          assert(whole.length === 0 || !memory.isBeginningOf(chunked(whole.subarray(1), size), stored));
          if (whole.length === 0) return;
          body[place % whole.length] = (body[place % whole.length] ?? 0) ^ 1;
          assert(!memory.isBeginningOf(chunked(body, size), stored));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('bodies in use do not lie in memory that was freed, in whatever order they come and go', () => {
    assertProperty(
      property(array(integer({ min: 0, max: 9 }), { maxLength: 60 }), (steps) => {
        const memory = new ByteMemory();
        const bodies = new Map<number, { stored: ReturnType<ByteMemory['store']>; bytes: Buffer }>();
        for (const [seed, name] of steps.entries()) {
          const known = bodies.get(name);
          if (known !== undefined && seed % 3 === 0) {
            memory.free(known.stored);
            bodies.delete(name);
            continue;
          }
          const added = filled(5000 + 700 * name, seed);
          const bytes = Buffer.concat([known?.bytes ?? Buffer.alloc(0), added]);
          const stored =
            known === undefined ? memory.store(chunked(bytes, 997), bytes.length) : memory.grow(known.stored, added);
          bodies.set(name, { stored, bytes });
          for (const one of bodies.values()) assert(memory.isBeginningOf(chunked(one.bytes, 1499), one.stored));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('blocks of a forgotten body are used again: many bodies take no more memory than the budget', () => {
    const bodies = new BodyCache(new ByteMemory(), 8_000_000);
    const read = (name: number): void =>
      bodies.read(chunked(Buffer.from(JSON.stringify({ input: [`${name}`.padEnd(400_000, 'x')] })), 65_536))?.keep();
    for (let name = 0; name < 20; name += 1) read(name);
    assert.equal(bodies.size, 9);
    // Twice: V8 frees buffers beside the program, after the collection.
    for (let time = 0; time < 2; time += 1) heldHeap();
    const before = process.memoryUsage().arrayBuffers;
    for (let name = 20; name < 220; name += 1) read(name);
    assert.equal(bodies.size, 9);
    for (let time = 0; time < 2; time += 1) heldHeap();
    const more = process.memoryUsage().arrayBuffers - before;
    assert(more < 8e6, `${more} bytes more`);
  });
});
