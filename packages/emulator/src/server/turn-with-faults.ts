import type { Engine } from '../engine/engine.js';
import { refusalOf, Turn, type TurnParts } from '../engine/turn.js';
import type { ReceivedCreate, TurnSink } from '../engine/turn-sink.js';
import { faultsOfTurn } from '../faults/requested-faults.js';
import { withFaults } from '../faults/with-faults.js';

/** Runs a turn whose sink has the turn's faults wrapped around it, and notes the turn in the journal. Never rejects. */
export async function runTurnWithFaults(engine: Engine, received: ReceivedCreate, sink: TurnSink): Promise<void> {
  const { transport, connection } = sink;
  const entry = engine.journal.openTurn({ transport, connection, request: received.body, bytes: received.bytes });
  let faultySink = sink;
  let create = received;
  try {
    faultySink = sinkWithFaults({ engine, sink, entry }, received.body);
  } catch (error) {
    create = { ...received, refusal: refusalOf(error) };
  }
  await new Turn({ engine, sink: faultySink, entry }).run(create);
}

/** The sink of a turn with the turn's faults wrapped around it. @throws Refusal if the request names a fault that does not exist */
function sinkWithFaults({ engine, sink, entry }: TurnParts, body: unknown): TurnSink {
  const { faults, memory, clock } = engine;
  return withFaults(sink, faultsOfTurn(faults, sink, entry.number, body), body, {
    clock,
    onFault: (fault) => entry.addFault(fault),
    forget(id) {
      const found = sink.laneCache?.find(String(id)) ?? memory.stored(String(id), sink.tenant);
      if (found !== undefined) memory.forget(found);
    },
  });
}
