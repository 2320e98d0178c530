import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { startEmulator } from 'turnwire/emulator';

describe('network.relay', () => {
  test('the rules of the provider also apply behind a relay', { timeout: 30_000 }, async (t) => {
    // Its WebSocket refuses `instructions` beside an id (P12): who takes it for another server sends both.
    const emulator = await startEmulator({ dialect: 'xai' });
    t.after(() => emulator.close());
    const client = createClient({
      baseUrl: 'https://api.x.ai/v1',
      apiKey: 'any',
      transport: 'websocket',
      network: { relay: emulator.url },
    });
    t.after(() => client.destroy());
    const instructions = 'Be brief.';
    const question = { type: 'message' as const, role: 'user' as const, content: 'One?' };
    const { output } = await client.turn({ model: 'm', instructions, input: [question] }).response();
    await client.turn({ model: 'm', instructions, input: [question, ...output, question] }).response();
    assert.deepEqual(
      emulator.journal.turns().map(({ outcome, transport }) => [outcome, transport]),
      [
        ['completed', 'websocket'],
        ['completed', 'websocket'],
      ],
    );
  });

  test('a failure names the provider, not the relay', { timeout: 30_000 }, async (t) => {
    const emulator = await startEmulator({ faults: [{ do: 'error status=403' }] });
    t.after(() => emulator.close());
    const network = { relay: emulator.url };
    const client = createClient({ baseUrl: 'https://api.x.ai/v1', apiKey: 'any', transport: 'sse', network });
    t.after(() => client.destroy());
    await assert.rejects(
      client.turn({ model: 'm', input: 'x' }).response(),
      /^TurnwireError: https:\/\/api\.x\.ai refused/,
    );
  });
});
