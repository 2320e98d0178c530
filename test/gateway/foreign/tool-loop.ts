import assert from 'node:assert/strict';
import { startEmulator } from 'turnwire/emulator';
import { loopTurns, promised, toolLoop } from '../../interop/conversations.js';
import { contextsOf } from '../../interop/three-ways.js';
import { setUp } from '../setup.js';
import type { EmulatorOptions } from 'turnwire/emulator';
import type { TestContext } from 'node:test';

/** A tool loop of a client against a base URL, to the words it ends with. */
export type Loop = (baseURL: string) => Promise<unknown>;

/**
 * The loop through a gateway and without one: the words and what the model was told are the same, and the turns go up as deltas that
 * docs/gateway.md promises in this row.
 */
export async function assertLoop(t: TestContext, row: string, loop: Loop): Promise<void> {
  const emulated = { script: toolLoop, obfuscation: false };
  const { emulator, gateway } = await setUp(t, emulated);
  const direct = await startEmulator(emulated);
  t.after(() => direct.close());
  const [text, expected] = await Promise.all([loop(gateway.url), loop(direct.url)]);
  const turns = emulator.journal.turns();
  assert.deepEqual(new Set(turns.map(({ transport }) => transport)), new Set(['websocket']));
  assert.equal(turns.filter(({ plan }) => plan === 'delta').length, promised(row, 'gateway.md'));
  assert.equal(text, expected);
  assert.equal(text, 'I have counted 24 times.');
  assert.equal(turns.length, loopTurns);
  assert.deepEqual(contextsOf(emulator), contextsOf(direct));
}

/** What an upstream does to its sockets and chains in a long loop; none of it is a client's fault. By the number of a create. */
const losses: NonNullable<EmulatorOptions['faults']> = [
  { on: { turn: 4 }, do: 'forget' },
  { on: { turn: 8 }, do: 'end after=terminal' },
  { on: { turn: 12 }, do: 'connection-limit after=terminal' },
  { on: { turn: 16 }, do: 'connection-limit' },
  { on: { turn: 20 }, do: 'close code=1012 reason=restart' },
];

/** The loop through a gateway whose upstream loses chains and sockets: its client sees none of that, and each turn is completed once. */
export async function assertUndisturbed(t: TestContext, loop: Loop): Promise<void> {
  const { emulator, gateway } = await setUp(t, { script: toolLoop, obfuscation: false, faults: losses });
  assert.equal(await loop(gateway.url), 'I have counted 24 times.');
  const turns = emulator.journal.turns();
  assert.equal(turns.flatMap(({ faults }) => faults).length, losses.length);
  assert.equal(turns.filter(({ outcome }) => outcome === 'completed').length, loopTurns);
}
