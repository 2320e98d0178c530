import { refusalOf, runTurn, type Engine } from '../engine/turn.js';
import type { TurnSink, ReceivedCreate } from '../engine/turn-sink.js';
import { faultsOfTurn, withFaults } from '../faults/with-faults.js';
import type { OpenTurn } from '../journal/journal.js';

/** Opens the journal's entry of a turn, puts its faults between the turn and its client, and runs it. Never rejects. */
export async function runTurnWithFaults(engine: Engine, received: ReceivedCreate, plain: TurnSink): Promise<void> {
  const { transport, connection } = plain;
  const entry = engine.journal.openTurn({ transport, connection, request: received.body, bytes: received.bytes });
  let carriage = plain;
  let { refusal } = received;
  try {
    carriage = broken(engine, received.body, plain, entry);
  } catch (error) {
    refusal = refusalOf(error);
  }
  await runTurn(engine, refusal === undefined ? received : { ...received, refusal }, carriage, entry);
}

/** The carriage with the faults of this turn, if there are any. */
function broken({ faults, memory, clock }: Engine, body: unknown, carriage: TurnSink, entry: OpenTurn): TurnSink {
  return withFaults(carriage, faultsOfTurn(faults, carriage, entry.number, body), body, {
    clock,
    struck: (fault) => entry.struck(fault),
    forget(id) {
      const found = carriage.laneCache?.find(String(id)) ?? memory.stored(String(id), carriage.tenant);
      if (found !== undefined) memory.forget(found);
    },
  });
}
