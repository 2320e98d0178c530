// The Agents SDK, over both of its transports.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installed, needs, newerNode, program, run, start } from './client.js';

describe('Agents SDK', () => {
  for (const transport of ['websocket', 'sse'])
    test(`runs a tool loop over ${transport}`, needs('@openai/agents'), async (t) => {
      const emulator = await start(t, {
        turns: [{ calls: [{ name: 'weather', arguments: { city: 'Bonn' } }] }, { text: 'It is {{ weather }}.' }],
      });
      const args = [program('agents-sdk'), emulator.url, installed, transport];
      const { status, said } = await run(t, newerNode, args, installed, {});
      assert.equal(status, 0, said);
      assert.equal(JSON.parse(said), 'It is grey in Bonn.');
      assert.deepEqual(
        emulator.journal.turns().map((turn) => [turn.transport, turn.outcome]),
        [
          [transport, 'completed'],
          [transport, 'completed'],
        ],
      );
    });
});
