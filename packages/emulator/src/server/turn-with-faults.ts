import { refusalOf, runTurn, type Engine } from '../engine/turn.js';
import type { TurnSink, ReceivedCreate } from '../engine/turn-sink.js';
import { faultsOfTurn, withFaults } from '../faults/with-faults.js';
import type { OpenTurn } from '../journal/journal.js';

/** Opens the journal's entry of a turn, puts its faults between the turn and its client, and runs it. Never rejects. */
export async function runTurnWithFaults(engine: Engine, received: ReceivedCreate, sink: TurnSink): Promise<void> {
  const { transport, connection } = sink;
  const entry = engine.journal.openTurn({ transport, connection, request: received.body, bytes: received.bytes });
  let faultySink = sink;
  let { refusal } = received;
  try {
    faultySink = sinkWithFaults(engine, received.body, sink, entry);
  } catch (error) {
    refusal = refusalOf(error);
  }
  await runTurn(engine, refusal === undefined ? received : { ...received, refusal }, faultySink, entry);
}

/** The carriage with the faults of this turn, if there are any. */
function sinkWithFaults(
  { faults, memory, clock }: Engine,
  body: unknown,
  faultySink: TurnSink,
  entry: OpenTurn,
): TurnSink {
  return withFaults(faultySink, faultsOfTurn(faults, faultySink, entry.number, body), body, {
    clock,
    onFault: (fault) => entry.addFault(fault),
    forget(id) {
      const found = faultySink.laneCache?.find(String(id)) ?? memory.stored(String(id), faultySink.tenant);
      if (found !== undefined) memory.forget(found);
    },
  });
}
