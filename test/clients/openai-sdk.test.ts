// The `openai` package of both majors in use (P134), every call of its Responses surface.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installed, needs, newerNode, program, run, start, ways } from './client.js';

describe('openai', () => {
  for (const [name, node] of [
    ['openai-6', process.execPath],
    ['openai-7', newerNode],
  ] as const)
    for (const [how, reach] of ways)
      test(`${name}${how}: responses, conversations and WebSockets work`, needs(name), async (t) => {
        const emulator = await start(t);
        const args = [program('openai-sdk'), await reach(t, emulator.url), installed, name];
        const { status, said } = await run(t, node, args, installed, {});
        assert.equal(status, 0, said);
        const { usage, inputTokens, ...rest } = JSON.parse(said) as Record<string, unknown>;
        assert.equal(usage, inputTokens);
        assert.deepEqual(rest, {
          create: ['completed', 'one'],
          continued: true,
          stream: ['response.created', 'response.completed'],
          helper: 'one two',
          parse: { name: 'Ada' },
          retrieve: 'one',
          background: 'queued',
          resumed: ['response.output_item.added', 'response.completed'],
          cancelled: 'completed',
          deleted: 404,
          compact: 'compaction',
          inputItems: 3,
          conversation: ['message', 3, 2, { topic: 'changed' }, true],
          models: 1,
          socket: ['response.created', 'response.completed'],
          invalid: 400,
        });
      });
});
