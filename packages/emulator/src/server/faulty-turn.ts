import { refusalOf, runTurn, type Emulation } from '../engine/turn.js';
import type { Carriage, Received } from '../engine/carriage.js';
import { faultsOf, faulty } from '../faults/faulty.js';
import type { OpenTurn } from '../journal/journal.js';

/** Opens the journal's entry of a turn, puts its faults between the turn and its client, and runs it. Never rejects. */
export async function runFaultyTurn(emulation: Emulation, received: Received, plain: Carriage): Promise<void> {
  const { transport, connection } = plain;
  const entry = emulation.journal.openTurn({ transport, connection, request: received.body, bytes: received.bytes });
  let carriage = plain;
  let { refusal } = received;
  try {
    carriage = broken(emulation, received.body, plain, entry);
  } catch (error) {
    refusal = refusalOf(error);
  }
  await runTurn(emulation, refusal === undefined ? received : { ...received, refusal }, carriage, entry);
}

/** The carriage with the faults of this turn, if there are any. */
function broken({ faults, memory, clock }: Emulation, body: unknown, carriage: Carriage, entry: OpenTurn): Carriage {
  return faulty(carriage, faultsOf(faults, carriage, entry.number, body), body, {
    clock,
    struck: (fault) => entry.struck(fault),
    forget(id) {
      const found = carriage.lineage?.find(String(id)) ?? memory.stored(String(id), carriage.tenant);
      if (found !== undefined) memory.forget(found);
    },
  });
}
